# SPDX-License-Identifier: BSD-2-Clause
"""Scalar reference for sums of products of blocks: those of numbers, with scales in their terms."""

from .dots import evaluate

__all__ = ["KINDS", "evaluate"]

KINDS = ("block-dot", "block-mac")
