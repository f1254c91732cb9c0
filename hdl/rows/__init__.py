# SPDX-License-Identifier: BSD-2-Clause
"""Gates of what functions of rows have in common: their sums, and roots of them."""
