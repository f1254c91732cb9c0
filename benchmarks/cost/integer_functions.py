# SPDX-License-Identifier: BSD-2-Clause
"""What units of integer-only functions cost.

Figures that are not asked for stay. Each goes through macaw's cache.

Example: python -m benchmarks.cost.integer_functions --only "int-gelu*"
"""

import argparse
import fnmatch
from typing import Any

from macaw.golden.errors import MacawError
from macaw.golden.units import unit
from macaw.synth import run, source
from macaw.synth.mapping import targets

from .. import results
from .measure import digest_of

MEGAHERTZ = 165.0
"""What the delay model is asked for."""
ROWS: tuple[str, ...] = (
    "isqrt x=uint16",
    "isqrt x=uint32",
    "int-exp2 x=fx16.10 precision=8",
    "int-exp2 x=fx16.10",
    "int-exp2 x=fx24.16",
    "int-exp2 x=fx16.11 base=e out=fp16",
    "int-gelu x=fx8.4",
    "int-gelu x=fx16.12",
    "int-softmax x=fx8.4 lanes=8",
    "int-softmax x=fx8.4 lanes=8 reciprocal=24",
    "int-softmax x=fx8.4 lanes=8 reciprocal=24 --fold 8",
    "int-layernorm x=int8 lanes=8 out=int8 reciprocal=17",
    "int-layernorm x=int8 lanes=16",
    "int-layernorm x=int8 lanes=16 out=int8 reciprocal=17",
    "int-layernorm x=int8 lanes=16 out=int8 reciprocal=17 --fold 16",
)
"""Units as the command line has them."""


def parse(row: str) -> tuple[Any, dict[str, Any]]:
    """(the unit, implementation options) of a row."""
    words, _, fold = row.partition(" --fold ")
    kind, *parameters = words.split()
    spec = unit(kind, **dict(word.split("=", 1) for word in parameters))
    return spec, {"fold": int(fold), "flow": "valid"} if fold else {}


def price(row: str, what: str) -> dict[str, Any]:
    """Figures of one row: ``ecp5`` and ``asic`` without registers, ``clock`` with."""
    spec, options = parse(row)
    target = targets.target({"asic": "asic", "ecp5": "ecp5", "clock": "ecp5dsp"}[what])
    speed: dict[str, Any] = {"frequency": MEGAHERTZ} if what == "clock" else {"stages": 0}
    design = source.generate(spec, target=target.model, **speed, **options)
    result = run(design, target, area_only=what == "ecp5").to_json()
    return {"design": digest_of(design.verilog), "result": result}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="*", help="rows, as a pattern")
    parser.add_argument("--what", default="ecp5,asic,clock", help="figures of these rows")
    results.add_output(parser)
    options = parser.parse_args()
    found = results.read("integer_functions", options.output, {})
    found = {row: found[row] for row in ROWS if row in found}
    for row in ROWS:
        if not fnmatch.fnmatch(row, options.only):
            continue
        for what in options.what.split(","):
            try:
                found.setdefault(row, {})[what] = price(row, what)
            except MacawError as error:
                print(f"{row}: {what}: {error}", flush=True)
                continue
            print(row, what, flush=True)
            results.write("integer_functions", found, options.output)


if __name__ == "__main__":
    main()
