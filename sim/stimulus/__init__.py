# SPDX-License-Identifier: BSD-2-Clause
"""Stimulus for every unit: from its formats, and of its family."""

from .draw import corners, crossing, exhaustive, exhaustive_bits, stimulus

__all__ = ["corners", "crossing", "exhaustive", "exhaustive_bits", "stimulus"]
