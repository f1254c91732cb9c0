# SPDX-License-Identifier: BSD-2-Clause
"""The tables of docs/synthesis.md: units mapped for area or for delay, and the delay model."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from benchmarks.cost.optimise import PARTED, PARTED_FOR, PRIMITIVES, STAGES, UNITS
from benchmarks.errors import delay_errors, retime
from macaw.synth.breakdown import Breakdown, Share
from macaw.synth.mapping.targets import OPTIMISE

from ..markdown import number, table


def units(found: dict[str, Any]) -> str:
    """Gates and delays on ``asic``, cells and clocks on ecp5, by what a unit is mapped for."""
    head = ["unit", "stages"]
    head += [f"`asic`, {how}: GE" if not n else what for how in OPTIMISE
             for n, what in enumerate(("GE", "FO4"))]  # fmt: skip
    ecp5 = ("balanced", "area")
    head += [f"`ecp5`, {how}: LUT" if not n else what for how in ecp5
             for n, what in enumerate(("LUT", "DSP", "MHz"))]  # fmt: skip
    rows = []
    for unit in UNITS:
        for stages in STAGES:
            cells = [f"`{unit}`", str(stages)]
            figures = {how: found[f"{unit} --stages {stages} --optimise {how}"] for how in OPTIMISE}
            for how in OPTIMISE:
                asic = figures[how]["asic"]["result"]
                cells += [number(asic["gate_equivalents"]), number(asic["delay_fo4"])]
            for how in ecp5:
                made = figures[how]["ecp5"]["result"]
                names = "lut_equivalents", "dsps", "fmax_mhz"
                cells += [number(made[name]) for name in names]
            rows.append(cells)
    return table(head, rows)


def parts(found: dict[str, Any]) -> str:
    """Gates and delay of each part of some units, and of the whole, by what it is mapped for."""
    head = ["unit", "part"]
    head += [f"{how}: GE" if not n else what for how in PARTED_FOR
             for n, what in enumerate(("GE", "FO4"))]  # fmt: skip
    rows: list[list[str]] = []
    fields = Breakdown.__dataclass_fields__
    for unit in PARTED:
        first = len(rows)
        told = [found[f"parts of {unit} --optimise {how}"]["asic"] for how in PARTED_FOR]
        made = [Breakdown.from_json({n: each[n] for n in fields}) for each in told]
        for name, shares in _aligned([(*each.shares, each.whole) for each in made]):
            if not any(share.cost or share.delay for share in shares):
                continue
            copies = max(share.copies for share in shares)
            cells = ["" if len(rows) > first else f"`{unit}`"]
            cells.append(name if copies == 1 else f"{name} (x{copies})")
            for share in shares:
                cells += [f"{share.cost:,.0f}", f"{share.delay or 0:.1f}"]
            rows.append(cells)
    return table(head, rows)


def _aligned(columns: Sequence[Sequence[Share]]) -> Iterator[tuple[str, list[Share]]]:
    """Each part's shares in all columns, of no cost where it is not; in the order of the first."""
    by_name = [{share.part: share for share in column} for column in columns]
    last = [share.part for share in columns[0]][-4:]  # what is no part, and the whole
    names = [part for each in by_name for part in each if part not in last]
    for name in [*dict.fromkeys(names), *last]:
        yield name, [each.get(name, Share(part=name)) for each in by_name]


def model(found: dict[str, Any]) -> str:
    """FO4 of operations, measured / by the delay model."""
    head = ["operation", "bits", *OPTIMISE]
    rows = []
    for operation, (_, _, widths, _) in PRIMITIVES.items():
        for width in widths:
            figures = [found[f"{operation}, {width} bits, {how}"]["asic"] for how in OPTIMISE]
            pairs = [f"{each['fo4']:.1f} / {each['model_fo4']:.1f}" for each in figures]
            rows.append([f"`{operation}`", str(width), *pairs])
    return table(head, rows)


def predicted(found: dict[str, Any]) -> str:
    """Clock periods of units, predicted / measured, and how far the model is off as a whole."""
    kinds = [(target, stages) for target in delay_errors.TARGETS for stages in delay_errors.STAGES]
    head = ["unit", *(f"`{target}`, {stages} stages" for target, stages in kinds)]
    ratios: dict[tuple[str, int], list[float]] = {kind: [] for kind in kinds}
    rows = []
    for unit in delay_errors.units():
        cells = [f"`{unit}`"]
        for target, stages in kinds:
            figures = found.get(f"{unit} --stages {stages}", {}).get(target)
            if not figures or figures["measured"] is None:
                cells.append("-")
                continue
            said, measured = figures["predicted"], figures["measured"]
            ratios[target, stages].append(said / measured)
            cells.append(f"{said:.1f} / {measured:.1f}")
        if {*cells[1:]} != {"-"}:
            rows.append(cells)  # others were not measured
    lines = [
        f"- `{target}`, {stages} stages: of {len(of)} units half lie between "
        f"{np.quantile(of, 0.25):.2f} and {np.quantile(of, 0.75):.2f} times what is measured, "
        f"the middle one at {np.median(of):.2f}."
        for (target, stages), of in ratios.items()
    ]
    return table(head, rows) + "\n\n" + "\n".join(lines)


def moved(found: dict[str, Any]) -> str:
    """Clocks and gates of pipelines, as the delay model has them -> with their registers moved.

    On a library in between with the cells sized.
    """
    head = ["unit"]
    for place in retime.PLACES:
        area, clock = ("GE", "FO4") if place == "asic" else ("LUT", "MHz")
        head += [f"`{place}`: {clock}", area]
        head += ["of each stage: FO4"] if place == "asic" else []
    rows = []
    for unit in retime.UNITS:
        cells = [f"`{unit}`"]
        for place in retime.PLACES:
            names = ("lut_equivalents", "fmax_mhz")
            names = ("gate_equivalents", "delay_fo4") if place == "asic" else names
            made = found.get(unit, {}).get(place)
            for name in reversed(names):
                steps = [when for when in retime.WHEN if made and when in made]
                pair = [made[when][name] for when in steps]
                digits = 1 if name == names[1] else 0
                cells.append(" → ".join(f"{each:.{digits}f}" for each in pair) or "-")
            if place == "asic":
                after = {} if made is None else made["after"]
                cells.append(", ".join(f"{t:.1f}" for t in after.get("stage_fo4", ())) or "-")
        rows.append(cells)
    return table(head, rows)
