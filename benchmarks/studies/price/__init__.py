# SPDX-License-Identifier: BSD-2-Clause
"""What number formats cost in area and energy: the studies that `macaw compare` can answer."""
