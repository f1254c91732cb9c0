# SPDX-License-Identifier: BSD-2-Clause
"""Tables of docs/synthesis.md: what mapping is for, and design spaces."""

from . import optimise, sweeps

__all__ = ["optimise", "sweeps"]
