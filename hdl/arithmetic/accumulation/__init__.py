# SPDX-License-Identifier: BSD-2-Clause
"""Gates for golden's accumulation profiles: how scaled products join an addend."""

from .aligned import truncated_terms
from .steps import accumulate
from .terms import Products, point_of, products

__all__ = ["Products", "accumulate", "point_of", "products", "truncated_terms"]
