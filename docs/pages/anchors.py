# SPDX-License-Identifier: BSD-2-Clause
"""Public units beside macaw's of the same function, as they were measured on one flow."""

from typing import Any

from benchmarks.cost.public import units as public
from benchmarks.cost.public.anchors import NO_FUNCTION, best
from macaw.synth import Result

from .markdown import luts, table


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
    """Areas and delays on macaw's library, mapped for either."""
    head = ["unit", "stages", "asic, area: GE", "FO4", "asic, delay: GE", "FO4", "ratio"]
    body = []
    for name, row in rows.items():
        line = [_label(name, row), str(row["stages"])]
        for how in ("asic area", "asic delay"):
            there, own = _sides(row, how)
            line.append(_two(there.gate_equivalents, own.gate_equivalents))
            line.append(_two(there.delay_fo4, own.delay_fo4, 1))
        line.append(_ratio(there.delay_fo4, own.delay_fo4))
        body.append(line)
    return table(head, body, 1)


def processes(rows: dict[str, Any]) -> str:
    """Areas and delays on libraries of processes, mapped for delay."""
    kinds = ("osu018", "process")
    head = ["unit", "stages"]
    for kind in kinds:
        head += [f"{kind}: GE", "ratio", "ps", "ratio"]
    body = []
    for name, row in rows.items():
        line = [_label(name, row), str(row["stages"])]
        for kind in kinds:
            if f"{kind} delay" not in row["macaw"]:
                line += ["-"] * 4
                continue
            there, own = _sides(row, f"{kind} delay")
            line.append(_two(there.gate_equivalents, own.gate_equivalents))
            line.append(_ratio(there.gate_equivalents, own.gate_equivalents))
            # With registers, the clock's period; without, what the unit alone takes.
            before, after = (r.delay_ps if row["stages"] else r.logic_ps for r in (there, own))
            line += [_two(before, after), _ratio(before, after)]
        body.append(line)
    return table(head, body, 1)


def beside(found: dict[str, Any], *kinds: str) -> str:
    """Units of these kinds in short: each figure of the mapping that serves it, for both sides."""
    rows = {n: row for n, row in found["rows"].items() if row["unit"].split()[0] in kinds}
    head = ["public unit", "macaw's", "stages", "LUT", "ratio", "MHz", "GE", "ratio", "FO4",
            "ratio"]  # fmt: skip
    body = []
    for name, row in rows.items():
        there, own = best(row["public"]), best(row["macaw"])
        small, own_small = _sides(row, "asic area")
        fast, own_fast = _sides(row, "asic delay")
        body.append([
            _label(name, row),
            f"`{row['unit']}`",
            str(row["stages"]),
            f"{luts(there.to_json())} / {luts(own.to_json())}",
            _ratio(there.lut_equivalents, own.lut_equivalents),
            _two(there.fmax_mhz, own.fmax_mhz, 1),
            _two(small.gate_equivalents, own_small.gate_equivalents),
            _ratio(small.gate_equivalents, own_small.gate_equivalents),
            _two(fast.delay_fo4, own_fast.delay_fo4, 1),
            _ratio(fast.delay_fo4, own_fast.delay_fo4),
        ])  # fmt: skip
    return f"""\
`theirs / macaw's`, measured together; a ratio is macaw's figure as a part of theirs. LUTs are of
the better of two ways to map for each side, and MHz of the same; GE are of `asic` mapped for area,
FO4 mapped for delay. Other libraries, and where the sources come from, are in
[synthesis-results.md](synthesis-results.md#beside-public-units).

{table(head, body, 2)}

{_starred(rows)}{_missing(found["rows"], *kinds)}""".rstrip()


def _starred(rows: dict[str, Any]) -> str:
    """What is not the same, of rows that have a star."""
    notes = dict.fromkeys(
        f"{row['project']}: {row['note']}" for row in rows.values() if row["note"]
    )
    return f"(*) {'; '.join(notes)}.\n\n" if notes else ""


def _missing(rows: dict[str, Any], *kinds: str) -> str:
    """Public units that the command knows, of these kinds or of all, without a row."""
    names = [
        public.row(each)
        for each in public.UNITS
        if public.row(each) not in rows and (not kinds or each.unit.split()[0] in kinds)
    ]
    return f"Not measured: {'; '.join(names)}.\n\n" if names else ""


def _sides(row: dict[str, Any], how: str) -> tuple[Result, Result]:
    """What both measured, by target and way."""
    there, own = (Result.from_json(row[side][how]) for side in ("public", "macaw"))
    return there, own


def section(found: dict[str, Any]) -> str:
    """All tables, and what was measured."""
    rows = found["rows"]
    revisions = dict(pair for row in rows.values() for pair in row["revisions"].items())
    said = ", ".join(f"{name} {commit[:12]}" for name, commit in sorted(revisions.items()))
    mapped = [r["macaw"]["process delay"] for r in rows.values() if "process delay" in r["macaw"]]
    files = ", ".join(sorted({result["library"] for result in mapped})) or "none"
    seeds = {len(best(row["public"]).fmax_mhz_by_seed or ()) for row in rows.values()}
    judged = {row["function"] for row in rows.values()} - {NO_FUNCTION}
    functions = ", ".join(sorted(judged))
    return f"""\
Each row is a public unit and macaw's of the same function, `theirs / macaw's`, measured together
by `python -m benchmarks.cost.public.anchors --liberty ihp` from the projects' own sources:
{said}.
LUT is LUT4 + 2 * CCU2C on `ecp5`, of the better of `balanced` and `area` for each side; MHz the
median of place and route with {" or ".join(map(str, sorted(seeds)))} seeds. On libraries each side
is mapped for area and for delay, by the same scripts; picoseconds are the clock's period, or
without registers what the unit alone takes. The process is {files}. Every
public unit that has macaw's function was first compared with its golden model: {functions}.
Where the rounding mode is an operand macaw's units have one more, to odd. A ratio is macaw's figure
as a part of theirs: of LUTs and delays less is better, of MHz more.

{fpga(rows)}

{_starred(rows)}{_missing(rows)}{libraries(rows)}

{processes(rows)}"""
