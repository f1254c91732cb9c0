# SPDX-License-Identifier: BSD-2-Clause
"""The tables of docs/rows.md."""

from typing import Any

from benchmarks.cost.functions.rows import CLIPPED, FORMATS, KINDS, LAYER, MERGE, PASSES, row

from ..markdown import number, table


def errors(made: dict[str, Any]) -> str:
    """Errors in last places by unit and length of a row."""
    head = ["", "elements", "largest error", "root mean square", "rounded correctly"]
    return table(head, [_errors(found) for found in made["errors"]])


def _errors(found: dict[str, Any]) -> list[str]:
    parameters = dict(found["unit"])
    kind = parameters.pop("kind")
    words = " ".join(f"{name}={value}" for name, value in parameters.items())
    name = f"`{kind} {words}`" if " " not in kind else f"softmax in {kind}, {parameters['a']}"
    share = f"{number(100 * found['correct'], 1)} %"
    errors = [number(found[each], 2) for each in ("largest", "rms")]
    return [name, number(found["length"]), *errors, share]


def cost(found: dict[str, Any]) -> str:
    """LUTs, multipliers, gates and delay of the units, and of a softmax in three passes."""
    rows = []
    units = [(kind, f"a={a}") for kind in KINDS for a in FORMATS]
    clipped = [("softmax", words) for words in CLIPPED]
    units += [*clipped, ("layernorm", LAYER), ("softmax-sum", "a=fp16")]
    named = {f"{kind} {words}": row(kind, words) for kind, words in units} | {MERGE: MERGE}
    for name, made in named.items():
        ecp5, asic = _priced(found, made)
        fo4 = number(asic["delay_fo4"])
        rows.append([f"`{name}`", *_cells(_areas(ecp5, asic)), fo4])
    sums = [0.0, 0.0, 0.0]
    for name, parts in PASSES.items():
        areas = [0.0, 0.0, 0.0]
        for part, count in parts.items():
            one = _areas(*_priced(found, part))
            areas = [have + count * each for have, each in zip(areas, one, strict=True)]
        sums = [have + more for have, more in zip(sums, areas, strict=True)]
        rows.append([f"three passes: {name}", *_cells(areas), ""])
    rows.append(["three passes", *_cells(sums), ""])
    return table(["", "LUT", "DSP", "GE", "FO4"], rows)


def _priced(found: dict[str, Any], name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    return found[name]["ecp5"]["result"], found[name]["asic"]["result"]


def _areas(ecp5: dict[str, Any], asic: dict[str, Any]) -> list[float]:
    return [ecp5["lut_equivalents"], ecp5["dsps"], asic["gate_equivalents"]]


def _cells(areas: list[float]) -> list[str]:
    return [number(each) for each in areas]
