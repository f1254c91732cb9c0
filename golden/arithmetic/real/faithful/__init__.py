# SPDX-License-Identifier: BSD-2-Clause
"""Functions of floats of more than 16 bits: integers that are less than a last place away."""

from .functions import FUNCTIONS, Faithful, faithful

__all__ = ["FUNCTIONS", "Faithful", "faithful"]
