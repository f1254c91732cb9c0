# SPDX-License-Identifier: BSD-2-Clause
"""Real functions of exact numbers, to as many digits as rounding asks for."""

from .functions import FUNCTIONS, Function, parse
from .tabulate import results, tabulated

__all__ = ["FUNCTIONS", "Function", "parse", "results", "tabulated"]
