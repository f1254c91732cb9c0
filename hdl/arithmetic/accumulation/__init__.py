# SPDX-License-Identifier: BSD-2-Clause
"""Gates for golden's accumulation profiles: how scaled products join an addend."""

from .aligned import truncated_terms
from .steps import accumulate
from .terms import Products, products

__all__ = ["Products", "accumulate", "products", "truncated_terms"]
