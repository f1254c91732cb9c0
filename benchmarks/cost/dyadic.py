# SPDX-License-Identifier: BSD-2-Clause
"""What integer units cost: requantisation by profile, multiply-accumulate by weight format.

`--what` says which figures are measured, and `--cases` of which units. Rows that are not asked for
stay, as long as their gates are what they were. Each figure goes through macaw's cache.

Example: python -m benchmarks.cost.dyadic --what ecp5,asic --cases requantize
"""

import argparse
from typing import Any

from macaw.golden.arithmetic.dyadic import Profile
from macaw.golden.units import Unit, unit
from macaw.synth import run, source, work
from macaw.synth.mapping import targets
from macaw.synth.work import LANES

from .. import results, start
from ..stopwatch import stopwatch
from .measure import digest

WEIGHTS = ("int8", "int4", "int2", "ternary", "binary", "shift4", "shift3", "power4")
CLOCKS: dict[str, dict[str, Any]] = {
    "clock": {"target": "ecp5dsp", "frequency": 165.0},
    "plain": {"target": "ecp5", "frequency": 140.0},
    "soft": {"target": "ecp5", "frequency": 170.0, "multiplier": "lut"},
}
"""What the delay model is asked for: with the registers of products in the hard multipliers, with
those registers in the fabric as Yosys leaves them, and with products made of logic cells."""
FIGURES = ("ecp5", "asic", *CLOCKS)


def requantizers() -> dict[str, Unit]:
    """Requantisers by name, int32 to int8."""
    found = {p.value: unit("requantize", profile=p) for p in Profile if p is not Profile.HALF_UP}
    for profile in ("tflite_single", "hawq", "half_away"):
        found[f"{profile}, 16 bits"] = unit("requantize", profile=profile, bits=16)
    for profile in ("tflite_double", "hawq"):
        found[f"{profile}, zero point"] = unit("requantize", profile=profile, zero_point=True)
    found["tflite_double, fixed shift"] = unit("requantize", profile="tflite_double", shift=-7)
    fixed = {"multiplier": 0x5A827999, "shift": -7}
    found["tflite_double, fixed scale"] = unit("requantize", profile="tflite_double", **fixed)
    return found


def macs() -> dict[str, Unit]:
    """Multiply-accumulates by weight format: int8 activations, LANES products a clock, int32."""
    pairs = {name: work.pair(name, work.ACTIVATION) for name in WEIGHTS}
    found = {name: work.candidates(pair, lanes=LANES)[0] for name, pair in pairs.items()}
    found["2 of power4"] = unit("int-mac", a="int8", b="power4", parts=2, lanes=LANES)
    found["binary, binary"] = work.candidates("binary:binary", lanes=LANES)[0]
    found["int8, zero point"] = unit("int-mac", a="int8", a_zero=True, lanes=LANES)
    found["ternary, zero point"] = unit("int-mac", a="int8", b="ternary", a_zero=True, lanes=LANES)
    return found


def others() -> dict[str, Unit]:
    """The other units."""
    return {
        "residual-add, separate": unit("residual-add"),
        "residual-add, single": unit("residual-add", form="single"),
        "residual-add, tflite": unit("residual-add", form="tflite"),
        "average-pool": unit("average-pool"),
        "average-pool of 49": unit("average-pool", count=49),
        "clamp": unit("clamp"),
        "int-mac, 1 lane": unit("int-mac", a="int8", bias=False, wrap=True, terms=1 << 16),
    }


def every() -> dict[str, Unit]:
    """Every unit that is priced, by its row."""
    groups = {"requantize": requantizers(), "mac": macs(), "other": others()}
    return {
        f"{group} {name}": spec for group, each in groups.items() for name, spec in each.items()
    }


def price(name: str, spec: Unit, what: str) -> dict[str, Any]:
    """One row: ``what`` is ``ecp5`` or ``asic`` (areas, combinational but for accumulators),
    or one of :data:`CLOCKS`, placed and routed with registers."""
    row: dict[str, Any] = {"case": name, "what": what, "unit": spec.name, "design": digest(spec)}
    ecp5, asic = targets.target("ecp5"), targets.target("asic")
    if what == "asic":
        return row | {what: work.price(spec, asic)[0].to_json()}
    if what in CLOCKS:
        options = dict(CLOCKS[what])
        return row | {what: run(spec, options.pop("target"), **options).to_json()}
    for multiplier in ("auto", "lut") if name.startswith("mac") else ("auto",):
        design = source.generate(spec, stages=0, target=ecp5.model, multiplier=multiplier)
        row[multiplier] = run(design, ecp5, multiplier=multiplier, area_only=True).to_json()
    return row


def merged(old: list[dict[str, Any]], new: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows with ``new`` in place, without those whose gates are no more what they were."""
    kept = [
        row
        for row in old
        if (row["case"], row["what"]) != (new["case"], new["what"])
        and (row["case"] != new["case"] or row["design"] == new["design"])
    ]
    order = list(every())
    rows = [row for row in [*kept, new] if row["case"] in order]
    return sorted(rows, key=lambda row: (order.index(row["case"]), row["what"]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", default="", help="parts of the names of rows, with commas")
    parser.add_argument("--what", default="ecp5,asic", help="of " + ", ".join(FIGURES))
    results.add_output(parser)
    options = parser.parse_args()
    if wrong := set(options.what.split(",")) - set(FIGURES):
        parser.error(f"--what {','.join(sorted(wrong))}: must be of {', '.join(FIGURES)}")
    progress = stopwatch()
    wanted = options.cases.split(",")
    for what in options.what.split(","):
        for name, spec in every().items():
            if not any(text in name for text in wanted):
                continue
            row = price(name, spec, what)
            old = results.read("dyadic", options.output, {"rows": []})
            results.write("dyadic", {"rows": merged(old["rows"], row)}, options.output)
            progress(f"{what} {name}")
    return 0


if __name__ == "__main__":
    start(main)
