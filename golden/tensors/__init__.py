# SPDX-License-Identifier: BSD-2-Clause
"""Whole arrays: quantised tensors, rotations, matrix products, layers."""
