# SPDX-License-Identifier: BSD-2-Clause
"""The golden model against outsiders: libraries of others, and fractions."""
