# SPDX-License-Identifier: BSD-2-Clause
"""Scalar references in fractions, to be checked by eye; they import nothing of macaw."""
