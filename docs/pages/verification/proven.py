# SPDX-License-Identifier: BSD-2-Clause
"""docs/proven.md: what is proven for all inputs, how, in which time; and what is open."""

from collections import Counter
from typing import Any

from benchmarks.studies.formal.planted import COMMAND as PLANTING
from benchmarks.studies.proven import COMMAND
from macaw.sim.proof.mutants.planted import WAYS

from ..markdown import table

Row = dict[str, Any]
METHODS = ("exhaustive", "symfpu", "plain")
ROUNDINGS = ("rne", "rna", "rtz", "rup", "rdn", "rod", "dynamic")
GROUPS = {
    "mul": "Products",
    "add": "Sums",
    "subtract": "Differences",
    "flags": "With flags",
    "fma": "Fused multiply-adds",
    "cast": "Conversions",
    "stages": "Pipelines and streams",
    "buses": "Buses, and streams with a registered ready",
    "dot": "Dot products",
    "requantize": "Requantisation",
    "quantize": "Quantisation of blocks",
    "blocks": "Dot products of blocks",
    "integers": "Integers",
    "state": "Units with a state",
    "dynamic": "The rounding as an operand",
    "netlist": "What synthesis makes of them",
    "order": "Order and class",
    "symfpu": "Against the model of IEEE 754 that others wrote",
}
INTRODUCTION = f"""\
# What is proven for all inputs

Each line is a unit whose Verilog was proven to compute what the golden model says, bit for bit, for
every combination of operand codes; a pipeline besides at any pauses and stalls, without end.
[How](verification.md#for-all-inputs) is named: `exhaustive` simulated all combinations, `symfpu`
and `plain` are equivalence with a second description, decided by ABC; `stages` is what a pipeline
has besides. Cells are seconds of simulating or deciding, without building; *open* is not proven.

`make prove` tries the list again where anything changed, as does
`python -m macaw.sim.proof.prove --only 'formal/*'`; one unit is
`macaw verify UNIT … --formal`. The tables are of the last run that was recorded, by
`{COMMAND}`, with {{tools}}. The list is
[sim/proof/formal/listed.py](../sim/proof/formal/listed.py).
"""


PLANTED = f"""\
A method that proves wrong gates is none. So bugs are planted, in the Verilog of a unit or in
macaw's sources, and the method that claims such a unit must refute each, by operands on which
simulation then shows a wrong result. The list is
[planted.json](../sim/proof/mutants/listed/planted.json): operators, constants, bits and arms
exchanged, ties rounded up, registers enabled or set wrongly, operands beside their place, a skid
buffer that is never full. `python -m macaw.sim.proof.mutants.planted` plants them all. Seconds are
of whole proofs, as `{PLANTING}` recorded them.
"""


def page(found: dict[str, Any], planted: dict[str, Any]) -> str:
    """The Markdown page, of what is proven and of what is refuted."""
    groups: dict[str, list[Row]] = {}
    for row in found["rows"]:
        groups.setdefault(_group(row), []).append(row)
    parts = [INTRODUCTION.format(tools=" and ".join(found["tools"])), _counts(groups)]
    for name, rows in groups.items():
        listed = _conversions(rows) if name == "cast" else _roundings(rows)
        parts.append(f"## {GROUPS.get(name, name)}\n\n{listed}")
    parts.append(f"## Open\n\n{_open(found['rows'])}")
    parts.append(f"## Planted bugs\n\n{PLANTED}\n{_planted(planted['rows'])}")
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _group(row: Row) -> str:
    return row["claim"].split("/")[1]


def _method(row: Row) -> str:
    """How it was proven, or tried."""
    return ", ".join(step[0] for step in row["steps"] if step[0] != "none")


def _seconds(row: Row) -> float:
    return sum(step[2] for step in row["steps"])


def _counts(groups: dict[str, list[Row]]) -> str:
    """Proofs of each group by method, and how long they took."""
    every = [row for rows in groups.values() for row in rows]
    lines = [[GROUPS.get(name, name), *_figures(rows)] for name, rows in groups.items()]
    head = ["group", "units", *METHODS, "in stages too", "mapped too", "open", "refuted", "s"]
    return table(head, [*lines, ["in all", *_figures(every)]])


def _figures(rows: list[Row]) -> list[str]:
    n = Counter(row["verdict"] for row in rows)
    n.update(step[0] for row in rows if row["verdict"] == "proven" for step in row["steps"])
    columns = (*METHODS, "stages", "netlist", "open", "refuted")
    seconds = sum(map(_seconds, rows))
    return [f"{len(rows):,}", *(f"{n[column]:,}" for column in columns), f"{seconds:,.0f}"]


def _roundings(rows: list[Row]) -> str:
    """A line for each unit and way of building it, a column for each rounding."""
    columns = [word for word in ROUNDINGS if any(row["rounding"] == word for row in rows)]
    built = any(row["how"] for row in rows)
    lines: dict[tuple[str, str], dict[str, Row]] = {}
    for row in rows:
        lines.setdefault((row["unit"], row["how"]), {})[row["rounding"]] = row
    head = ["unit", *(["built"] if built else []), "method", "codes", *columns]
    made = []
    for (spec, how), cells in lines.items():
        methods = dict.fromkeys(_method(row) for row in cells.values() if _method(row))
        bits = next(iter(cells.values()))["bits"]
        line = [f"`{spec}`", *([how or "-"] if built else [])]
        line += ["; ".join(methods) or "-", f"2^{bits}"]
        made.append([*line, *(_cell(cells.get(word)) for word in columns)])
    return table(head, made, left=3 if built else 2)


def _cell(row: Row | None) -> str:
    if row is None:
        return ""
    return _time(_seconds(row)) if row["verdict"] == "proven" else f"*{row['verdict']}*"


def _time(seconds: float) -> str:
    return f"{seconds:.2g}" if seconds < 10 else f"{seconds:.0f}"


def _conversions(rows: list[Row]) -> str:
    """Sources down, results across: in how many roundings a conversion is proven."""
    cells: dict[str, dict[str, list[Row]]] = {}
    for row in rows:
        words = dict(word.split("=") for word in row["unit"].split()[1:])
        made = cells.setdefault(words["a"], {})
        made.setdefault(words.get("out", words["a"]), []).append(row)
    results = list(dict.fromkeys(out for made in cells.values() for out in made))
    head = ["from", "method", *(f"`{out}`" for out in results)]
    lines = []
    for name, made in cells.items():
        methods = dict.fromkeys(_method(r) for each in made.values() for r in each if _method(r))
        line = [_proven(made.get(out, [])) for out in results]
        lines.append([f"`{name}`", "; ".join(methods) or "-", *line])
    words = "In each place the number of roundings in which a conversion is proven, of how many."
    return f"{words}\n\n{table(head, lines, left=2)}"


def _proven(rows: list[Row]) -> str:
    if not rows:
        return ""
    return f"{sum(row['verdict'] == 'proven' for row in rows)} of {len(rows)}"


def _open(rows: list[Row]) -> str:
    """What is not proven, and why."""
    lines: dict[tuple[str, ...], Counter[str]] = {}
    for row in rows:
        if row["verdict"] != "proven":
            key = (row["unit"], row["how"] or "-", _method(row) or "-", row["verdict"])
            seconds = _seconds(row)
            why = f"{row['reason']} after {_time(seconds)} s" if seconds else row["reason"]
            lines.setdefault((*key, why), Counter())[row["rounding"]] += 1
    if not lines:
        return "Nothing of the list."
    made = [[f"`{key[0]}`", ", ".join(words), *key[1:]] for key, words in lines.items()]
    head = ["unit", "roundings", "built", "method", "verdict", "why"]
    return table(head, made, left=len(head))


def _planted(rows: list[Row]) -> str:
    """How many bugs of each kind are refuted, and what it took."""
    groups = {way.title: [row for row in rows if row["by"] == by] for by, way in WAYS.items()}
    made = []
    for title, found in [*groups.items(), ("in all", rows)]:
        refuted = sum(row["refuted"] for row in found)
        longest = max((row["seconds"] for row in found), default=0.0)
        seconds = sum(row["seconds"] for row in found)
        counts = [f"{len(found):,}", f"{refuted:,}"]
        made.append([title, *counts, f"{seconds:,.0f}", f"{longest:,.0f}"])
    lines = [table(["method", "planted", "refuted", "s", "longest"], made)]
    lines += [f"\nNot refuted: `{row['bug']}`." for row in rows if not row["refuted"]]
    return "\n".join(lines)
