# SPDX-License-Identifier: BSD-2-Clause
"""Stimulus for every unit: from its formats, and of its family."""

from .corners import corners
from .draw import crossing, stimulus
from .exhaustive import exhaustive, exhaustive_bits

__all__ = ["corners", "crossing", "exhaustive", "exhaustive_bits", "stimulus"]
