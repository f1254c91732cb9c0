# SPDX-License-Identifier: BSD-2-Clause
"""What functions cost: as tables, as polynomials, of integers, of rows."""
