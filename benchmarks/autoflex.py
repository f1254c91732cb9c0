# SPDX-License-Identifier: BSD-2-Clause
"""The exponent predictor in fixed point: how often it differs from float64, and what it costs.

    python benchmarks/autoflex.py [agreement] [cost] [clock] [--steps N]

Prints Markdown tables, those of docs/flexpoint-hardware.md. Figures of area and clock go through
macaw's cache, so that an interrupted run continues where it stopped.
"""

import argparse
from typing import Any

import numpy as np

from macaw.golden.tensors.autoflex import Autoflex
from macaw.golden.units import ExponentPredictor
from macaw.sim.stimulus.predictor import tensors
from macaw.synth import Result, run

PRECISIONS = (6, 8, 10, 12, 16, 20)
COSTS = ((8, 16), (12, 16), (12, 4), (8, 1), (12, 1))
"""(precision, fold)"""
CLOCKS = (("ecp5", {"frequency": 60.0}), ("ecp5", {"frequency": 100.0}), ("asic", {"stages": 24}))


def _unit(**parameters: Any) -> ExponentPredictor:
    return ExponentPredictor(out="flex16+5", **parameters)  # type: ignore[arg-type]


def codes_in_float64(spec: ExponentPredictor, codes: dict[str, np.ndarray]) -> np.ndarray:
    """The codes that the predictor in float64 gives for the same histories."""
    other, result = Autoflex(spec.out, spec.profile), []
    top = 1 << (spec.out.element.width - 1)
    for maximum, scale, init, end in zip(*(c.tolist() for c in codes.values()), strict=True):
        other.exponent = scale - spec.out.scale.bias
        if init:
            other.initialise(min(maximum, top))
        else:
            other.update(min(maximum, top))
        result.append(other.scale)
        if end:
            other = Autoflex(spec.out, spec.profile)
    return np.array(result)


def agreement(steps: int) -> None:
    """Open loop: both predictors see the same histories."""
    print("| precision | bound | paper: codes that differ | ngraph |\n|---|---|---|---|")
    rows: dict[int, list[str]] = {bits: [] for bits in PRECISIONS}
    for profile in ("paper", "ngraph"):
        codes = tensors(np.random.default_rng(1), _unit(profile=profile), steps)
        wanted = codes_in_float64(_unit(profile=profile), codes)
        for bits in PRECISIONS:
            spec = _unit(profile=profile, precision=bits)
            distance = np.abs(spec.evaluate(**codes)["r"].astype(int) - wanted)
            assert distance.max() <= 1
            rows[bits].append(f"{distance.mean():.3%}")
    for bits, shares in rows.items():
        low, high = _unit(precision=bits).predictor.bound
        bound = f"{100 * low:+.2g} %, {100 * high:+.2g} %"
        print(f"| {bits} | {bound} | {' | '.join(shares)} |")


def _area(result: Result) -> str:
    values = result.to_json()
    area = values["lut_equivalents"] or values["gate_equivalents"]
    return f"{area:,.0f} | {values['ffs']:,}"


def cost() -> None:
    """Area without pipeline registers, all of it from logic cells."""
    print("| precision | a step every | ecp5: LUT4 + 2 CCU2C | FF | asic: GE | FF |")
    print("|---|---|---|---|---|---|")
    for bits, fold in COSTS:
        options: dict[str, Any] = {"fold": fold, "flow": "valid", "multiplier": "lut"}
        areas = [
            _area(run(_unit(precision=bits), target, area_only=True, stages=0, **options))
            for target in ("ecp5", "asic")
        ]
        every = "clock" if fold == 1 else f"{fold} clocks"
        print(f"| {bits} | {every} | {' | '.join(areas)} |", flush=True)


def clock() -> None:
    """With registers, one step every 16 clocks: what the unit is built for, and what it gives."""
    print("| target | built with | latency | area | FF | clock |\n|---|---|---|---|---|---|")
    for target, choice in CLOCKS:
        options: dict[str, Any] = {"fold": 16, "flow": "valid", "multiplier": "lut", **choice}
        result = run(_unit(), target, **options)
        values = result.to_json()
        speed = (
            f"{values['fmax_mhz']:.0f} MHz" if target == "ecp5" else f"{values['delay_fo4']} FO4"
        )
        words = ", ".join(f"{name}={value:g}" for name, value in choice.items())
        print(
            f"| {target} | {words} | {values['latency']} | {_area(result)} | {speed} |", flush=True
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=["agreement", "cost", "clock"])
    parser.add_argument("--steps", type=int, default=1_000_000)
    arguments = parser.parse_args()
    for part in arguments.parts:
        {"agreement": lambda: agreement(arguments.steps), "cost": cost, "clock": clock}[part]()
        print()


if __name__ == "__main__":
    main()
