# SPDX-License-Identifier: BSD-2-Clause
"""A question in steps, from each named word of both sides to the next.

What takes several operations one after another, such as a quantisation that rounds to fp32 in
between, ABC does not decide as a whole. But gates and second description have names for the words
between: those are cut. Step by step it is asked of both sides whether they give the same word where
operands and words before it are the same, whatever these are; and last, whether they give the same
results.

Why that is enough: say that for some operands the first words of both sides are the same. The
modules of a step give the next word of their side where operands and words before are those of
their side, since a net is the same signal whether cells drive it or a port. These are the same for
both sides, and the step says of any operands and words that both modules give the same. So the
next word is the same for these operands, and at last the results are.

Where a bit of a word of the gates is a constant, a bit of an operand, or one of a word before, that
is what the step takes for it, on both sides: it is so in the gates, and in the second description
the word is the same. A word without a name in the gates is not cut, and a step then reaches further
back.

Each step is a question of :mod:`.miter`. One for a product of two numbers is asked in cases of
these, :mod:`.cases.pairs`, with ports of their own for them.
"""

from __future__ import annotations

import itertools
import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from macaw.tools import processes, yosys

from . import by_cases, miter
from .cases.pairs import Pair
from .cases.products import Factors
from .plain.module import FP32, Factor, Words
from .proof import PROVEN, REFUTED

Net = int | str
_FLAT = """\
read_verilog -sv {side}.v
hierarchy -check -top {module}
proc
flatten
opt_clean
write_json {side}.json
"""
_CUT = """\
read_json {side}_cut.json
opt_clean -purge
"""
_WRITE = """\
select {module}
write_verilog -noattr -selected {module}.v
select -clear
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """A step: what is asked for, the question, and how it is asked in cases, if it is."""

    name: str
    question: miter.Question
    how: Factors | None = None


@dataclass(kw_only=True, slots=True)
class Chained:
    """What became of the steps, and of the first that is not proven: its name and answer.

    ``cases`` is how many questions ABC was asked; ``inputs`` has operands only.
    """

    total: int
    proven: int = 0
    cases: int = 0
    verdict: str = PROVEN
    failed: str = ""
    seconds: float = 0.0
    inputs: dict[str, int] | None = None
    reason: str = ""

    @property
    def parts(self) -> str:
        """What was asked, in words."""
        return f"{self.total} steps" + (f" of {self.cases} cases" if self.verdict == PROVEN else "")

    @property
    def why(self) -> str:
        """Why it is not proven."""
        return f"{self.reason}: {self.failed}"


def ask(
    question: miter.Question,
    words: Words,
    *,
    until: float,
    progress: Callable[[int, int], None],
    jobs: int = 1,
    cache: bool = True,
) -> Chained:
    """Answer a question whose reference has these words, until a step is not proven.

    Raises
    ------
    ToolError
        Yosys is missing, or does not read the modules.
    ToolTimeout
        There was no time to find the steps.
    """
    steps = links(question, words, until - time.monotonic())
    found = Chained(total=len(steps))
    # What takes long is asked last: what is wrong is found sooner.
    for link in sorted(steps, key=lambda link: link.how is not None):
        answer, cases = _asked(link, until, jobs, cache)
        found.cases += cases
        found.seconds += answer.seconds
        if answer.verdict != PROVEN:
            found.verdict, found.failed = answer.verdict, link.name
            found.reason = answer.reason
            if answer.verdict == REFUTED and answer.inputs is not None:
                found.inputs = {name: answer.inputs.get(name, 0) for name in question.inputs}
            break
        found.proven += 1
        progress(found.proven, found.total)
    return found


def _asked(link: Link, until: float, jobs: int, cache: bool) -> tuple[miter.Answer, int]:
    """The answer to a step, and of how many cases it is."""
    if link.how is not None:
        asked = by_cases.ask(
            link.question,
            link.how,
            until=until,
            jobs=jobs,
            progress=lambda done, total: None,
            cache=cache,
        )
        if asked is not None:
            return (
                miter.Answer(
                    verdict=asked.verdict,
                    seconds=asked.seconds,
                    inputs=asked.inputs,
                    reason=asked.why,
                ),
                asked.total,
            )
    left = max(until - time.monotonic(), 1.0)
    return miter.decide(link.question, timeout=left, cache=cache), 1


# ------------------------------------------------------------------------------ modules of steps


@dataclass(frozen=True, kw_only=True, slots=True)
class _Side:
    """A flat module of Yosys, and the nets of its words."""

    name: str
    module: dict[str, Any]
    words: dict[str, list[Net]]

    @classmethod
    def read(cls, name: str, top: str, netlist: Path, called: dict[str, str]) -> _Side:
        """``called`` are patterns of the names of words, of which each fits one net or is none."""
        module = json.loads(netlist.read_text(encoding="utf-8"))["modules"][top]
        words = {}
        for word, pattern in called.items():
            found = [net for net in module["netnames"] if re.fullmatch(pattern, net)]
            if len(found) == 1:
                words[word] = module["netnames"][found[0]]["bits"]
        return cls(name=name, module=module, words=words)

    @property
    def last(self) -> int:
        """The highest number of a net."""
        every = (net["bits"] for net in self.module["netnames"].values())
        return max(bit for bits in every for bit in bits if isinstance(bit, int))


def links(question: miter.Question, words: Words, timeout: float) -> list[Link]:
    """The steps of a question, one for each word that both sides have, and one for the results."""
    tool = yosys.find("yosys", prefer="yowasp")
    called = {
        "gates": {word: rf"(.*_)?{name}_s0" for word, name in words.called.items()},
        "reference": {word: word for word in words.called},
    }
    sources = {"gates": question.gates, "reference": question.reference}
    with processes.temporary_folder() as folder:
        for side, source in sources.items():
            (folder / f"{side}.v").write_text(source.verilog, encoding="utf-8")
            _run(tool, folder, _FLAT.format(side=side, module=source.module), timeout)
        sides = [
            _Side.read(side, source.module, folder / f"{side}.json", called[side])
            for side, source in sources.items()
        ]
        gates, reference = sides
        known = {
            word: len(gates.words[word])
            for word in words.called
            if len(gates.words.get(word, ())) == len(reference.words.get(word, ())) > 0
        }
        texts = [_texts(side, gates, question, known, tool, folder, timeout) for side in sides]
    inputs = question.inputs | {f"w_{word}": width for word, width in known.items()}
    found = []
    for number, name in enumerate([*known, ""]):
        made = [
            miter.Source(module=f"{side}_step{number}", verilog=text[number])
            for side, text in zip(sources, texts, strict=True)
        ]
        outputs = {"o_word": known[name]} if name else question.outputs
        asked = miter.Question(gates=made[0], reference=made[1], inputs=inputs, outputs=outputs)
        link = Link(name=name or "results", question=asked)
        if factors := words.products.get(name):
            link = _product(link, factors)
        found.append(link)
    return found


def _run(tool: yosys.Tool, folder: Path, script: str, timeout: float) -> None:
    (folder / "chain.ys").write_text(script, encoding="utf-8")
    yosys.call(tool, ("-q", "-s", "chain.ys"), folder=folder, timeout=timeout, what="proof")


def _texts(
    side: _Side,
    gates: _Side,
    question: miter.Question,
    known: dict[str, int],
    tool: yosys.Tool,
    folder: Path,
    timeout: float,
) -> list[str]:
    """The Verilog of each step of a side."""
    modules = {
        f"{side.name}_step{number}": _cut(side, gates, question, known, number)
        for number in range(len(known) + 1)
    }
    netlist = json.dumps({"modules": modules})
    (folder / f"{side.name}_cut.json").write_text(netlist, encoding="utf-8")
    script = "".join(_WRITE.format(module=module) for module in modules)
    _run(tool, folder, _CUT.format(side=side.name) + script, timeout)
    return [(folder / f"{module}.v").read_text(encoding="utf-8") for module in modules]


def _cut(
    side: _Side, gates: _Side, question: miter.Question, known: dict[str, int], number: int
) -> dict[str, Any]:
    """A module in which the first words are inputs, and the next one or the results what it gives.

    All words have ports, so that steps are alike; those of words that are not given lead nowhere.
    """
    nets = itertools.count(max(side.last, gates.last) + 1)
    ports: dict[str, Any] = {}
    # What a net of the gates is in this module: an operand, or a bit of a word.
    meant: dict[Net, Net] = {}
    for name in question.inputs:
        bits = side.module["ports"][name]["bits"]
        ports[name] = {"direction": "input", "bits": bits}
        meant |= zip(gates.module["ports"][name]["bits"], bits, strict=True)
    operands = set(meant.values())
    # What stands here for a net of a given word.
    read: dict[Net, Net] = {}
    for place, (word, width) in enumerate(known.items()):
        fresh = list(itertools.islice(nets, width))
        ports[f"w_{word}"] = {"direction": "input", "bits": fresh}
        if place < number:
            for new, bit, own in zip(fresh, gates.words[word], side.words[word], strict=True):
                stands = bit if isinstance(bit, str) else meant.setdefault(bit, new)
                if own not in operands and isinstance(own, int):
                    read.setdefault(own, stands)
    wanted = {name: side.module["ports"][name]["bits"] for name in question.outputs}
    if number < len(known):
        wanted = {"o_word": side.words[list(known)[number]]}
    for name, bits in wanted.items():
        ports[name] = {"direction": "output", "bits": [read.get(bit, bit) for bit in bits]}
    return {
        "attributes": {},
        "ports": ports,
        "cells": dict(_rewired(side, read)),
        "netnames": {
            name: {"hide_name": 0, "bits": port["bits"], "attributes": {}}
            for name, port in ports.items()
        },
    }


def _rewired(side: _Side, read: dict[Net, Net]) -> Iterator[tuple[str, Any]]:
    """The cells, which read what stands for a net and drive what they drove."""
    for name, cell in side.module["cells"].items():
        pins = {
            pin: [read.get(bit, bit) for bit in bits]
            if cell["port_directions"][pin] == "input"
            else bits
            for pin, bits in cell["connections"].items()
        }
        yield name, cell | {"connections": pins}


# ------------------------------------------------------------------------------------- products


def _product(link: Link, factors: Sequence[Factor]) -> Link:
    """The same question with the two factors as operands of their own, ``x`` and ``y``."""
    question = link.question
    parts: dict[str, list[str]] = {
        name: [f"{name}[{bit}]" for bit in range(width)] for name, width in question.inputs.items()
    }
    for operand, factor in zip("xy", factors, strict=True):
        place = 0
        for where, first, count in factor.parts:
            port = where if where in question.inputs else f"w_{where}"
            if port in parts:
                for bit in range(count):
                    parts[port][first + bit] = f"{operand}[{place + bit}]"
            place += count
    formats = (factors[0].fmt, factors[1].fmt)
    widths = dict(zip("xy", (fmt.width for fmt in formats), strict=True))
    made = []
    for source in (question.gates, question.reference):
        module = f"{source.module}_product"
        ports = [f"input [{w - 1}:0] {name}" for name, w in (widths | question.inputs).items()]
        ports += [f"output [{w - 1}:0] {name}" for name, w in question.outputs.items()]
        pins = [f".{name}({{{', '.join(reversed(bits))}}})" for name, bits in parts.items()]
        pins += [f".{name}({name})" for name in question.outputs]
        made.append(
            miter.Source(
                module=module,
                verilog=f"{source.verilog}\nmodule {module}({', '.join(ports)});\n"
                f"{source.module} step({', '.join(pins)});\nendmodule\n",
            )
        )
    return replace(
        link,
        question=replace(
            question, gates=made[0], reference=made[1], inputs=widths | question.inputs
        ),
        how=Factors(
            numbers=Pair(fmt=FP32, names=("x", "y"), formats=formats), others=question.inputs
        ),
    )
