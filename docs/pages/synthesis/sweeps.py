# SPDX-License-Identifier: BSD-2-Clause
"""Tables of docs/synthesis.md: how long a comparison takes; design spaces, and how they scale."""

from typing import Any

from benchmarks.speed.comparison import AIM
from macaw.synth.columns import COLUMNS, PARETO

from ..markdown import number, table


def columns() -> str:
    """Every column, its unit, and what is better; a unit may be in a column of its own."""
    units = {column.name for column in COLUMNS}
    rows = []
    for column in (*COLUMNS, PARETO):
        parts = [f"`{part}`" if part in units else part for part in column.unit.split("/")]
        rows.append([f"`{column.name}`", column.meaning, " per ".join(parts), column.better])
    return table(["column", "meaning", "unit", "better"], rows, left=4)


def compared(found: dict[str, Any]) -> str:
    """Seconds of a comparison from an empty cache and from a full one, beside the aim."""
    head = [
        "cache",
        "seconds",
        "aim",
        "processor seconds",
        "load before",
        "rows priced",
        "energies",
    ]
    rows = []
    for cache, aim in AIM.items():
        run = found[cache]
        rows.append([
            cache,
            number(run["seconds"], 1),
            number(aim),
            number(run["processor_seconds"], 1),
            number(run["load_before"], 1),
            f"{run['priced']} of {run['rows']}",
            str(run["with_energy"]),
        ])  # fmt: skip
    library = f" and `{found['library']}`" if found["library"] else ""
    pairs = ", ".join(f"`{pair}`" for pair in found["pairs"])
    errors = "".join(f"\n- {row}: {error}" for row, error in found["empty"]["errors"].items())
    return f"{table(head, rows)}\n\nOn `asic`{library}: {pairs}.{errors}"


def scaling(found: dict[str, Any]) -> str:
    """Seconds of each run, in the order of running; and of one worker over two, by medians."""
    head = ["points", "workers", "done", "seconds", "points a minute", "load before"]
    rows = []
    for run in found["runs"]:
        where = "local" if run["executor"] == "local" else "Dask"
        rows.append(
            [
                f"{run['points']:,} {run['space']}",
                f"{run['workers']}, {where}",
                f"{run['done']:,}",
                number(run["seconds"], 1),
                number(60 * run["points"] / run["seconds"], 1),
                number(run["load_before"], 1),
            ]
        )
    text = [table(head, rows, left=2), ""]
    for ratio in found["ratios"]:
        where = "local" if ratio["executor"] == "local" else "Dask's"
        text.append(
            f"- {ratio['points']:,} {ratio['space']}, {where} workers: two are"
            f" {ratio['ratio']:.2f} times as fast as one."
        )
    return "\n".join(text)
