# SPDX-License-Identifier: BSD-2-Clause
"""The table of differences in docs/dyadic.md."""

from typing import Any

from .markdown import table


def in_a_million(wrong: int, count: int) -> str:
    often = 1e6 * wrong / count
    return f"{often:.2g}" if often < 10 else f"{often:,.0f}"


def differences(found: dict[str, Any]) -> str:
    """Of profiles from ``tflite_single``, and of forms of residual sums."""
    kinds = list(dict.fromkeys(row["multiplier"] for row in found["profiles"]))
    cells: dict[str, list[str]] = {}
    for row in found["profiles"]:
        name = f"`{row['profile']}`" if "onnx" not in row["profile"] else row["profile"]
        cell = in_a_million(row["above"] + row["below"], row["count"])
        sides = [text for text, side in (("+1", "above"), ("-1", "below")) if row[side]]
        shown = cell + (f" ({', '.join(sides)})" if sides else "")
        cells.setdefault(name, []).append(shown)
    head = ["profile", *(f"{kind} multiplier" for kind in kinds)]
    profiles = table(head, [[name, *each] for name, each in cells.items()])

    scales = list(dict.fromkeys(row["scales"] for row in found["residuals"]))
    pairs: dict[tuple[str, ...], list[str]] = {}
    for row in found["residuals"]:
        forms = tuple(f"{form} `{profile}`" for form, profile in row["forms"])
        pairs.setdefault(forms, []).append(in_a_million(row["differing"], row["count"]))
    head = ["form", "and form", *(f"{each} scales" for each in scales)]
    residuals = table(head, [[*pair, *each] for pair, each in pairs.items()])
    return (
        f"{profiles}\n\nOf sums of two int8 branches, results in a million that two forms give one"
        f" count apart:\n\n{residuals}"
    )
