# SPDX-License-Identifier: BSD-2-Clause
"""What mapping for area or for delay is worth: primitives, against the delay model, units, parts.

A primitive is one operation, its delay without registers; a unit is between registers, and of some
units it is told what each part of the arithmetic costs.
Figures that are not asked for stay. Each goes through macaw's cache.

Example: python -m benchmarks.cost.optimise --only "fma a=fp16*"
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from macaw.hdl import DelayModel
from macaw.hdl.schedule.delays import FO4, delay_model
from macaw.synth import breakdown, run, source
from macaw.synth.flow import Source
from macaw.synth.mapping.targets import OPTIMISE

from .measure import arguments, digest_of, parse, record

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
    "add a=fp32",
    "add a=fp16",
)
STAGES = (0, 3)
PARTED = ("fma a=fp32 out=fp32", "block-dot a=mxfp8-e4m3 out=fp32", "requantize")
"""Units whose parts are told, without stages."""
PARTED_FOR = ("balanced", "delay")


def primitive(operation: str, width: int, optimise: str) -> dict[str, Any]:
    """Gates and FO4 of one operation on ``asic``, and the delay model's FO4."""
    shape, text, _, model = PRIMITIVES[operation]
    shape = shape.format(top=width - 1, double=2 * width - 1)
    operands = ", ".join(f"input [{width - 1}:0] {name}" for name in "abc")
    module = f"module primitive ({operands}, output {shape} r);\nassign r = {text};\nendmodule\n"
    made = Source(name="primitive", verilog=module, metadata={"name": "primitive", "ports": []})
    found = run(made, "asic", optimise=optimise)
    said = model(delay_model("asic", optimise), width) / FO4
    return {
        "gate_equivalents": found.gate_equivalents,
        "fo4": found.logic_fo4,
        "model_fo4": round(said, 1),
    }


def measured(row: str, stages: int, optimise: str, target: str) -> dict[str, Any]:
    """Figures of a unit on one target."""
    spec, options = parse(row)
    design = source.generate(spec, target=target, stages=stages, optimise=optimise, **options)
    return {"design": digest_of(design.verilog), "result": run(design, target).to_json()}


def parts(row: str, optimise: str) -> dict[str, Any]:
    """What each part of a unit costs on ``asic``, and what generates the whole."""
    spec, _ = parse(row)
    whole = run(spec, "asic", stages=0, optimise=optimise).to_json()
    made = breakdown(spec, "asic", stages=0, optimise=optimise)
    return {"generated_by": whole["generated_by"], "hash": whole["hash"], **made.to_json()}


def rows() -> Iterator[tuple[str, dict[str, Callable[[], dict[str, Any]]]]]:
    """Each row's name, and what measures it by target; on ecp5 ``delay`` is as ``balanced``."""
    for optimise in OPTIMISE:
        for operation, (_, _, widths, _) in PRIMITIVES.items():
            for width in widths:
                made = partial(primitive, operation, width, optimise)
                yield f"{operation}, {width} bits, {optimise}", {"asic": made}
    for row in UNITS:
        for stages in STAGES:
            for optimise in OPTIMISE:
                targets = ("asic",) if optimise == "delay" else ("asic", "ecp5")
                made = {each: partial(measured, row, stages, optimise, each) for each in targets}
                yield f"{row} --stages {stages} --optimise {optimise}", made
    for row in PARTED:
        for optimise in PARTED_FOR:
            made = {"asic": partial(parts, row, optimise)}
            yield f"parts of {row} --optimise {optimise}", made


def main() -> None:
    made = dict(rows())
    record("optimise", tuple(made), arguments(__doc__).parse_args(), made.__getitem__)


if __name__ == "__main__":
    main()
