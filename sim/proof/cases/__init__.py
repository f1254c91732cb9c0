# SPDX-License-Identifier: BSD-2-Clause
"""What is proven: a family's units in one file of its name, and what collects them."""
