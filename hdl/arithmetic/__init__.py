# SPDX-License-Identifier: BSD-2-Clause
"""Arithmetic in gates: numbers, exact sums, their rounding."""
