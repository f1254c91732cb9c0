# SPDX-License-Identifier: BSD-2-Clause
"""Scales of groups that follow from the distance of two ends."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...formats.block import Block
from ...formats.scalar import Fixed
from ..block_rules import Rules
from ..block_scales import LARGEST, fitting_scales


def scales_of(high: np.ndarray, low: np.ndarray, block: Block, rules: Rules) -> np.ndarray:
    """Return the codes of the scales that the fp32 distances of two ends have."""
    element = block.element
    assert isinstance(element, Fixed)
    with np.errstate(over="ignore"):
        span = np.minimum(high - low, LARGEST)
    # Its largest element is the distance of the ends of the format's.
    element = replace(element, signed=False)
    spread = replace(block, zero_point=None, minimum=False, element=element)
    ones = np.ones(len(span), np.float32)
    return fitting_scales(span, spread, rules, ones, ones)
