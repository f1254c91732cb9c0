# SPDX-License-Identifier: BSD-2-Clause
"""Two modules asked for operands on which they differ: a miter, made by Yosys, decided by ABC.

The miter becomes an and-inverter graph with one output that is 1 where the results differ. ABC is
part of Yosys and says there nothing that could be read, so it writes its status and the
counterexample to files.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from macaw.golden.errors import ToolError
from macaw.tools import processes, store, yosys

from .proof import OPEN, PROVEN, REFUTED

REVISION = 1
"""Of what is asked, for keys of stored answers."""

DECIDE = "strash; &get -n; &cec -m"
"""ABC's combinational equivalence check, of what is a miter already: it sweeps both sides from
the inputs on for signals that are equal, which is what makes arithmetic provable."""

_READ = """\
{before}
read_verilog -sv gates.v reference.v miter.v
hierarchy -check -top macaw_miter
proc
flatten
opt_clean
"""
_MAP = """\
techmap -map plain.v
techmap -map plain.v -map +/techmap.v
opt -full
aigmap
opt_clean
write_aiger -symbols miter.aig
"""
_ASK = """\
read_verilog nothing.v
hierarchy -top nothing
techmap
abc -script decide.abc
"""
# Multipliers and adders of both sides in the plainest way, so that a shifted operand gives shifted
# signals: fast ones group their terms by position, and nothing in them would be equal.
_PLAIN = """\
(* techmap_celltype = "$mul" *)
module _00_macaw_rows(A, B, Y);
  parameter A_SIGNED = 0, B_SIGNED = 0, A_WIDTH = 1, B_WIDTH = 1, Y_WIDTH = 1;
  localparam SIGNED = A_SIGNED && B_SIGNED;
  localparam ROWS = SIGNED || B_WIDTH > Y_WIDTH ? Y_WIDTH : B_WIDTH;
  input [A_WIDTH-1:0] A;
  input [B_WIDTH-1:0] B;
  output [Y_WIDTH-1:0] Y;
  wire signed [A_WIDTH-1:0] signed_a = A;
  wire signed [B_WIDTH-1:0] signed_b = B;
  wire [Y_WIDTH-1:0] wide_a = signed_a, wide_b = signed_b;
  wire [Y_WIDTH-1:0] a = SIGNED ? wide_a : A;
  wire [Y_WIDTH-1:0] b = SIGNED ? wide_b : B;
  wire [Y_WIDTH*(ROWS+1)-1:0] sums;
  assign sums[Y_WIDTH-1:0] = 0;
  genvar i;
  generate for (i = 0; i < ROWS; i = i + 1)
    assign sums[Y_WIDTH*(i+1) +: Y_WIDTH] =
      sums[Y_WIDTH*i +: Y_WIDTH] + ((a << i) & {Y_WIDTH{b[i]}});
  endgenerate
  assign Y = sums[Y_WIDTH*ROWS +: Y_WIDTH];
endmodule
(* techmap_celltype = "$lcu" *)
module _00_macaw_carries(P, G, CI, CO);
  parameter WIDTH = 1;
  input [WIDTH-1:0] P, G;
  input CI;
  output [WIDTH-1:0] CO;
  wire [WIDTH:0] carries = {CO, CI};
  assign CO = G | (P & carries[WIDTH-1:0]);
endmodule
"""
# What is left of a pipeline where its registers are wires.
_WIRES = """\
opt_expr
opt_clean
opt_dff -nosdff
dffunmap -srst-only
opt_expr
setattr -unset init w:*
techmap -map wires.v
opt_clean
"""
_REGISTER = """\
(* techmap_celltype = "$dff" *)
module macaw_wire(CLK, D, Q);
  parameter WIDTH = 1, CLK_POLARITY = 1;
  input CLK;
  input [WIDTH-1:0] D;
  output [WIDTH-1:0] Q = D;
endmodule
(* techmap_celltype = "$dffe" *)
module macaw_enabled_wire(CLK, EN, D, Q);
  parameter WIDTH = 1, CLK_POLARITY = 1, EN_POLARITY = 1;
  input CLK, EN;
  input [WIDTH-1:0] D;
  output [WIDTH-1:0] Q = D;
endmodule
"""
# ABC must give back a netlist, which is that of this module.
_NOTHING = "module nothing(input a, input b, output y); assign y = a & b; endmodule\n"
_BACK = """\
.model netlist
.inputs ys__n0 ys__n1
.outputs ys__n2
.gate AND A=ys__n0 B=ys__n1 Y=ys__n2
.end
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A module in Verilog, and passes of Yosys that make what it is built on."""

    module: str
    verilog: str
    before: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """Whether two modules with the same ports give the same results.

    Attributes
    ----------
    inputs, outputs : dict of str to int
        Widths of the ports.
    wires : bool
        Take registers for wires, as :mod:`macaw.sim.formal.stages` has a reason to.
    counts : tuple of str
        Outputs that count only where the reference's output ``counts`` is set, and nothing does
        where its ``fits`` is not; without any, the reference has no such outputs.
    """

    gates: Source
    reference: Source
    inputs: dict[str, int]
    outputs: dict[str, int]
    wires: bool = False
    counts: tuple[str, ...] = ()

    @property
    def miter(self) -> str:
        """The Verilog of the miter."""
        ports = [f"input [{width - 1}:0] {name}" for name, width in self.inputs.items()]
        lines = [f"module macaw_miter({', '.join(ports)}, output bad);"]
        for side in ("gates", "reference"):
            lines += [f"wire [{w - 1}:0] {side}_{name};" for name, w in self.outputs.items()]
            pins = [f".{name}({name})" for name in self.inputs]
            pins += [f".{name}({side}_{name})" for name in self.outputs]
            if self.counts and side == "reference":
                pins += [".counts(counts)", ".fits(fits)"]
                lines.append("wire counts, fits;")
            lines.append(f"{getattr(self, side).module} {side}({', '.join(pins)});")
        unequal = [f"gates_{name} != reference_{name}" for name in self.outputs]
        if self.counts:
            unequal = [
                f"({each}) & {'fits & counts' if name in self.counts else 'fits'}"
                for name, each in zip(self.outputs, unequal, strict=True)
            ]
        return "\n".join([*lines, f"assign bad = {' | '.join(unequal)};", "endmodule", ""])

    def key(self, tool: yosys.Tool) -> str:
        """The key of the answer: of all that decides it."""
        return store.key(
            formal=REVISION,
            miter=self.miter,
            gates=self.gates.verilog,
            reference=self.reference.verilog,
            before=[self.gates.before, self.reference.before],
            scripts=[
                _READ,
                _MAP,
                _ASK,
                _PLAIN,
                DECIDE,
                *([_WIRES, _REGISTER] if self.wires else []),
            ],
            yosys=[tool.name.removeprefix("yowasp-"), tool.version],
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """``proven``, ``refuted`` by codes of the inputs, or ``open``, for a reason."""

    verdict: str
    seconds: float
    inputs: dict[str, int] | None = None
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """What is stored of a proof or a counterexample."""
        return {"verdict": self.verdict, "seconds": self.seconds, "inputs": self.inputs}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Answer:
        """The inverse of :meth:`to_json`."""
        return cls(**stored)


def decide(question: Question, *, timeout: float, cache: bool = True) -> Answer:
    """Answer ``question``, from the store if it was answered before.

    Raises
    ------
    ToolError
        Yosys is missing, or does not read the modules.
    """
    tool = yosys.find("yosys", prefer="yowasp")
    key = question.key(tool)
    if cache and (stored := store.get(key, Answer.from_json)) is not None:
        return stored
    with processes.temporary_folder() as folder:
        answer = _decide(question, tool, folder, timeout)
    if cache and answer.verdict != OPEN:
        store.put(key, answer.to_json())
    return answer


def _decide(question: Question, tool: yosys.Tool, folder: Path, timeout: float) -> Answer:
    write(question, folder)
    read_in, mapped = scripts(question)
    (folder / "prove.ys").write_text(f"{read_in}{mapped}design -reset\n{_ASK}", encoding="utf-8")
    text = f"read_aiger miter.aig; {DECIDE}; write_status status.txt; write_cex cex.txt\n"
    started = time.monotonic()
    if not ask(tool, folder, text, timeout=timeout, script="prove.ys"):
        return Answer(verdict=OPEN, seconds=time.monotonic() - started, reason="time limit")
    return read(folder, question.inputs, time.monotonic() - started)


def write(question: Question, folder: Path) -> None:
    """The modules of a question, and what scripts of Yosys map them with."""
    for name, text in {
        "gates.v": question.gates.verilog,
        "reference.v": question.reference.verilog,
        "miter.v": question.miter,
        "plain.v": _PLAIN,
        "wires.v": _REGISTER,
    }.items():
        (folder / name).write_text(text, encoding="utf-8")


def scripts(question: Question) -> tuple[str, str]:
    """What reads the miter and flattens it, and what makes a graph of it."""
    sides = (question.gates, question.reference)
    before = "\n".join(side.before for side in sides if side.before)
    return _READ.format(before=before), (_WIRES if question.wires else "") + _MAP


def ask(
    tool: yosys.Tool, folder: Path, text: str, *, timeout: float, script: str = "ask.ys"
) -> bool:
    """Run a script of ABC, whose answers are in files; False if it ran out of time."""
    for name, content in {
        "ask.ys": _ASK,
        "nothing.v": _NOTHING,
        "nothing.blif": _BACK,
        "decide.abc": f"{text}read_blif nothing.blif\n",
    }.items():
        (folder / name).write_text(content, encoding="utf-8")
    try:
        yosys.call(tool, ("-q", "-s", script), folder=folder, timeout=timeout, what="proof")
    except yosys.ToolTimeout:
        return False
    return True


def read(folder: Path, inputs: dict[str, int], seconds: float) -> Answer:
    """What ABC left in ``folder`` about inputs of these widths.

    Raises
    ------
    ToolError
        There is nothing, or the graph has other inputs than the question.
    """
    graph = (folder / "miter.aig").read_bytes()
    heading = graph.split(b"\n", 1)[0].split()
    # An input that Yosys lost, or one too many, such as of a signal that nothing drives, would
    # make another question of it.
    if [int(word) for word in heading[2:4]] != [sum(inputs.values()), 0]:
        raise ToolError(f"the miter has other inputs than {sum(inputs.values())} bits")
    try:
        status = (folder / "status.txt").read_text(encoding="utf-8").split()[0]
    except (OSError, IndexError):
        raise ToolError("ABC left no status") from None
    if status == "snl_UNSAT":
        return Answer(verdict=PROVEN, seconds=seconds)
    if status != "snl_SAT":
        return Answer(verdict=OPEN, seconds=seconds, reason="ABC gave up")
    bits = (folder / "cex.txt").read_text(encoding="utf-8").split()[0]
    codes = dict.fromkeys(inputs, 0)
    # The names of inputs are lines at the end of the graph, whose middle is no text.
    for index, name, bit in re.findall(rb"(?<=\n)i(\d+) (\w+)(?:\[(\d+)\])?(?=\n)", graph):
        codes[name.decode()] |= int(bits[int(index)]) << int(bit or 0)
    return Answer(verdict=REFUTED, seconds=seconds, inputs=codes)
