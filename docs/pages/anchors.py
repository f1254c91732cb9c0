# SPDX-License-Identifier: BSD-2-Clause
"""Public units beside macaw's of the same function, as they were measured on one flow."""

from typing import Any

from benchmarks.cost.public.anchors import NO_FUNCTION, best
from macaw.synth import Result

from .markdown import table


def _two(public: float | None, own: float | None, digits: int = 0) -> str:
    """A figure of both sides."""
    if public is None or own is None:
        return "-"
    return f"{public:,.{digits}f} / {own:,.{digits}f}"


def _label(name: str, row: dict[str, Any]) -> str:
    """A row's name, without its stages, which have a column."""
    modes = ", all modes, flags" if ", all modes" in name else ""
    return f"{row['project']} {row['name']}{modes}{' (*)' if row['note'] else ''}"


def _ratio(public: float | None, own: float | None) -> str:
    return "-" if not public or own is None else f"{own / public:.2f}"


def fpga(rows: dict[str, Any]) -> str:
    """LUTs, clocks and registers on ecp5."""
    head = ["unit", "stages", "LUT", "ratio", "DSP", "FF", "MHz", "ratio"]
    body = []
    for name, row in rows.items():
        there, own = best(row["public"]), best(row["macaw"])
        body.append([
            _label(name, row),
            str(row["stages"]),
            _two(there.lut_equivalents, own.lut_equivalents),
            _ratio(there.lut_equivalents, own.lut_equivalents),
            _two(there.dsps, own.dsps),
            _two(there.ffs, own.ffs),
            _two(there.fmax_mhz, own.fmax_mhz, 1),
            _ratio(there.fmax_mhz, own.fmax_mhz),
        ])  # fmt: skip
    return table(head, body, 1)


def libraries(rows: dict[str, Any]) -> str:
    """Areas and delays on libraries, mapped for either."""
    head = ["unit", "stages", "asic, area: GE", "FO4", "asic, delay: GE", "FO4", "ratio",
            "osu018, delay: GE", "ps", "ratio"]  # fmt: skip
    body = []
    for name, row in rows.items():
        sides = [
            {n: Result.from_json(f) for n, f in row[side].items() if not n.startswith("ecp5")}
            for side in ("public", "macaw")
        ]
        there, own = sides
        line = [_label(name, row), str(row["stages"])]
        for how in ("asic area", "asic delay"):
            line.append(_two(there[how].gate_equivalents, own[how].gate_equivalents))
            line.append(_two(there[how].delay_fo4, own[how].delay_fo4, 1))
        line.append(_ratio(there["asic delay"].delay_fo4, own["asic delay"].delay_fo4))
        if "osu018 delay" in there:
            how = "osu018 delay"
            line.append(_two(there[how].gate_equivalents, own[how].gate_equivalents))
            line.append(_two(there[how].logic_ps, own[how].logic_ps))
            line.append(_ratio(there[how].logic_ps, own[how].logic_ps))
        else:
            line += ["-", "-", "-"]
        body.append(line)
    return table(head, body, 1)


def section(found: dict[str, Any]) -> str:
    """Both tables, and what was measured."""
    rows = found["rows"]
    revisions = dict(pair for row in rows.values() for pair in row["revisions"].items())
    notes = dict.fromkeys(
        f"{row['project']}: {row['note']}" for row in rows.values() if row["note"]
    )
    starred = f"(*) {'; '.join(notes)}.\n\n" if notes else ""
    said = ", ".join(f"{name} {commit[:12]}" for name, commit in sorted(revisions.items()))
    seeds = {len(best(row["public"]).fmax_mhz_by_seed or ()) for row in rows.values()}
    judged = {row["function"] for row in rows.values()} - {NO_FUNCTION}
    return f"""\
Each row is a public unit and macaw's of the same function, `theirs / macaw's`, measured together
by `python -m benchmarks.cost.public.anchors` from the projects' own checkouts: {said}.
LUT is LUT4 + 2 * CCU2C, of the better of `ecp5` and `ecp5-compact` for each side; MHz the median of
place and route with {" or ".join(map(str, sorted(seeds)))} seeds. On libraries each side is mapped
for area and for delay, by the same scripts. Every public unit that has macaw's function was first
compared with its golden model: {", ".join(sorted(judged))}. Where the rounding mode is an operand
macaw's units have one more, to odd. A ratio is macaw's figure as a part of theirs: of LUTs and
delays less is better, of MHz more.

{fpga(rows)}

{starred}{libraries(rows)}"""
