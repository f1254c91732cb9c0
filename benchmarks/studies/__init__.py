# SPDX-License-Identifier: BSD-2-Clause
"""What the choice of an arithmetic does to numbers, and to networks."""
