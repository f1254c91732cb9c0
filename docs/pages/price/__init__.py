# SPDX-License-Identifier: BSD-2-Clause
"""Pages of the studies of what formats cost in area and energy."""

from . import integers_floats as integers_floats
