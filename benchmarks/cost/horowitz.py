# SPDX-License-Identifier: BSD-2-Clause
"""Energies of additions and multiplications beside those that Horowitz gave for 45 nm.

Without registers, on macaw's own library and, with ``--liberty``, on a process. M. Horowitz,
"Computing's energy problem (and what we can do about it)", ISSCC 2014, as it is widely quoted.

Example: python -m benchmarks.cost.horowitz --liberty ihp
"""

import argparse

import macaw
from macaw.golden.errors import MacawError

from .. import results
from .measure import parse

HOROWITZ = {
    "add a=int8 out=int8 overflow=wrap": 0.03,
    "add a=int32 out=int32 overflow=wrap": 0.1,
    "mul a=int8 out=int16": 0.2,
    "mul a=int32 out=int64": 3.1,
    "add a=fp16 out=fp16": 0.4,
    "mul a=fp16 out=fp16": 1.1,
    "add a=fp32 out=fp32": 0.9,
    "mul a=fp32 out=fp32": 3.7,
}
"""Unit as the command line has it -> picojoules at 45 nm and 0.9 V."""

KEPT = ("gate_equivalents", "area_um2", "library", "library_digest", "leakage_power")
ENERGIES = ("energy_per_operation", "energy_without_glitches", "energy_unit", "operands")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--liberty", help="a process besides: a file, or the name of a kit")
    results.add_output(parser)
    options = parser.parse_args()
    found = results.read("horowitz", options.output, {})
    for row in HOROWITZ:
        spec, _ = parse(row)
        for liberty in (None, options.liberty)[: 2 if options.liberty else 1]:
            where = "process" if liberty else "asic"
            try:
                priced = macaw.synthesize(spec, "asic", liberty=liberty, energy=True).to_json()
            except MacawError as error:
                print(f"{row}: {where}: {error}", flush=True)
                continue
            figures = {name: priced[name] for name in (*KEPT, *ENERGIES)}
            found.setdefault(row, {})[where] = figures
            print(row, where, figures["energy_per_operation"], flush=True)
            results.write("horowitz", found, options.output)


if __name__ == "__main__":
    main()
