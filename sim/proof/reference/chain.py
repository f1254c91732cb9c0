# SPDX-License-Identifier: BSD-2-Clause
"""Scalar reference for units in a row: docs/pipelines.md.

A beat is a dict of the codes of a unit's operands; those with lanes are lists.
"""

KINDS = ("pipeline",)


def labels(chain):
    """What stands before the names of each later stage's operands."""
    kinds = [stage.kind.replace("-", "_") for stage in chain]
    numbers = [kinds[: i + 1].count(kind) for i, kind in enumerate(kinds)]
    return [kind if n == 1 else f"{kind}{n}" for kind, n in zip(kinds[1:], numbers[1:])]


def recalled(spec, beats):
    """The beats, with what the memory holds of its operands in the place of those."""
    held = spec.stored.split(",") if spec.stored else []
    memory, found = {}, []
    for beat in beats:
        if held and beat["write"]:
            memory[beat["channel"]] = {name: beat[name] for name in held}
        found.append(beat | memory.get(beat["channel"], {}) if held else beat)
    return found


def evaluate(spec, beats, evaluate):
    """The results of a list of beats, by name; ``evaluate`` gives those of a stage alone."""
    first, *later = spec.chain
    results = evaluate(first, [{n: beat[n] for n in first.ports.inputs} for beat in beats])
    beats = recalled(spec, beats)
    if first.accumulates:
        beats = [beat for beat in beats if beat["last"]]
    for label, stage in zip(labels(spec.chain), later, strict=True):
        takes, *others = stage.ports.inputs
        results = evaluate(
            stage,
            [
                {takes: result["r"]} | {name: beat[f"{label}_{name}"] for name in others}
                for result, beat in zip(results, beats, strict=True)
            ],
        )
    return results
