# SPDX-License-Identifier: BSD-2-Clause
"""The tables of the exponent predictor in docs/flexpoint-hardware.md."""

from typing import Any


def agreement(found: dict[str, Any]) -> str:
    """How often the predictor's codes are not those of float64."""
    lines = ["| precision | bound | paper: codes that differ | ngraph |", "|---|---|---|---|"]
    shares: dict[int, list[str]] = {}
    bounds = {row["precision"]: row["bound"] for row in found["rows"]}
    for row in found["rows"]:
        shares.setdefault(row["precision"], []).append(f"{row['differing'] / row['steps']:.3%}")
    for precision, (low, high) in bounds.items():
        bound = f"{100 * low:+.2g} %, {100 * high:+.2g} %"
        lines.append(f"| {precision} | {bound} | {' | '.join(shares[precision])} |")
    return "\n".join(lines)


def _area(row: dict[str, Any]) -> str:
    return f"{row['area']:,.0f} | {row['ffs']:,}"


def cost(found: dict[str, Any]) -> str:
    """Area without pipeline registers."""
    lines = [
        "| precision | a step every | ecp5: LUT4 + 2 CCU2C | FF | asic: GE | FF |",
        "|---|---|---|---|---|---|",
    ]
    areas: dict[tuple[int, int], list[str]] = {}
    for row in found.get("area", []):
        areas.setdefault((row["precision"], row["fold"]), []).append(_area(row))
    for (precision, fold), each in areas.items():
        every = "clock" if fold == 1 else f"{fold} clocks"
        lines.append(f"| {precision} | {every} | {' | '.join(each)} |")
    return "\n".join(lines)


def clock(found: dict[str, Any]) -> str:
    """Clocks with pipeline registers."""
    lines = ["| target | built with | latency | area | FF | clock |", "|---|---|---|---|---|---|"]
    for row in found.get("clock", []):
        fpga = row["target"] == "ecp5"
        speed = f"{row['fmax_mhz']:.0f} MHz" if fpga else f"{row['delay_fo4']} FO4"
        words = ", ".join(f"{name}={value:g}" for name, value in row["choice"].items())
        lines.append(f"| {row['target']} | {words} | {row['latency']} | {_area(row)} | {speed} |")
    return "\n".join(lines)
