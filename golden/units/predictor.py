# SPDX-License-Identifier: BSD-2-Clause
"""The unit that finds a tensor's next scale from the largest magnitudes that it had."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..arithmetic.flex import check_flex
from ..arithmetic.operands import Operand, Operands
from ..arithmetic.predictor import TRIES, Predictor
from ..errors import CodeError, SpecError
from ..formats.block import Block
from ..formats.checks import check_integer
from ..formats.scalar import Fixed
from .naming import digits, named, word
from .specification import UNSET, Ports, Unit

_BIT = Fixed(width=1, signed=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class ExponentPredictor(Unit):
    """Autoflex: the scale of a Flexpoint tensor from what was written before, a step per beat.

    ``maximum`` is the largest magnitude of the tensor that was just written and ``scale`` the code
    that it was written with; ``r`` is the code for the next time. The bits are those of
    :class:`macaw.golden.arithmetic.predictor.Predictor`, which says how far they may be from real
    numbers. With ``init=1`` the step is one of initialisation: ``r`` is the code to try next, and
    ``settled=1`` says that the tensor is well scaled, as it is taken to be in all other steps. The
    history then begins anew, as it does after a step with ``end=1``. The first axis of every array
    is the step. Koster et al., NeurIPS 2017 (arXiv 1711.02213), section 3.

    Parameters
    ----------
    out : Block
        A Flexpoint format.
    profile : str
        ``paper`` or ``ngraph``.
    length : int
        Values that the history holds, 2 to 64.
    alpha, beta : int
        Factors of the prediction and of the standard deviation, 1 to 16 and 0 to 14; ``alpha`` is
        2 by default, 1 for ``ngraph``.
    gamma : float, optional
        Last places of headroom, a multiple of 2**-16; ``100 * 2**(N - 16)`` by default.
    precision : int
        Bits of the terms of the prediction, 6 to 20.
    contexts : int
        Tensors, 1 to 64, whose steps come in turn: step i belongs to context ``i % contexts``.
    """

    kind: ClassVar[str] = "autoflex"
    dynamic: ClassVar[bool] = False
    rounds: ClassVar[bool] = False

    out: Block = UNSET
    profile: str = "paper"
    length: int = 16
    alpha: int | None = None
    beta: int = 3
    gamma: float | None = None
    precision: int = 12
    contexts: int = 1

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        self._set("profile", str(self.profile).lower())
        check_integer("contexts", self.contexts, 1, 64)
        if self.out is None:
            raise SpecError(f"{self.kind}: parameter out is missing")
        self._set("out", check_flex("out", self.out))
        predictor = self.predictor
        self._set("out", predictor.format)
        self._set("alpha", predictor.alpha)
        self._set("gamma", predictor.gamma)

    @property
    def predictor(self) -> Predictor:
        """The function that the unit computes."""
        return Predictor(
            format=self.out,
            profile=self.profile,
            length=self.length,
            alpha=self.alpha,
            beta=self.beta,
            gamma=self.gamma,
            precision=self.precision,
        )

    @property
    def stateful(self) -> bool:
        """The history outlives a step."""
        return True

    @property
    def macs(self) -> int:
        return 0

    @property
    def multiplied(self) -> tuple[str, ...]:
        """None of the operands is a factor."""
        return ("maximum",)

    @property
    def ports(self) -> Ports:
        scale = Operand(format=self.out.scale)
        inputs = {
            "maximum": Operand(format=Fixed(width=self.out.element.width, signed=False)),
            "scale": scale,
            "init": Operand(format=_BIT),
            "end": Operand(format=_BIT),
        }
        return Ports(inputs=inputs, outputs={"r": scale, "settled": Operand(format=_BIT)})

    def evaluate(self, **codes: Any) -> dict[str, np.ndarray]:
        """Like :meth:`Unit.evaluate`; the one axis of all arrays is time."""
        operands = Operands.of(self.ports.inputs, codes, self.kind)
        if len(operands.shape) != 1:
            raise CodeError(f"{self.kind}: shape {operands.shape}: must have one axis, the steps")
        results = {
            name: np.empty(operands.count, port.format.code_dtype)
            for name, port in self.ports.outputs.items()
        }
        for number in range(self.contexts):
            turns = operands.every(self.contexts, number)
            for name, values in self._sequence(turns.arrays).items():
                results[name][number :: self.contexts] = values
        return results

    def _sequence(self, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the results of one tensor's steps."""
        predictor = self.predictor
        maximum, scale = (arrays[name].astype(np.int64) for name in ("maximum", "scale"))
        init, end = (arrays[name].astype(bool) for name in ("init", "end"))
        first = np.concatenate([[True], (init | end)[:-1]])
        code, settled = predictor.initial(maximum, scale, self._last_tries(maximum, init, end))
        run = ~init
        code[run] = predictor.follow(maximum[run], scale[run], first[run])
        return {"r": code, "settled": settled | run}

    def _last_tries(self, maximum: np.ndarray, init: np.ndarray, end: np.ndarray) -> np.ndarray:
        """Where a step would be the last of :data:`TRIES` of initialisation without success."""
        predictor = self.predictor
        good = init & (maximum >= predictor.enough) & (maximum < predictor.overflow)
        tries = np.cumsum(init)
        before = np.concatenate([[0], np.where(good | end, tries, 0)[:-1]])
        return (tries - np.maximum.accumulate(before)) % TRIES == 0


_LETTERS = {"length": "l", "alpha": "a", "beta": "b", "gamma": "g", "precision": "p"}


def _words(spec: ExponentPredictor) -> list[str]:
    usual = Predictor(format=spec.out, profile=spec.profile)
    words = word("", spec.profile, "paper")
    for name, letter in _LETTERS.items():
        value = getattr(spec, name)
        words += word(letter, digits(value), digits(getattr(usual, name)))
    return words + word("x", spec.contexts, 1)


named(ExponentPredictor, words=_words)
