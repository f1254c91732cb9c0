# SPDX-License-Identifier: BSD-2-Clause
"""What is proven for all inputs: a list of claims, cheap ones first, and how one is tried."""
