# SPDX-License-Identifier: BSD-2-Clause
"""Pages on Flexpoint: its hardware, its results beside other formats, and training."""

from . import hardware, results, training

__all__ = ["hardware", "results", "training"]
