# SPDX-License-Identifier: BSD-2-Clause
"""IBM's FPgen test suite for IEEE 754: ``python -m macaw.sim.proof.fpgen FOLDER``.

The suite is not part of macaw: ``FOLDER`` holds its ``*.fptest`` files, for instance a clone of
``sergev/ieee754-test-suite``, whose ``syntax.txt`` says what the lines mean. Results of binary32
operations, and their flags, are compared with the golden model and, with ``--gates``, with the
modules in simulation. The suite detects tininess before rounding; what differs when it is detected
after rounding is counted beside it. Where the suite of 2005 is not IEEE 754-2019, the standard
judges (:func:`amended`), and that is counted too.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import click
import numpy as np

from macaw.golden.errors import MacawError, SpecError
from macaw.golden.formats import Float, format
from macaw.golden.formats.choices import Flag, Rounding
from macaw.golden.units import Unit, unit
from macaw.hdl import generate
from macaw.tools.command import FAILED, PASSED, start

from ..bench import bulk

NUMBER = re.compile(r"([+-])([01])\.([0-9A-F]+)P(-?\d+)")
LINE = re.compile(r"(b32\S+|d\d+\S+) +(=0|=\^|0|<|>) +(?:([xuozi]+) +)?(.*?) *-> *(.*)")
MODES = {"=0": Rounding.RNE, "0": Rounding.RTZ, ">": Rounding.RUP, "<": Rounding.RDN}
MODES["=^"] = Rounding.RNA
RAISED = {"x": Flag.INEXACT, "u": Flag.UNDERFLOW, "o": Flag.OVERFLOW}
RAISED |= {"z": Flag.DIVIDE_BY_ZERO, "i": Flag.INVALID}
NAN, SIGNALLING = 1 << 64, (1 << 64) + 1
"""Stand for any quiet NaN, and any signalling one, where a result is expected."""

_QUIET, _SIGNALLING = 0x7FC00000, 0x7F800001
_CLASSES = {"?-": 0b0000001111, "?n": 0b0001000010, "?f": 0b0001111110, "?0": 0b0000011000}
_CLASSES |= {"?s": 0b0000100100, "?i": 0b0010000001, "?N": 0b1100000000, "?sN": 0b0100000000}


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """How an operation of the suite is one of ours.

    Attributes
    ----------
    name : str
        As people know it.
    spec : Unit
        Its inputs take the suite's operands in order.
    repeated : bool
        The second operand is the first one again.
    classes : int, optional
        Bits of the class (:class:`macaw.golden.units.Classify`) for which the answer is yes.
    """

    name: str
    spec: Unit
    repeated: bool = False
    classes: int | None = None


def operations(tininess: str) -> dict[str, Operation]:
    """Return the operations of the suite that macaw has units for, by the suite's word."""
    flags: dict[str, Any] = {"rounding": "dynamic", "flags": True, "tininess": tininess}
    fp32: dict[str, Any] = {"a": "fp32"}
    found = {
        "+": Operation(name="add", spec=unit("add", **fp32, **flags)),
        "-": Operation(name="subtract", spec=unit("add", **fp32, subtract=True, **flags)),
        "*": Operation(name="multiply", spec=unit("mul", **fp32, **flags)),
        "*+": Operation(name="fused multiply-add", spec=unit("fma", **fp32, out="fp32", **flags)),
        "/": Operation(name="divide", spec=unit("div", **fp32, **flags)),
        "V": Operation(name="square root", spec=unit("sqrt", **fp32, **flags)),
        "<C": Operation(name="minNum", spec=unit("minimum", **fp32, number=True, flags=True)),
        ">C": Operation(name="maxNum", spec=unit("maximum", **fp32, number=True, flags=True)),
        "b64cff": Operation(
            name="convert to binary64", spec=unit("cast", **fp32, out="fp64", **flags)
        ),
    }
    signs = {"cp": ("copy", "copy"), "~": ("negate", "negate"), "A": ("abs", "xor")}
    for word, (name, operation) in signs.items():
        spec = unit("copy-sign", **fp32, operation=operation)
        found[word] = Operation(name=name, spec=spec, repeated=True)
    names = ("isSignMinus", "isNormal", "isFinite", "isZero")
    names += ("isSubnormal", "isInfinite", "isNaN", "isSignaling")
    for name, (word, bits) in zip(names, _CLASSES.items(), strict=True):
        found[word] = Operation(name=name, spec=unit("classify", **fp32), classes=bits)
    return found


@dataclass(kw_only=True, slots=True)
class Vectors:
    """Vectors of one operation; rows of the lists belong together.

    Attributes
    ----------
    places : list of str
        ``file:line``.
    operands : list of list of int
        Codes.
    modes : list of int
        Codes of the ``rm`` port.
    results : list of int
        Codes, :data:`NAN` or :data:`SIGNALLING` for any such NaN; of questions 0 or 1.
    flags : list of int
    """

    places: list[str] = field(default_factory=list)
    operands: list[list[int]] = field(default_factory=list)
    modes: list[int] = field(default_factory=list)
    results: list[int] = field(default_factory=list)
    flags: list[int] = field(default_factory=list)


@dataclass(kw_only=True, slots=True)
class Row:
    """What was found of one operation.

    Attributes
    ----------
    operation : str
    vectors : int
    golden : int
        Vectors whose result or flags differ in the golden model.
    gates : int, optional
        The same of the module in simulation; None if not asked for, and where there is none.
    after : int
        Vectors whose flags differ where tininess is detected after rounding.
    first : str, optional
        The first difference.
    """

    operation: str
    vectors: int
    golden: int
    gates: int | None
    after: int
    first: str | None = None


def code_of(text: str, fmt: Float) -> int:
    """Return the code of an operand or result; a signalling NaN has a code of its own.

    MacawError for text that the suite's syntax does not have, or a number that ``fmt`` has not.
    """
    if text in ("Q", "S"):
        return _QUIET if text == "Q" else _SIGNALLING
    sign = int(text.startswith("-")) << (fmt.width - 1)
    if text[1:] in ("Zero", "Inf"):
        return sign | (0 if text[1:] == "Zero" else fmt.inf_code or 0)
    if not (match := NUMBER.fullmatch(text)):
        raise MacawError(f"{text}: must be a number like +1.400000P-28, +Zero, -Inf, Q or S")
    _, whole, digits, power = match.groups()
    # Of binary32 the 23 bits after the point are written as one number of six digits.
    bits = fmt.mantissa if len(digits) == 6 else 4 * len(digits)
    value = (int(whole) + Fraction(int(digits, 16), 1 << bits)) * Fraction(2) ** int(power)
    exponent = max(int(power), fmt.emin)
    fraction = value / Fraction(2) ** (exponent - fmt.mantissa)
    if fraction.denominator != 1 or fraction >= 2 << fmt.mantissa or exponent > fmt.emax:
        raise MacawError(f"{text}: is no number of {fmt.name}")
    return sign | ((exponent + fmt.bias - 1) << fmt.mantissa) + int(fraction)


@dataclass(kw_only=True, slots=True)
class Suite:
    """The vectors by operation; how many lines are left out, or judged otherwise, by reason."""

    vectors: dict[str, Vectors] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    amended: Counter[str] = field(default_factory=Counter)


def read(folder: Path, known: dict[str, Operation]) -> Suite:
    """Return the suite in ``folder``.

    Left out are operations without a unit, and lines whose result is another one because an
    exception is trapped. MacawError for a folder without such files, and lines of another syntax.
    """
    files = sorted(folder.glob("*.fptest"))
    if not files:
        raise MacawError(f"FOLDER={folder}: must have files *.fptest of IBM's FPgen suite")
    suite = Suite()
    for file in files:
        for number, line in _lines(file):
            try:
                _take(suite, known, f"{file.name}:{number}", line)
            except MacawError as error:
                raise MacawError(f"{file.name}:{number}: {error}") from None
    return suite


def _take(suite: Suite, known: dict[str, Operation], place: str, line: str) -> None:
    match = LINE.fullmatch(line)
    if match is None:
        raise MacawError(f"{line!r} is no test of the suite")
    word, mode, traps, text, rest = match.groups()
    name = word.removeprefix("b32")
    operands, (result, _, letters) = text.split(), rest.partition(" ")
    raised = set(letters.strip())
    if raised - set(RAISED):
        raise MacawError(f"{letters.strip()}: flags must be of {''.join(RAISED)}")
    if word.startswith("d") or name not in known:
        why = "decimal operations" if word.startswith("d") else f"{name}: no such unit"
        suite.left_out[why] += 1
        return
    if result == "#" or set(traps or "") & raised & set("uo"):
        suite.left_out["results of a trapped exception"] += 1
        return
    if name == "?-" and operands in (["Q"], ["S"]):
        suite.left_out["sign of a NaN, which the suite does not write"] += 1
        return
    result, raised, why = amended(name, operands, result, raised)
    suite.amended.update([why] if why else [])
    vectors = suite.vectors.setdefault(name, Vectors())
    _append(vectors, known[name], operands, result)
    vectors.places.append(place)
    vectors.modes.append(MODES[mode].code)
    vectors.flags.append(sum(RAISED[letter] for letter in raised))


def amended(
    name: str, operands: list[str], result: str, raised: set[str]
) -> tuple[str, set[str], str | None]:
    """Return result and flags as IEEE 754-2019 has them, and a reason if the suite has others.

    A signalling NaN is invalid, wherever it stands (6.2); minimumNumber and maximumNumber take the
    number beside one (9.6).
    """
    if name in ("<C", ">C") and "S" in operands:
        rest = [text for text in operands if text not in ("Q", "S")]
        number = rest[0] if rest else "Q"
        if (number, {"i"}) != (result, raised):
            return number, {"i"}, "minNum of a signalling NaN is that NaN: the number beside it"
    elif "S" in operands and name in ("+", "-", "*", "/", "*+") and "i" not in raised:
        return result, raised | {"i"}, "a signalling NaN behind a quiet one is not invalid: it is"
    return result, raised, None


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    text = file.read_text(encoding="latin-1")
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and "->" in line:
            yield number, line.strip()


def _append(vectors: Vectors, operation: Operation, operands: list[str], result: str) -> None:
    fp32 = format("fp32")
    assert isinstance(fp32, Float)
    codes = [code_of(text, fp32) for text in operands]
    codes += codes * operation.repeated
    takes = [name for name in operation.spec.ports.inputs if name != "rm"]
    if len(codes) != len(takes):
        raise MacawError(f"{' '.join(operands)}: must be {len(takes)} operands")
    vectors.operands.append(codes)
    if operation.classes is not None:
        if result not in ("0x0", "0x1"):
            raise MacawError(f"{result}: must be 0x0 or 0x1, the answer to a question")
        vectors.results.append(int(result, 16))
    elif result in ("Q", "S"):
        vectors.results.append(NAN if result == "Q" else SIGNALLING)
    else:
        out = operation.spec.ports.outputs["r"].format
        assert isinstance(out, Float)
        vectors.results.append(code_of(result, out))


def differing(operation: Operation, vectors: Vectors, got: dict[str, np.ndarray]) -> np.ndarray:
    """Return where results (first column) and flags (second) are not what the suite has."""
    codes, want = got["r"].tolist(), vectors.results
    if operation.classes is not None:
        pairs = zip(codes, want, strict=True)
        wrong = np.array([bool(code & operation.classes) != answer for code, answer in pairs])
        return np.stack([wrong, np.zeros_like(wrong)], axis=1)
    out = operation.spec.ports.outputs["r"].format
    assert isinstance(out, Float)
    wrong = np.array([meant(code, out) != other for code, other in zip(codes, want, strict=True)])
    flags = got["flags"] != np.array(vectors.flags) if "flags" in got else np.zeros_like(wrong)
    return np.stack([wrong, flags], axis=1)


def meant(code: int, fmt: Float) -> int:
    """Return ``code``, or what stands for its kind of NaN."""
    assert fmt.inf_code is not None
    if code & ((1 << (fmt.width - 1)) - 1) <= fmt.inf_code:
        return code
    return NAN if code >> (fmt.mantissa - 1) & 1 else SIGNALLING


def operands_of(operation: Operation, vectors: Vectors) -> dict[str, np.ndarray]:
    """Return the vectors' operands by input."""
    columns = np.array(vectors.operands, np.uint64).T
    inputs = operation.spec.ports.inputs
    names = [name for name in inputs if name != "rm"]
    found = dict(zip(names, columns, strict=True))
    if "rm" in inputs:
        found["rm"] = np.array(vectors.modes, np.uint64)
    return {name: array.astype(inputs[name].format.code_dtype) for name, array in found.items()}


def judge(
    folder: Path, *, gates: bool = False, tell: Callable[[str], None] = lambda text: None
) -> tuple[list[Row], Suite]:
    """Compare the suite in ``folder`` with golden model and gates.

    Returns a row an operation, and the suite. MacawError for a folder that is none.
    """
    before, after = operations("before"), operations("after")
    suite = read(folder, before)
    found = suite.vectors
    rows = []
    for done, (word, vectors) in enumerate(found.items(), 1):
        operation = before[word]
        tell(f"[{done}/{len(found)}] {operation.name}: {len(vectors.places)} vectors")
        codes = operands_of(operation, vectors)
        golden = differing(operation, vectors, operation.spec.evaluate(**codes))
        late = differing(after[word], vectors, after[word].spec.evaluate(**codes))
        simulated = None
        if gates and (results := simulate(operation.spec, codes)) is not None:
            simulated = differing(operation, vectors, results)
        where = golden if simulated is None else golden | simulated
        first = np.flatnonzero(where.any(axis=1))
        rows.append(
            Row(
                operation=operation.name,
                vectors=len(vectors.places),
                golden=int(golden.any(axis=1).sum()),
                gates=None if simulated is None else int(simulated.any(axis=1).sum()),
                after=int(late.any(axis=1).sum()),
                first=vectors.places[first[0]] if len(first) else None,
            )
        )
    return rows, suite


def simulate(spec: Unit, codes: dict[str, np.ndarray]) -> dict[str, np.ndarray] | None:
    """Return the results of the module of two stages; None if gates do not take the unit."""
    try:
        design = generate(spec, stages=2)
    except SpecError:
        return None
    with bulk.Model.of(design) as model:
        results, problem = model.run(codes)
    if problem is not None:
        raise MacawError(f"{spec.name}: {problem}")
    return results


def table(rows: list[Row], suite: Suite) -> str:
    """Rows for a terminal."""
    lines = [
        f"{'operation':22} {'vectors':>8} {'golden':>7} {'gates':>6} {'tiny after':>11}  first"
    ]
    for row in rows:
        gates = "-" if row.gates is None else row.gates
        lines.append(
            f"{row.operation:22} {row.vectors:8,} {row.golden:7} {gates:>6} {row.after:11}  "
            f"{row.first or ''}"
        )
    total = sum(row.vectors for row in rows)
    wrong = sum(row.golden + (row.gates or 0) for row in rows)
    lines.append(f"{total:,} vectors, {f'{wrong} DIFFERENT' if wrong else 'none different'}")
    lines += [f"amended: {count:,}, {reason}" for reason, count in suite.amended.most_common()]
    lines += [f"left out: {count:,}, {reason}" for reason, count in suite.left_out.most_common()]
    return "\n".join(lines)


@click.command(
    help=f"{__doc__}\n\nExample: python -m macaw.sim.proof.fpgen ieee754-test-suite --gates",
)
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--gates", is_flag=True, help="Simulate the modules too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def main(folder: Path, gates: bool, as_json: bool) -> int:
    """Judge the suite and print what was found."""
    rows, suite = judge(folder, gates=gates, tell=lambda text: click.echo(text, err=True))
    if as_json:
        found = {"operations": [asdict(row) for row in rows]}
        found |= {"amended": dict(suite.amended), "left_out": dict(suite.left_out)}
        click.echo(json.dumps(found, indent=1))
    else:
        click.echo(table(rows, suite))
    return FAILED if any(row.golden or row.gates for row in rows) else PASSED


if __name__ == "__main__":
    start(main)
