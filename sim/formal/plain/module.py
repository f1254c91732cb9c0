# SPDX-License-Identifier: BSD-2-Clause
"""The head of a second description: a module with the ports of a unit."""

from __future__ import annotations

from macaw.golden.units import Unit

MODULE = "macaw_plain"


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
