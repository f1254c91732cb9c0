# SPDX-License-Identifier: BSD-2-Clause
"""What training has beside its sums: the next scale of a tensor, and random words to round with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from ..arithmetic.flex import check_flex
from ..arithmetic.operands import Operand, Operands
from ..arithmetic.predictor import TRIES, Predictor
from ..arithmetic.running.lfsr import FORMS, PRIMITIVE, Register, parse, spell
from ..arithmetic.running.loss_scale import RULES, LossScaler, rooms
from ..errors import SpecError
from ..formats.block import Block
from ..formats.checks import check_boolean, check_integer
from ..formats.scalar import Fixed, Float
from ..formats.texts import fraction
from .naming import digits, identifier, named, signed, word
from .specification import RANDOM, UNSET, Ports, Unit

_BIT = Fixed(width=1, signed=False)
_LANES = 4096


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

    def _evaluate(self, **codes: Any) -> dict[str, np.ndarray]:
        operands = Operands.of(self.ports.inputs, codes, self.kind)
        operands.check_one_axis(self.kind, "must have one axis, the steps")
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Lfsr(Unit):
    """Random words of a linear-feedback shift register, in each beat the next ones.

    The first beat has the seed's words, and so has the one after a beat with ``reseed=1``. Word i
    since then, lane by lane and beat by beat, is the lowest bits of the state after ``i * steps``
    steps from the seed: see :mod:`macaw.golden.arithmetic.running.lfsr`. With a primitive
    polynomial of degree d, which those given by degree are, the register takes all ``2**d - 1``
    states but zero. The first axis of every array is the beat. Golomb, Shift Register Sequences.

    Parameters
    ----------
    width : int
        Bits of a word, 1 to the polynomial's degree.
    polynomial : str or int
        Of the feedback: a degree from 2 to 64, or powers as ``x16+x5+x3+x2+1``.
    form : str
        ``fibonacci`` feeds back to one bit, ``galois`` to one for each term of the polynomial.
    seed : int
        State after reset, any but zero.
    steps : int, optional
        Steps of the register from a word to the next, 1 to 64; by default ``width``, so that
        words share no bits.
    lanes : int
        Words a beat, 1 to 4096. One is a scalar.
    """

    kind: ClassVar[str] = "lfsr"
    dynamic: ClassVar[bool] = False
    rounds: ClassVar[bool] = False

    width: int = 16
    polynomial: str = spell(PRIMITIVE[32])
    form: Literal["fibonacci", "galois"] = "fibonacci"
    seed: int = 1
    steps: int | None = None
    lanes: int = 1

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        polynomial = parse("polynomial", self.polynomial)
        degree = polynomial.bit_length() - 1
        self._set("polynomial", spell(polynomial))
        self._set("form", str(self.form).lower())
        if self.form not in FORMS:
            raise SpecError(f"form={self.form:.60}: must be one of {', '.join(FORMS)}")
        check_integer("width", self.width, 1, degree)
        check_integer("seed", self.seed, 1, (1 << degree) - 1)
        if self.steps is None:
            self._set("steps", self.width)
        check_integer("steps", self.steps, 1, 64)
        check_integer("lanes", self.lanes, 1, _LANES)

    @property
    def register(self) -> Register:
        """The shift register."""
        assert self.steps is not None
        return Register(
            polynomial=parse("polynomial", self.polynomial),
            form=self.form,
            seed=self.seed,
            steps=self.steps,
            width=self.width,
        )

    @property
    def stateful(self) -> bool:
        """The state goes on from beat to beat."""
        return True

    @property
    def macs(self) -> int:
        return 0

    @property
    def multiplied(self) -> tuple[str, ...]:
        """There are no numbers among the operands."""
        return ()

    @property
    def ports(self) -> Ports:
        lanes = None if self.lanes == 1 else self.lanes
        words = Operand(format=Fixed(width=self.width, signed=False), lanes=lanes)
        return Ports(inputs=dict(RANDOM), outputs={"r": words})

    def _evaluate(self, **codes: Any) -> dict[str, np.ndarray]:
        operands = Operands.of(self.ports.inputs, codes, self.kind)
        operands.check_one_axis(self.kind, "must have one axis, the beats")
        words = self.register.drawn(operands.arrays["reseed"], self.lanes)
        out = self.ports.outputs["r"]
        return {"r": words.reshape(-1, *out.tail).astype(out.format.code_dtype)}


@dataclass(frozen=True, kw_only=True, slots=True)
class LossScale(Unit):
    """The next power of two to scale a loss or a layer's gradients with, a step per beat.

    A step with overflows is bad, as is one whose largest magnitude is no finite number: its
    ``skip`` says that it should be left out. ``r`` is the exponent of the scale for the next step,
    by a rule of :mod:`macaw.golden.arithmetic.running.loss_scale`; what it asks of a step are
    counts and the largest magnitude of tensors that were scaled with the exponent before. After a
    step with ``end=1`` it is as after reset. The first axis of every array is the step, or the beat
    where they are ``running``.

    Parameters
    ----------
    rule : str
        ``dynamic`` grows after good steps (PyTorch's GradScaler), ``underflow`` after those in
        which values were lost, ``largest`` follows the largest magnitude.
    a : Float, optional
        Of the largest magnitudes, for ``rule=largest`` alone; their sign means nothing.
    growth_interval : int
        Steps in a row that count before the scale rises, 1 to 65536.
    growth, backoff, init_scale, lowest_scale, highest_scale : str, int or float
        Powers of two, as ``2^16``, ``65536``, ``1/2``: by what the scale rises (not in
        ``rule=largest``) and falls, where it begins, and its limits, from 2^-126 to 2^127.
    allowed : int
        Underflows of a step that ``rule=underflow`` does not care for.
    margin : int
        Binades that ``rule=largest`` leaves above the largest magnitude, 0 to 64.
    bits : int
        Of the counts of overflows and underflows, 1 to 32.
    contexts : int
        Scales, 1 to 64, whose steps come in turn: step i belongs to context ``i % contexts``.
    running : bool
        Counts and magnitudes are those so far, as units with ``statistics`` give them: a step is a
        beat with ``last=1``, and the others are none, and have no result.
    """

    kind: ClassVar[str] = "loss-scale"
    dynamic: ClassVar[bool] = False
    rounds: ClassVar[bool] = False
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({"rule": "largest", "a": "fp16"},)

    a: Float | None = None
    rule: Literal["dynamic", "underflow", "largest"] = "dynamic"
    growth_interval: int = 2000
    growth: str = "2^1"
    backoff: str = "2^-1"
    init_scale: str = "2^16"
    lowest_scale: str = "2^-126"
    highest_scale: str = "2^127"
    allowed: int = 0
    margin: int = 1
    bits: int = 16
    contexts: int = 1
    running: bool = False

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        check_boolean("running", self.running)
        self._set("rule", str(self.rule).lower())
        if self.rule not in RULES:
            raise SpecError(f"rule={self.rule:.60}: must be one of {', '.join(RULES)}")
        if (self.rule == "largest") == (self.a is None):
            given = "none" if self.a is None else getattr(self.a, "name", self.a)
            need = "a float format" if self.a is None else "none"
            raise SpecError(f"a={given!s:.60}: must be {need} with rule={self.rule}")
        if self.a is not None:
            self._formats(a=None)
            if not isinstance(self.a, Float):
                raise SpecError(f"a={self.a.name}: must be a float format")
        check_integer("growth_interval", self.growth_interval, 1, 1 << 16)
        self._power("growth", 1, 64)
        self._power("backoff", -64, -1)
        self._power("lowest_scale", -126, 127)
        self._power("highest_scale", self._exponent("lowest_scale"), 127)
        self._power("init_scale", self._exponent("lowest_scale"), self._exponent("highest_scale"))
        check_integer("bits", self.bits, 1, 32)
        check_integer("allowed", self.allowed, 0, (1 << self.bits) - 1)
        check_integer("margin", self.margin, 0, 64)
        check_integer("contexts", self.contexts, 1, 64)
        for name, rule, default in (("allowed", "underflow", 0), ("margin", "largest", 1)):
            if self.rule != rule and getattr(self, name) != default:
                value = getattr(self, name)
                raise SpecError(f"{name}={value}: must be {default} unless rule={rule}")
        if self.rule == "largest" and self.growth != "2^1":
            raise SpecError(
                f"growth={self.growth}: must be 2^1 with rule=largest, which needs none"
            )

    def _power(self, name: str, low: int, high: int) -> None:
        value = getattr(self, name)
        power = exponent_of_two(value)
        if power is None or not low <= power <= high:
            raise SpecError(
                f"{name}={value!s:.60}: must be a power of two from 2^{low} to 2^{high}"
            )
        self._set(name, f"2^{power}")

    def _exponent(self, name: str) -> int:
        return int(getattr(self, name)[2:])

    @property
    def scaler(self) -> LossScaler:
        """The function that the unit computes, for a training loop in Python."""
        return LossScaler(
            rule=self.rule,
            interval=self.growth_interval,
            growth=self._exponent("growth"),
            backoff=-self._exponent("backoff"),
            allowed=self.allowed,
            margin=self.margin,
            init=self._exponent("init_scale"),
            low=self._exponent("lowest_scale"),
            high=self._exponent("highest_scale"),
            format=self.a,
        )

    @property
    def stateful(self) -> bool:
        """The scale outlives a step."""
        return True

    @property
    def accumulates(self) -> bool:  # type: ignore[override]
        """Whether a step belongs to several beats."""
        return self.running

    @property
    def macs(self) -> int:
        return 0

    @property
    def multiplied(self) -> tuple[str, ...]:
        """None of the operands is a factor."""
        return ()

    @property
    def ports(self) -> Ports:
        count = Operand(format=Fixed(width=self.bits, signed=False))
        inputs = {"overflows": count}
        if self.rule == "underflow":
            inputs["underflows"] = count
        if self.a is not None:
            inputs["largest"] = Operand(format=self.a)
        if self.running:
            inputs["last"] = Operand(format=_BIT)
        inputs["end"] = Operand(format=_BIT)
        exponent = Operand(format=Fixed(width=8, fraction=0, signed=True))
        return Ports(inputs=inputs, outputs={"r": exponent, "skip": Operand(format=_BIT)})

    def _evaluate(self, **codes: Any) -> dict[str, np.ndarray]:
        operands = Operands.of(self.ports.inputs, codes, self.kind)
        operands.check_one_axis(self.kind, "must have one axis, the steps")
        arrays = operands.arrays
        if self.running:
            steps = arrays.pop("last") != 0
            arrays = {name: array[steps] for name, array in arrays.items()}
        bad = arrays["overflows"] != 0
        room = np.zeros(bad.size, np.int64)
        if self.a is not None:
            values = self.a.decode(arrays["largest"])
            finite = np.isfinite(values)
            bad |= ~finite
            room = rooms(np.where(finite, values, 0), self.a.max)
        lost = arrays.get("underflows", room)
        scaler, end = self.scaler, arrays["end"].tolist()
        states = [scaler.start] * self.contexts
        exponents = np.empty(bad.size, np.int8)
        for step, taken in enumerate(zip(bad.tolist(), lost.tolist(), room.tolist(), strict=True)):
            turn = step % self.contexts
            state = scaler.after(states[turn], *taken)
            exponents[step] = state.exponent
            states[turn] = scaler.start if end[step] else state
        return {"r": exponents.view(np.uint8), "skip": bad.astype(np.uint8)}


def exponent_of_two(value: Any) -> int | None:
    """Return k of a number ``2**k``, or of a text that means one; None for any other."""
    text = str(value).replace(" ", "")
    if found := re.fullmatch(r"2(?:\^|\*\*)(-?\d{1,4})", text):
        return int(found[1])
    number = None if isinstance(value, bool) else fraction(text)
    if number is None or number <= 0:
        return None
    over, under = number.numerator, number.denominator
    if over & (over - 1) or under & (under - 1):
        return None
    return over.bit_length() - under.bit_length()


_LETTERS = {"length": "l", "alpha": "a", "beta": "b", "gamma": "g", "precision": "p"}


def _words(spec: ExponentPredictor) -> list[str]:
    usual = Predictor(format=spec.out, profile=spec.profile)
    words = word("", spec.profile, "paper")
    for name, letter in _LETTERS.items():
        value = getattr(spec, name)
        words += word(letter, digits(value), digits(getattr(usual, name)))
    return words + word("x", spec.contexts, 1)


def _lfsr_words(spec: Lfsr) -> list[str]:
    polynomial = parse("polynomial", spec.polynomial)
    degree = polynomial.bit_length() - 1
    usual = polynomial == PRIMITIVE[degree]
    words = word("d", degree, 32) if usual else [f"p{polynomial:x}"]
    words += word("", spec.form, "fibonacci") + word("seed", spec.seed, 1)
    return words + word("steps", spec.steps, spec.width) + word("k", spec.lanes, 1)


named(ExponentPredictor, words=_words)
named(Lfsr, stem=lambda spec: f"lfsr{spec.width}", formats=lambda spec: [], words=_lfsr_words)


def _loss_scale_words(spec: LossScale) -> list[str]:
    words = word("", spec.rule, "dynamic") + word("n", spec.growth_interval, 2000)
    for name, letters, usual in _POWERS:
        power = exponent_of_two(getattr(spec, name))
        words += word(letters, signed(power or 0), signed(usual))
    words += word("allowed", spec.allowed, 0) + word("margin", spec.margin, 1)
    words += word("c", spec.bits, 16) + word("x", spec.contexts, 1)
    return words + (["running"] if spec.running else [])


_POWERS = (
    ("growth", "up", 1),
    ("backoff", "down", -1),
    ("init_scale", "from", 16),
    ("lowest_scale", "min", -126),
    ("highest_scale", "max", 127),
)

named(
    LossScale,
    formats=lambda spec: [] if spec.a is None else [identifier(spec.a)],
    words=_loss_scale_words,
)
