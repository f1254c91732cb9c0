# SPDX-License-Identifier: BSD-2-Clause
"""A floating-point unit: one operation of many, chosen by an operand."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..arithmetic.operands import Operand
from ..arithmetic.projection import check_tininess
from ..errors import SpecError, did_you_mean
from ..formats.choices import Rounding, Tininess
from ..formats.scalar import Fixed, Float, Specials, Subnormals
from .comparison import Classify, Compare, CopySign, Maximum, Minimum
from .elementwise import Add, Cast, Div, Fma, Mul, Sqrt
from .naming import identifier, named, rounding_words
from .specification import ROUNDING, UNSET, Ports, Unit

OPERATIONS = (
    *("add", "sub", "mul", "madd", "msub", "nmsub", "nmadd", "div", "sqrt"),
    *("sgnj", "sgnjn", "sgnjx", "min", "max", "eq", "lt", "le", "class"),
    *("to-int", "to-uint", "from-int", "from-uint"),
)
"""Words of :class:`Fpu`'s operations; the place of each is its code on the port ``op``."""

FUSED = ("madd", "msub", "nmsub", "nmadd")
TO_INTEGER = ("to-int", "to-uint")
FROM_INTEGER = ("from-int", "from-uint")
COMPARISONS = ("eq", "lt", "le")
_OF_ONE = ("sqrt", "class", *TO_INTEGER)
_TO_X = (*COMPARISONS, "class", *TO_INTEGER)
_OF_INTEGERS = (*_TO_X, *FROM_INTEGER)
_ROUNDED = ("add", "sub", "mul", *FUSED, "div", "sqrt", *TO_INTEGER, *FROM_INTEGER)
_INT32 = Fixed(width=32, signed=True)
_CODE = Fixed(width=5, signed=False)
_CLASSES = 10
_WIDEST = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """How a unit of one operation does one of :class:`Fpu`'s.

    Attributes
    ----------
    unit : Unit
    operands : dict of str to str
        The port of :class:`Fpu` for each of the unit's.
    negated : tuple of str
        Those ports of :class:`Fpu` whose sign is turned.
    """

    unit: Unit
    operands: dict[str, str]
    negated: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Fpu(Unit):
    """Floating-point unit: operand ``op`` says what is computed, as RISC-V's F and Zfh have it.

    Codes of ``op``, with results in ``r``: 0 ``add``, 1 ``sub``, 2 ``mul``, 3 ``madd`` a * b + c,
    4 ``msub`` a * b - c, 5 ``nmsub`` c - a * b, 6 ``nmadd`` -a * b - c, 7 ``div``, 8 ``sqrt``,
    sign injections 9 ``sgnj``, 10 ``sgnjn``, 11 ``sgnjx``, 12 ``min``, 13 ``max``; with integers
    in ``rx``: comparisons 14 ``eq``, 15 ``lt``, 16 ``le``, 17 ``class``, conversions 18 ``to-int``,
    19 ``to-uint``; and with a result in ``r`` again conversions of the integer ``x``, 20
    ``from-int``, 21 ``from-uint``. The result that an operation does not have is 0, and so is all
    of a code that is none of ``operations``. Moves are no operation: they change no bit.
    ``flags`` are five (:class:`Flag`). RISC-V's unprivileged ISA manual, chapters F and Zfh.

    Parameters
    ----------
    a : Float
        With IEEE's infinities, NaN and subnormal numbers, of at most 32 bits.
    integer : Fixed
        What ``to-int`` and ``from-int`` convert to and from; the other two convert unsigned
        integers of that width.
    operations : str or list of str
        ``all``, or words with commas between them: those that there are, or each with a ``-`` in
        front of it those that there are not.
    rounding : Rounding
        ``dynamic`` is by the operand ``rm``. To odd as well, but not stochastic.
    tininess : Tininess
        As of :class:`Mul`.
    """

    kind: ClassVar[str] = "fpu"

    a: Float = UNSET
    integer: Fixed = UNSET
    operations: str = "all"
    rounding: Rounding = Rounding.DYNAMIC
    tininess: Tininess = Tininess.AFTER

    def __post_init__(self) -> None:
        if self.integer is None:
            self._set("integer", _INT32)
        Unit.__post_init__(self)
        self._formats(a=None, integer=None)
        _check_float(self.a)
        self._set("operations", _settled(self.operations))
        self._check_integer()
        self._set("tininess", Tininess.parse(self.tininess, "tininess"))
        check_tininess(self.a, self.tininess, flags=True)
        if self.rounding.stochastic:
            raise SpecError(f"rounding={self.rounding}: fpu takes no random words")
        # What nothing looks at is as usual.
        if not {*_ROUNDED} & {*self.listed}:
            self._set("rounding", Rounding.DYNAMIC)
        if not {*_OF_INTEGERS} & {*self.listed}:
            self._set("integer", _INT32)
        if self.overflow is not None:
            raise SpecError(f"overflow={self.overflow}: fpu has IEEE's rule alone; must be default")

    def _check_integer(self) -> None:
        fmt = self.integer
        plain = isinstance(fmt, Fixed) and fmt.signed and not fmt.fraction and not fmt.symmetric
        if not plain:
            raise SpecError(f"integer={fmt.name}: must be a signed integer format, as int32")
        if "class" in self.listed and fmt.width < _CLASSES:
            raise SpecError(
                f"integer={fmt.name}: must have {_CLASSES} bits or more; class gives so many"
            )

    @property
    def listed(self) -> tuple[str, ...]:
        """The operations that there are, in the order of their codes."""
        return _listed(self.operations)

    @property
    def unsigned(self) -> Fixed:
        """The unsigned integers of the width of :attr:`integer`."""
        return Fixed(width=self.integer.width, signed=False)

    def code(self, operation: str) -> int:
        """Return the code of an operation on the port ``op``."""
        return OPERATIONS.index(operation)

    @property
    def ports(self) -> Ports:
        listed = set(self.listed)
        inputs = {"op": Operand(format=_CODE)}
        if listed - {*FROM_INTEGER}:
            inputs["a"] = Operand(format=self.a)
        if listed - {*_OF_ONE, *FROM_INTEGER}:
            inputs["b"] = Operand(format=self.a)
        if listed & {*FUSED}:
            inputs["c"] = Operand(format=self.a)
        if listed & {*FROM_INTEGER}:
            inputs["x"] = Operand(format=self.integer)
        outputs = {}
        if listed - {*_TO_X}:
            outputs["r"] = Operand(format=self.a)
        if listed & {*_TO_X}:
            outputs["rx"] = Operand(format=self.integer)
        outputs["flags"] = Operand(format=Fixed(width=5, signed=False))
        control = self._control() if {*_ROUNDED} & listed else {}
        return Ports(inputs=inputs | control, outputs=outputs)

    @property
    def macs(self) -> int:
        return int(bool({"mul", *FUSED} & {*self.listed}))

    @property
    def multiplied(self) -> tuple[str, ...]:
        return tuple(name for name in "ab" if name in self.ports.inputs)

    def operation(self, word: str) -> Operation:
        """Return the unit that does an operation by itself."""
        return _operation(self, word)

    def _compute(self, chunk: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        codes = chunk.pop("op")
        found = {
            name: np.zeros(codes.shape, port.format.code_dtype)
            for name, port in self.ports.outputs.items()
        }
        for word in self.listed:
            where = np.flatnonzero(codes == self.code(word))
            if where.size:
                operands = {name: array[where] for name, array in chunk.items()}
                for name, array in self._computed(word, operands).items():
                    found[name][where] = array
        return found

    def _computed(self, word: str, chunk: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the results of one operation that are not always 0."""
        operation = self.operation(word)
        top = self.a.code_dtype.type(1 << (self.a.width - 1))
        for name in operation.negated:
            chunk[name] = chunk[name] ^ top
        operands = {name: chunk[port] for name, port in operation.operands.items()}
        got = operation.unit._compute(operands)
        found = {"flags": got["flags"]} if "flags" in got else {}
        if word in COMPARISONS:
            less, equal = got["less"], got["equal"]
            return found | {"rx": {"eq": equal, "lt": less, "le": less | equal}[word]}
        return found | {"rx" if word in _TO_X else "r": got["r"]}


def _check_float(fmt: object) -> None:
    name = getattr(fmt, "name", fmt)
    if not isinstance(fmt, Float):
        raise SpecError(f"a={name}: must be a float format")
    if fmt.specials is not Specials.IEEE or not fmt.signed:
        raise SpecError(f"a={name}: must have a sign, and infinities and NaN as IEEE has them")
    if fmt.subnormals is not Subnormals.GRADUAL:
        raise SpecError(f"a={name}: must have subnormal numbers")
    if fmt.width > _WIDEST:
        raise SpecError(f"a={name}: must have at most {_WIDEST} bits")
    if not fmt.emin <= 0 <= fmt.emax:
        raise SpecError(f"a={name}: must have 1 among its normal numbers")


def _listed(operations: str) -> tuple[str, ...]:
    """The operations that a settled text means."""
    words = operations.split(",")
    if operations == "all":
        return OPERATIONS
    if operations.startswith("-"):
        return tuple(word for word in OPERATIONS if f"-{word}" not in words)
    return tuple(words)


def _settled(operations: object) -> str:
    """The shortest text for what is listed. SpecError for words that are no operations."""
    given = operations if isinstance(operations, list | tuple) else [operations]
    text = ",".join(map(str, given))
    words = [word.strip().lower() for word in text.split(",")]
    said = f"operations={text:.60}"
    without = [word.removeprefix("-") for word in words if word.startswith("-")]
    if without and len(without) < len(words):
        raise SpecError(f"{said}: must have - in front of all words or of none")
    if words == ["all"]:
        words = list(OPERATIONS)
    for word in without or words:
        if word not in OPERATIONS:
            known = ", ".join(("all", *OPERATIONS))
            known = f"must be one of {known}, or several, or with - in front those to leave out"
            raise SpecError(f"{said}: {did_you_mean(word, OPERATIONS, known)}")
    kept = [word for word in OPERATIONS if (word in words or without) and word not in without]
    if not kept:
        raise SpecError(f"{said}: must leave an operation")
    missing = [word for word in OPERATIONS if word not in kept]
    if not missing:
        return "all"
    return ",".join(kept if len(kept) <= len(missing) else [f"-{word}" for word in missing])


@functools.lru_cache(maxsize=1024)
def _operation(spec: Fpu, word: str) -> Operation:
    a, control = spec.a, {"rm": "rm"} if spec.rounding is Rounding.DYNAMIC else {}
    rounded: dict[str, Any] = {
        "rounding": spec.rounding,
        "flags": True,
        "tininess": spec.tininess,
    }
    one, two, three = ({name: name for name in names} for names in ("a", "ab", "abc"))
    whole = spec.unsigned if word.endswith("uint") else spec.integer
    match word:
        case "add" | "sub":
            return Operation(
                unit=Add(a=a, subtract=word == "sub", **rounded), operands=two | control
            )
        case "mul":
            return Operation(unit=Mul(a=a, **rounded), operands=two | control)
        case "madd" | "msub" | "nmsub" | "nmadd":
            turned = {"madd": (), "msub": ("c",), "nmsub": ("a",), "nmadd": ("a", "c")}[word]
            fma = Fma(a=a, out=a, **rounded)
            return Operation(unit=fma, operands=three | control, negated=turned)
        case "div":
            return Operation(unit=Div(a=a, **rounded), operands=two | control)
        case "sqrt":
            return Operation(unit=Sqrt(a=a, **rounded), operands=one | control)
        case "to-int" | "to-uint":
            rounded["tininess"] = Tininess.AFTER
            return Operation(unit=Cast(a=a, out=whole, **rounded), operands=one | control)
        case "from-int" | "from-uint":
            cast = Cast(a=whole, out=a, **rounded)
            return Operation(unit=cast, operands={"a": "x"} | control)
        case "sgnj" | "sgnjn" | "sgnjx":
            how = {"sgnj": "copy", "sgnjn": "negate", "sgnjx": "xor"}[word]
            return Operation(unit=CopySign(a=a, operation=how), operands=two)
        case "min":
            return Operation(unit=Minimum(a=a, number=True, flags=True), operands=two)
        case "max":
            return Operation(unit=Maximum(a=a, number=True, flags=True), operands=two)
        case "class":
            return Operation(unit=Classify(a=a), operands=one)
    return Operation(unit=Compare(a=a, flags=True, signaling=word != "eq"), operands=two)


def _words(spec: Fpu) -> list[str]:
    words = [] if spec.integer.name == "int32" else [identifier(spec.integer)]
    if spec.operations != "all":
        for word in spec.operations.split(","):
            words.append(f"no_{word[1:]}" if word.startswith("-") else word)
    dynamic = spec.rounding is Rounding.DYNAMIC
    words += [] if dynamic else [*rounding_words(spec)] or [Rounding.RNE.value]
    words += [] if spec.tininess is Tininess.AFTER else [f"tiny_{spec.tininess}"]
    return [word.replace("-", "_") for word in words]


named(Fpu, words=_words, overflow=lambda spec: None, last=(*ROUNDING, "tininess"))
