# SPDX-License-Identifier: BSD-2-Clause
"""What mapping for area or for delay is worth: primitives, against the delay model, and units.

A primitive is one operation, its delay without registers; a unit is between registers.
Figures that are not asked for stay. Each goes through macaw's cache.

Example: python -m benchmarks.cost.optimise --only "fma a=fp16*"
"""

import argparse
import fnmatch
from collections.abc import Callable, Iterator
from typing import Any

from macaw.golden.errors import MacawError
from macaw.hdl import DelayModel
from macaw.hdl.schedule.delays import delay_model
from macaw.synth import run, source
from macaw.synth.flow import Source
from macaw.synth.mapping.targets import OPTIMISE

from .. import results
from .measure import digest_of, parse

FO4_NS = 0.020
"""What the delay model takes an FO4 for."""

PRIMITIVES: dict[str, tuple[str, str, tuple[int, ...], Callable[[DelayModel, int], float]]] = {
    "a + b": ("[{top}:0]", "a + b", (8, 16, 24, 32, 48, 64, 96), lambda m, n: m.adder(n)),
    "a < b": ("", "a < b", (8, 16, 32, 64), lambda m, n: m.comparison(n)),
    "a * b": ("[{double}:0]", "a * b", (4, 8, 11, 16, 24), lambda m, n: m.product(n, n)),
    "any bit": ("", "|a", (8, 32, 96), lambda m, n: m.reduction(n)),
    "choice": ("[{top}:0]", "b[0] ? a : c", (8, 32, 96), lambda m, n: m.choice(n)),
}
"""An operation's result, what it is, widths of its operands, and what the delay model says."""

UNITS = (
    "fma a=fp32 out=fp32",
    "fma a=fp16 out=fp16",
    "fma a=bf16 out=bf16",
    "fma a=e4m3 out=fp16",
    "block-dot a=mxfp4 out=fp32",
    "block-dot a=nvfp4 out=fp32",
    "mul a=int8 out=int16",
)
STAGES = (0, 3)


def primitive(operation: str, width: int, optimise: str) -> dict[str, Any]:
    """Gates and FO4 of one operation on ``asic``, and the delay model's FO4."""
    shape, text, _, model = PRIMITIVES[operation]
    shape = shape.format(top=width - 1, double=2 * width - 1)
    operands = ", ".join(f"input [{width - 1}:0] {name}" for name in "abc")
    module = f"module primitive ({operands}, output {shape} r);\nassign r = {text};\nendmodule\n"
    made = Source(name="primitive", verilog=module, metadata={"name": "primitive", "ports": []})
    found = run(made, "asic", optimise=optimise)
    said = model(delay_model("asic", optimise), width) / FO4_NS
    return {
        "gate_equivalents": found.gate_equivalents,
        "fo4": found.logic_fo4,
        "model_fo4": round(said, 1),
    }


def measured(row: str, stages: int, optimise: str) -> dict[str, Any]:
    """Figures of a unit on ``asic``, and on ecp5, where ``delay`` is as ``balanced``."""
    spec, options = parse(row)
    found: dict[str, Any] = {}
    for target in ("asic", "ecp5") if optimise != "delay" else ("asic",):
        design = source.generate(spec, target=target, stages=stages, optimise=optimise, **options)
        found["design " + target] = digest_of(design.verilog)
        found[target] = run(design, target).to_json()
    return found


def rows() -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    """Each row's name, and what measures it."""
    for optimise in OPTIMISE:
        for operation, (_, _, widths, _) in PRIMITIVES.items():
            for width in widths:
                yield (
                    f"{operation}, {width} bits, {optimise}",
                    lambda o=operation, w=width, how=optimise: primitive(o, w, how),
                )
    for row in UNITS:
        for stages in STAGES:
            for optimise in OPTIMISE:
                yield (
                    f"{row} --stages {stages} --optimise {optimise}",
                    lambda r=row, s=stages, how=optimise: measured(r, s, how),
                )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="*", help="rows, as a pattern")
    results.add_output(parser)
    options = parser.parse_args()
    made = dict(rows())
    found = results.read("optimise", options.output, {})
    found = {row: found[row] for row in made if row in found}
    for row, measure in made.items():
        if not fnmatch.fnmatch(row, options.only):
            continue
        try:
            found[row] = measure()
        except MacawError as error:
            print(f"{row}: {error}", flush=True)
            continue
        print(row, flush=True)
        results.write("optimise", found, options.output)


if __name__ == "__main__":
    main()
