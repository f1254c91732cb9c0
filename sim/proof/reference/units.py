# SPDX-License-Identifier: BSD-2-Clause
"""The scalar reference of every kind of unit, by the kind's name."""

from . import (
    block_dots,
    chain,
    conversions,
    dots,
    elementwise,
    flex,
    functions,
    integer_dots,
    predictor,
    requantize,
    row_functions,
)

FAMILIES = (
    elementwise,
    dots,
    block_dots,
    conversions,
    flex,
    predictor,
    functions,
    row_functions,
    integer_dots,
    requantize,
    chain,
)
REFERENCES = {kind: family.evaluate for family in FAMILIES for kind in family.KINDS}


def evaluate(spec, beats):
    """The results of a list of beats, a dict of codes each; those with lanes are lists.

    A beat is a dict of the codes of the unit's operands. There is a result for each beat, or for
    each that ends a sequence.
    """
    reference = REFERENCES[spec.kind]
    return reference(spec, beats, evaluate) if spec.kind in chain.KINDS else reference(spec, beats)
