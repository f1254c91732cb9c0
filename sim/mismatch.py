# SPDX-License-Identifier: BSD-2-Clause
"""What is told of the first wrong result: operands, expected, got, how far apart, how to replay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from macaw.golden.formats import Book, Fixed, Format, Posit
from macaw.golden.units import Operand, Unit
from macaw.hdl.options.naming import command

from .bench.interface import MARK, Codes

LONGEST_SHOWN = 8  # beats of an accumulation, or lanes, that a message shows


@dataclass(frozen=True, kw_only=True, slots=True)
class Mismatch:
    """The first result that is not what the golden model says.

    Attributes
    ----------
    index : int
        Number of the vector in the run, from 0; of the beat with ``last`` for a sum.
    operands, expected, got : dict of str to str
        Hexadecimal code and value of each input and output. ``got`` is empty if no result came.
    ulp : dict of str to int
        Signed distance of each wrong result from the expected one, in steps between neighbouring
        values of its format; without those that are NaN.
    problem : str
        What is wrong with the handshake, or that an output is X; empty for a wrong value.
    pattern : str
        The pattern of pauses it happened under.
    seed : int
    replay : str
        A command that runs into the same mismatch.
    """

    index: int
    operands: dict[str, str]
    expected: dict[str, str]
    got: dict[str, str]
    ulp: dict[str, int]
    problem: str
    pattern: str
    seed: int
    replay: str

    def to_json(self) -> dict[str, Any]:
        """The fields as a dictionary that :mod:`json` can write."""
        return asdict(self)

    def __str__(self) -> str:
        lines = [f"mismatch at vector {self.index} ({self.pattern}), seed {self.seed}"]
        if self.problem:
            lines.append(f"  {self.problem}")
        lines += [f"  {name:8} {text}" for name, text in self.operands.items()]
        for name, text in self.expected.items():
            got = self.got.get(name, "nothing")
            if got != text or self.problem:
                distance = f"  ({self.ulp[name]:+d} ulp)" if name in self.ulp else ""
                lines += [f"  {name:8} expected {text}", f"  {'':8} got      {got}{distance}"]
        return "\n".join([*lines, f"  replay   {self.replay}"])


def describe(operand: Operand, codes: Any) -> str:
    """Hexadecimal and value of one operand: ``0x3c00 (1.0)``, lanes in brackets from lane 0 on."""
    array = np.atleast_1d(np.asarray(codes))
    digits = -(-operand.format.width // 4)
    values = operand.format.decode(array.astype(operand.format.code_dtype))
    texts = [
        f"0x{int(code):0{digits}x} ({float(value)!r})"
        for code, value in zip(array[:LONGEST_SHOWN], values, strict=False)
    ]
    if len(array) > LONGEST_SHOWN:
        texts.append(f"… {len(array) - LONGEST_SHOWN} more")
    return texts[0] if np.ndim(codes) == 0 else f"[{', '.join(texts)}]"


def position(fmt: Format, code: int) -> int | None:
    """Where a code stands in the order of the format's values; None for NaN.

    Both zeros are 0, and neighbouring values differ by 1.
    """
    if isinstance(fmt, Posit) and code == fmt.nar:
        return None
    if isinstance(fmt, Fixed | Posit):
        negative = fmt.signed and code >> (fmt.width - 1)
        return code - (1 << fmt.width) if negative else code
    if isinstance(fmt, Book):
        ordered = fmt.ordered
        return ordered.index(fmt.values[code]) - (ordered.index(0.0) if fmt.zero else 0)
    magnitude_bits = fmt.exponent + fmt.mantissa
    magnitude = code & ((1 << magnitude_bits) - 1)
    negative = bool(fmt.signed and code >> magnitude_bits)
    largest = fmt.max_code + 1 if fmt.has_inf else fmt.max_code
    lone = fmt.nan_for_negative_zero and negative and not magnitude
    if fmt.has_nan and (magnitude > largest or lone):
        return None
    return -magnitude - (not fmt.zero) if negative else magnitude


def distances(unit: Unit, expected: dict[str, Any], got: dict[str, Any]) -> dict[str, int]:
    """``got - expected`` in ulp, for the scalar results that are numbers and differ."""
    found = {}
    for name, operand in unit.ports.outputs.items():
        if name == "flags" or name not in got or operand.lanes is not None:
            continue
        wanted = position(operand.format, int(expected[name]))
        value = position(operand.format, int(got[name]))
        if wanted is not None and value is not None and wanted != value:
            found[name] = value - wanted
    return found


def beats_of(codes: Codes, row: int) -> tuple[int, int]:
    """First and last input row, inclusive, that result number ``row`` belongs to."""
    if "last" not in codes:
        return row, row
    ends = np.flatnonzero(codes["last"])
    row = min(row, len(ends) - 1)
    return (int(ends[row - 1]) + 1 if row else 0), int(ends[row])


def report(
    unit: Unit,
    codes: Codes,
    expected: Codes,
    *,
    row: int,
    got: dict[str, Any] | None,
    first: int,
    problem: str,
    pattern: str,
    seed: int,
    replay: str,
) -> Mismatch:
    """Put together the :class:`Mismatch` for result number ``row`` of a chunk.

    ``first`` vectors came before the chunk; ``got`` has one code (or row of lanes) per output.
    """
    rows = len(next(iter(expected.values())))
    wanted = {name: column[row] for name, column in expected.items()} if row < rows else {}
    start, end = beats_of(codes, min(row, rows - 1))
    shown = codes.items() if row < rows else ()
    mark = {MARK: Operand(format=Fixed(width=1, signed=False))}
    inputs, outputs = unit.ports.inputs | mark, unit.ports.outputs | mark
    return Mismatch(
        index=first + (end if row < rows else len(next(iter(codes.values())))),
        operands={
            name: describe(
                inputs[name],
                column[start : end + 1].ravel() if unit.accumulates else column[end],
            )
            for name, column in shown
        },
        expected={name: describe(outputs[name], code) for name, code in wanted.items()},
        got={name: describe(outputs[name], code) for name, code in (got or {}).items()},
        ulp=distances(unit, wanted, got) if got and wanted else {},
        problem=problem,
        pattern=pattern,
        seed=seed,
        replay=replay,
    )


def replay_command(
    unit: Unit,
    implementation: Any,
    *,
    simulator: str,
    vectors: int,
    seed: int,
    exhaustive: bool = False,
    stalls: bool = True,
    more: Sequence[str] = (),
) -> str:
    """The ``macaw verify`` command line of a run."""
    rest = [*more, "--simulator", simulator]
    rest += ["--exhaustive"] if exhaustive else ["--vectors", str(vectors)]
    rest += [] if stalls else ["--no-stalls"]
    return command("verify", unit, implementation, *rest, "--seed", str(seed))
