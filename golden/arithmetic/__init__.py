# SPDX-License-Identifier: BSD-2-Clause
"""Arithmetic of arrays: exact values, their sums, and their projection to a format."""
