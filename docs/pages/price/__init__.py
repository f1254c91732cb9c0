# SPDX-License-Identifier: BSD-2-Clause
"""Pages of the studies of what formats cost in area and energy."""

from . import claims, integers_floats, layers, minifloats, pairs

__all__ = ["claims", "integers_floats", "layers", "minifloats", "pairs"]
