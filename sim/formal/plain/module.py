# SPDX-License-Identifier: BSD-2-Clause
"""The head of a second description: a module with the ports of a unit, and its words."""

from __future__ import annotations

from dataclasses import dataclass, field

from macaw.golden.formats import Float
from macaw.golden.units import Unit

MODULE = "macaw_plain"
FP32 = Float(exponent=8, mantissa=23)


@dataclass(frozen=True, kw_only=True, slots=True)
class Factor:
    """A number that is multiplied: its format, and the parts of its code from the last bit on.

    A part is (a port of the unit or a word, the first bit of it, how many).
    """

    fmt: Float
    parts: tuple[tuple[str, int, int], ...]


@dataclass(kw_only=True, slots=True)
class Words:
    """Words between the operands and the results, which the gates have as well.

    Attributes
    ----------
    called : dict of str to str
        What the gates call a word, by its name in the description, one after another: each follows
        from operands and words before it.
    products : dict of str to pair of Factor
        The words that are products of two numbers with many digits.
    """

    called: dict[str, str] = field(default_factory=dict)
    products: dict[str, tuple[Factor, Factor]] = field(default_factory=dict)


def head(unit: Unit) -> list[str]:
    """Its first lines, behind which follows what is assigned to its results, such as ``o_r``."""
    ports = [f"input [{port.width - 1}:0] i_{name}" for name, port in unit.ports.inputs.items()]
    ports += [
        f"output reg [{port.width - 1}:0] o_{name}" for name, port in unit.ports.outputs.items()
    ]
    return [
        "/* verilator lint_off WIDTH */ /* verilator lint_off CMPCONST */",
        f"module {MODULE}({', '.join(ports)});",
    ]
