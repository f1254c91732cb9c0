# SPDX-License-Identifier: BSD-2-Clause
"""The head of a second description: a module with the ports of a unit of one result."""

from __future__ import annotations

from macaw.golden.units import Unit

MODULE = "macaw_plain"


def head(unit: Unit) -> list[str]:
    """Its first lines, behind which what is assigned to ``o_r`` follows."""
    ports = [f"input [{port.width - 1}:0] i_{name}" for name, port in unit.ports.inputs.items()]
    result = f"output reg [{unit.ports.outputs['r'].width - 1}:0] o_r"
    return [
        "/* verilator lint_off WIDTH */ /* verilator lint_off CMPCONST */",
        f"module {MODULE}({', '.join([*ports, result])});",
    ]
