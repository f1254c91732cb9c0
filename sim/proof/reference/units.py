# SPDX-License-Identifier: BSD-2-Clause
"""The scalar reference of every kind of unit, by the kind's name.

A family's is in the module here of its name: the kinds that it knows are its ``KINDS``, and what
gives their results is its ``evaluate``.
"""

import importlib
import pkgutil

from . import chain
from .arithmetic import lfsr

_PACKAGE = __name__.rpartition(".")[0]


def _families():
    for found in pkgutil.iter_modules(importlib.import_module(_PACKAGE).__path__):
        module = f"{_PACKAGE}.{found.name}"
        if module != __name__ and not found.ispkg:
            yield importlib.import_module(module)


REFERENCES = {kind: family.evaluate for family in _families() for kind in family.KINDS}


def evaluate(spec, beats):
    """The results of a list of beats, a dict of codes each; those with lanes are lists.

    A beat is a dict of the codes of the unit's operands. There is a result for each beat, or for
    each that ends a sequence.
    """
    reference = REFERENCES[spec.kind]
    if spec.random == "lfsr":
        beats = lfsr.supplied(spec, beats)
    return reference(spec, beats, evaluate) if spec.kind in chain.KINDS else reference(spec, beats)
