# SPDX-License-Identifier: BSD-2-Clause
"""Scalar references that several families share: formats and rounding, scales, functions."""
