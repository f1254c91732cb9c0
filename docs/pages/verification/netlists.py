# SPDX-License-Identifier: BSD-2-Clause
"""docs/netlists.md: what units are mapped to, run against golden, and what was refused."""

from typing import Any

from benchmarks.errors.netlists import FEW, TARGETS, WAYS, of_every_kind

from ..markdown import table

Cell = dict[str, Any]
INTRODUCTION = f"""\
# What synthesis makes of units, run against golden

Each unit is mapped to `asic` and to `ecp5`, its cells are replaced by their models, and the netlist
is simulated: every result is compared with the golden model's. *Vectors* are rows of operands moved
through it: all codes of units of up to {FEW} bits of operands, of others those that `macaw verify`
[draws](verification.md#stimulus); streams run in several patterns of pauses, which count too. One
unit is `macaw verify UNIT … --netlist TARGET --simulator bulk`; all are

```sh
python -m benchmarks.errors.netlists
```

which runs again what has changed since. A unit for all inputs: [proven.md](proven.md).
"""
HEADS = {"": "Without registers", " stream": "Streams of three stages, with pauses"}
TURNS = """\
Units whose operations take turns (`--digits`) have as many registers as they need; those that keep
something between beats have registers in both tables.
"""


def page(found: dict[str, dict[str, Cell]]) -> str:
    """The Markdown page."""
    parts = [INTRODUCTION, _counts(found)]
    first = of_every_kind()
    for way, head in HEADS.items():
        if not any(target + way in of for of in found.values() for target in TARGETS):
            continue
        parts.append(f"## {head}\n")
        if not way:
            parts.append(TURNS)
        parts.append(_units({row: found[row] for row in found if row in first}, way))
        more = {row: of for row, of in found.items() if row not in first}
        if more:
            parts += ["Of the units that the proof lists:\n", _units(more, way)]
    parts += ["## Mismatches\n", _said(found, "first", "None."), "## Refused\n"]
    parts.append(_said(found, "refused", "None: every cell that these are mapped to has a model."))
    parts += ["## Not run\n", _left(found)]
    return "\n".join(part.strip("\n") + "\n" for part in parts)


def _counts(found: dict[str, dict[str, Cell]]) -> str:
    """By target and way: units, vectors, mismatches, refused."""
    rows = []
    for way in WAYS:
        for target in TARGETS:
            cells = [of[target + way] for of in found.values() if target + way in of]
            if not cells:
                continue
            run = [cell for cell in cells if "refused" not in cell]
            rows.append([
                f"`{target}`",
                HEADS[way].lower(),
                f"{len(run):,}",
                f"{sum(cell['vectors'] for cell in run):,}",
                f"{sum(cell['mismatches'] for cell in run):,}",
                f"{len(cells) - len(run):,}",
            ])  # fmt: skip
    return table(["target", "built", "units run", "vectors", "mismatches", "refused"], rows, 2)


def _units(found: dict[str, dict[str, Cell]], way: str) -> str:
    head = ["unit"]
    for target in TARGETS:
        head += [f"`{target}`: cells", "vectors", "mismatches"]
    rows = []
    for row, of in found.items():
        cells = [of.get(target + way) for target in TARGETS]
        if any(cells):
            rows.append([_name(row), *(text for cell in cells for text in _three(cell))])
    return table(head, rows)


def _three(cell: Cell | None) -> list[str]:
    if not cell:
        return ["-"] * 3
    if "refused" in cell:
        return ["refused", "-", "-"]
    return [f"{cell['cells']:,}", f"{cell['vectors']:,}", str(cell["mismatches"])]


def _said(found: dict[str, dict[str, Cell]], what: str, none: str) -> str:
    lines = [
        f"- {_name(row)}, `{name}`: {cell[what]}"
        for row, of in found.items()
        for name, cell in of.items()
        if what in cell
    ]
    return "\n".join(lines) or none


def _left(found: dict[str, dict[str, Cell]]) -> str:
    """Of the units of every kind those of which there is no record, by how they are built."""
    lines = []
    for way, head in HEADS.items():
        rows = {row: ways for row, (_, ways) in of_every_kind().items() if way in ways}
        missing = {
            row: [target for target in TARGETS if target + way not in found.get(row, {})]
            for row in rows
        }
        names = [
            _name(row) + ("" if len(targets) == len(TARGETS) else f" on `{targets[0]}`")
            for row, targets in missing.items()
            if targets
        ]
        if all(len(targets) == len(TARGETS) for targets in missing.values()):
            names = [f"all {len(names)}"]
        if names:
            lines.append(f"- {head}: {'; '.join(names)}.")
    return "\n".join(lines) or "Of a unit of every kind: none."


def _name(row: str) -> str:
    """What the command has of a unit; no bar of it divides a table."""
    return f"`{row}`".replace("|", "\\|")
