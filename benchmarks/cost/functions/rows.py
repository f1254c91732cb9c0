# SPDX-License-Identifier: BSD-2-Clause
"""What functions of rows cost, and a softmax in three passes that is made of other units.

Logic alone, without registers and the memory of longer rows: these are of one beat, but their sum
is as wide as that of 1,024 elements. Figures that are not asked for stay.

Example: python -m benchmarks.cost.functions.rows --only "softmax*"
"""

from macaw.golden.units import unit

from ..measure import price_rows

LANES, ROW = 8, 1024
FORMATS = ("fp16", "bf16")
KINDS = ("softmax", "rmsnorm", "layernorm")


LAYER = "a=fp16 weight=fp16 bias=fp16"
"""A layernorm with what a layer has."""
CLIPPED = ("a=fp16 gamma=-0.03 zeta=1.003", "a=fp16 zeta=1.1")
"""Softmaxes."""
MERGE = "softmax-merge a=ufx43.25"
"""Of sums of fp16."""


def row(kind: str, words: str) -> str:
    """A unit as the command line has it: of one beat, with the sum of :data:`ROW` elements."""
    parameters = dict(word.split("=") for word in words.split())
    spec = unit(kind, **parameters, lanes=LANES, row=ROW)
    return f"{kind} {words} lanes={LANES} row={LANES} aligned={getattr(spec, 'aligned')}"  # noqa: B009


PASSES: dict[str, dict[str, int]] = {
    "largest of the row": {"maximum a=fp16": LANES},
    "exp(x - largest)": {
        "add a=fp16 subtract=true": LANES,
        "function a=fp16 function=exp": LANES,
    },
    "sum": {"add a=fp16 out=fp32": LANES // 2, "add a=fp32": LANES // 2},
    "quotients": {"div a=fp32 --digits 1": 1, "cast a=fp32 out=fp16": 1, "mul a=fp16": LANES},
}
"""How many of which unit the parts of a plain softmax have: fp16, its sum fp32."""

ROWS = (
    *(row(kind, f"a={a}") for kind in KINDS for a in FORMATS),
    *(row("softmax", words) for words in CLIPPED),
    row("softmax-sum", "a=fp16"),
    MERGE,
    row("layernorm", LAYER),
    *(part for parts in PASSES.values() for part in parts),
)


def main() -> None:
    price_rows("rows", ROWS, "ecp5,asic", __doc__)


if __name__ == "__main__":
    main()
