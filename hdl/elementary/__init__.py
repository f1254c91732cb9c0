# SPDX-License-Identifier: BSD-2-Clause
"""Elementary functions in gates: an argument is reduced, and a piecewise polynomial evaluated.

The coefficients are found when a module is generated, by a search in integers over all operands
(:mod:`~.plan`): every operand's result is rounded as it must be, or there is no module.
"""
