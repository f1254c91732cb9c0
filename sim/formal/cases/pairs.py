# SPDX-License-Identifier: BSD-2-Clause
"""The factors of a product, each of a format of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from macaw.golden.formats import Float
from macaw.golden.formats.scalar import Specials, Subnormals

from .numbers import Case, Class, Kind, Numbers

_FAR = 3
"""Places below the last one of a result from which on a product is only above zero."""


def understood(fmt: Float) -> bool:
    """Whether cases say of a format which of its codes are numbers."""
    kinds = (fmt.specials, fmt.subnormals)
    return kinds == (Specials.IEEE, Subnormals.GRADUAL) and fmt.signed and fmt.zero


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair(Numbers):
    """Two factors, and a result of the format ``fmt``."""

    formats: tuple[Float, Float]
    product: bool = True

    def format(self, name: str) -> Float:
        """That of a factor."""
        return self.formats[self.names.index(name)]

    def cases(self) -> Iterator[Case]:
        """What both factors are; one case of two that are so small that nothing counts."""
        small = sum(fmt.emin for fmt in self.formats) <= self.fmt.quantum - _FAR
        both = (Class.SUBNORMAL, Class.SUBNORMAL)
        for kinds in itertools.product(*map(self._kinds, self.formats)):
            if not small or not all(isinstance(kind, int) for kind in kinds):
                yield Case(kinds=dict(zip(self.names, kinds, strict=True)))
        if small:
            yield Case(kinds=dict(zip(self.names, both, strict=True)))

    def _kinds(self, fmt: Float) -> list[Kind]:
        return [Class.SPECIAL, Class.ZERO, Class.NORMAL, *range(1, fmt.mantissa + 1)]
