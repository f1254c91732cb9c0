# SPDX-License-Identifier: BSD-2-Clause
"""Amaranth's netlist as Verilog that linters take as it is.

Yosys writes the text. Left alone, it leaves it to Verilog's rules to extend operands to the width
of their result, which Verilator stops at (WIDTHEXPAND); it declares the whole result of an
operator besides the parts of it that have names; it gives registers their power-on value where
they are declared (PROCASSINIT). So the netlist is put into a form of which Yosys' text has none of
this, and what arithmetic discards by its nature, such as the low end of a product, is read by one
wire that nothing reads.
"""

import itertools
import re
import sys
import textwrap
from collections.abc import Iterator, Sequence

from macaw import processes

from . import tools

__all__ = ["verilog"]

# Operators, and the width to which Verilog extends their operands. Products are not among them:
# linters take their operands as they are, and synthesis finds its multipliers by these widths.
_WIDER = "A_WIDTH > B_WIDTH ? A_WIDTH : B_WIDTH"
_EXTENDED = {
    **dict.fromkeys(("$add", "$sub", "$and", "$or", "$xor"), "Y_WIDTH"),
    **dict.fromkeys(("$eq", "$ne", "$lt", "$le", "$gt", "$ge"), _WIDER),
}

_EXTENSION = r"""
module \{cell} (A, B, Y);
  parameter A_SIGNED = 0;
  parameter B_SIGNED = 0;
  parameter A_WIDTH = 1;
  parameter B_WIDTH = 1;
  parameter Y_WIDTH = 1;
  localparam SIGNED = A_SIGNED && B_SIGNED;
  localparam WIDTH = {width};
  input [A_WIDTH-1:0] A;
  input [B_WIDTH-1:0] B;
  output [Y_WIDTH-1:0] Y;
  wire _TECHMAP_FAIL_ = A_WIDTH == WIDTH && B_WIDTH == WIDTH;
  wire [WIDTH-1:0] a, b;
  generate
    if (SIGNED) begin
      assign a = $signed(A);
      assign b = $signed(B);
    end else begin
      assign a = A;
      assign b = B;
    end
  endgenerate
  \{cell} #(
    .A_SIGNED(SIGNED), .B_SIGNED(SIGNED), .A_WIDTH(WIDTH), .B_WIDTH(WIDTH), .Y_WIDTH(Y_WIDTH)
  ) _TECHMAP_REPLACE_ (.A(a), .B(b), .Y(Y));
endmodule
"""

# A test of several bits for zero, which Yosys writes as "!", and a choice by one-hot bits, which
# it writes as a casez whose branches overlap.
_OTHERS = r"""
module \$logic_not (A, Y);
  parameter A_SIGNED = 0;
  parameter A_WIDTH = 1;
  parameter Y_WIDTH = 1;
  input [A_WIDTH-1:0] A;
  output [Y_WIDTH-1:0] Y;
  wire _TECHMAP_FAIL_ = A_WIDTH == 1;
  assign Y = A == {A_WIDTH{1'b0}};
endmodule

module \$pmux (A, B, S, Y);
  parameter WIDTH = 1;
  parameter S_WIDTH = 1;
  input [WIDTH-1:0] A;
  input [WIDTH*S_WIDTH-1:0] B;
  input [S_WIDTH-1:0] S;
  output [WIDTH-1:0] Y;
  wire [WIDTH*(S_WIDTH+1)-1:0] chosen;
  assign chosen[WIDTH-1:0] = A & {WIDTH{~|S}};
  genvar i;
  generate
    for (i = 0; i < S_WIDTH; i = i + 1)
      assign chosen[WIDTH*(i+1) +: WIDTH] =
        chosen[WIDTH*i +: WIDTH] | B[WIDTH*i +: WIDTH] & {WIDTH{S[i]}};
  endgenerate
  assign Y = chosen[WIDTH*S_WIDTH +: WIDTH];
endmodule
"""
_MAP = _OTHERS + "".join(_EXTENSION.format(cell=c, width=w) for c, w in _EXTENDED.items())

# wreduce takes result bits off that nothing reads, and splitnets the names of the whole results
# of which parts have names of their own.
# The module has no delays and does as well with the time scale of other files as without. Verilator
# would stop at it if another file has one; with one here, at other files that have none.
_HEADING = """\
// No delays: any time scale of other files will do.
/* verilator lint_off TIMESCALEMOD */
"""

_SCRIPT = """\
read_rtlil {number}.il
hierarchy -top {name}
proc
flatten
opt_clean -purge
opt_expr t:$lt t:$le t:$gt t:$ge
wreduce t:$add t:$sub w:*
techmap -map map.v
splitnets a:macaw_parts
opt_clean -purge
write_verilog -noattr {number}.v
design -reset
"""


def verilog(modules: Sequence[tuple[str, str]]) -> list[str]:
    """The Verilog text of modules, written in one run of Yosys, which starts slowly.

    Parameters
    ----------
    modules : sequence of (str, str)
        Name of the top module, and what Amaranth's back end wrote; everything below the top
        module becomes part of it.

    Raises
    ------
    ToolError
        If Yosys is missing or fails.
    """
    if not modules:
        return []
    with processes.temporary_folder() as work:
        (work / "map.v").write_text(_MAP, encoding="utf-8")
        script = []
        for number, (name, rtlil) in enumerate(modules):
            (work / f"{number}.il").write_text(_unsigned(_wide(_parted(rtlil))), encoding="utf-8")
            script.append(_SCRIPT.format(number=number, name=name))
        (work / "script.ys").write_text("".join(script), encoding="utf-8")
        tools.call(
            tools.find("yosys", prefer="yowasp"), ("-q", "-s", "script.ys"), folder=work,
            timeout=600, what=modules[0][0], notify=_notify,
        )  # fmt: skip
        texts = [(work / f"{i}.v").read_text(encoding="utf-8") for i in range(len(modules))]
    return [_finished(text) for text in texts]


def _finished(text: str) -> str:
    """Yosys' text with its heading replaced, repetitions, initial values and the reader."""
    lines = [line.rstrip() for line in text.splitlines() if not line.startswith("/* Generated")]
    body = "\n".join(lines).strip() + "\n"
    return _HEADING + _with_reader(_with_initial(_REPEATED.sub(_repetition, body)))


def _notify(line: str) -> None:
    sys.stderr.write(f"macaw: {line}\n")


def _unsigned(rtlil: str) -> str:
    """Without signs of wires.

    Yosys writes ``$signed`` where an operator is signed, but nothing where it is not: of two
    wires declared as signed, Verilog would make a signed operation.
    """
    return re.sub(r"^(\s*wire .*?)\bsigned (?=\S+$)", r"\1", rtlil, flags=re.MULTILINE)


def _wide(rtlil: str) -> str:
    """With a zero for operands of no width, which Amaranth makes of zeros."""
    text = re.sub(r"^(\s*parameter \\[AB]_WIDTH) 0$", r"\1 1", rtlil, flags=re.MULTILINE)
    return re.sub(r"^(\s*connect \\[AB]) \{  \}$", r"\1 1'0", text, flags=re.MULTILINE)


def _parted(rtlil: str) -> str:
    """With a mark at wires that have no name themselves but parts that have one."""
    parted = set(re.findall(r"^\s*connect \\\S+ (\$\d+) \[", rtlil, flags=re.MULTILINE))

    def mark(wire: re.Match[str]) -> str:
        return f"attribute \\macaw_parts 1\n{wire[0]}" if wire[1] in parted else wire[0]

    return re.sub(r"^\s*wire (?:width \d+ )?(\$\d+)$", mark, rtlil, flags=re.MULTILINE)


_REPEATED = re.compile(r"\{ ([^{}]*) \}")


def _repetition(concatenation: re.Match[str]) -> str:
    """``{ a, b, b, b }`` as ``{ a, {3{b}} }``."""
    runs: list[tuple[str, int]] = []
    for item in concatenation[1].split(", "):
        if runs and runs[-1][0] == item:
            runs[-1] = item, runs[-1][1] + 1
        else:
            runs.append((item, 1))
    words = [f"{{{count}{{{item}}}}}" if count > 1 else item for item, count in runs]
    return words[0] if len(words) == 1 else "{ " + ", ".join(words) + " }"


def _with_initial(text: str) -> str:
    """With the registers' power-on values beside their declarations and not in them."""
    return re.sub(
        r"^  reg (.*?)(\\\S+ |\w+) = (\S+);$",
        r"  reg \1\2;\n  initial \2 = \3;",
        text,
        flags=re.MULTILINE,
    )


_NAME = r"(\\\S+ |(?<![\w'$])[A-Za-z_][\w$]*)"
_DECLARATION = re.compile(rf"^  (input|output|wire|reg) (?:\[(\d+):0\] )?{_NAME};$")
_STATEMENT = re.compile(
    r"^\s+(?:assign |initial |(?P<condition>if \([^()]*\)) |else )?"
    rf"(?P<target>\{{[^{{}}]*\}}|{_NAME}(?:\[[\d:]+\])?) <?= (?P<value>.*);$"
)
_USE = re.compile(rf"{_NAME}(?:\[(\d+)(?::(\d+))?\])?")


def _with_reader(text: str) -> str:
    """With a wire that reads all bits which nothing else does; linters know it by its name.

    Bits that nothing drives either, which is what Yosys leaves of a wire whose other bits are in
    use, are 0.
    """
    read, written = _uses(text)
    parts = [part for name, bits in read.items() for part, _ in _parts(name, bits)]
    if not parts:
        return text
    zeros = [
        f"  assign {part} = {width}'h0;"
        for name, bits in read.items()
        for part, width in _parts(name, [r or w for r, w in zip(bits, written[name], strict=True)])
    ]
    name = "unused"
    while name in read or f"module {name}(" in text:
        name += "_"
    lines = textwrap.wrap(
        ", ".join(["1'h0", *parts]), 94, initial_indent="    ", subsequent_indent="    "
    )
    reader = "\n".join([*zeros, f"  wire {name} = &{{", *lines, "  };"])
    return text.replace("\nendmodule", f"\n{reader}\nendmodule")


def _uses(text: str) -> tuple[dict[str, list[bool]], dict[str, list[bool]]]:
    """Of each wire and port, which bits are read, and which are written, here or outside."""
    read: dict[str, list[bool]] = {}
    written: dict[str, list[bool]] = {}

    def mark(uses: dict[str, list[bool]], part: str) -> None:
        for name, high, low in _USE.findall(part):
            if name in uses:
                bits = uses[name]
                first, last = (int(low or high), int(high)) if high else (0, len(bits) - 1)
                bits[first : last + 1] = [True] * (last + 1 - first)

    for line in text.splitlines():
        if declaration := _DECLARATION.match(line):
            kind, high, name = declaration.groups()
            width = int(high or 0) + 1
            read.setdefault(name, [kind == "output"] * width)
            written.setdefault(name, [kind == "input"] * width)
        elif statement := _STATEMENT.match(line):
            mark(read, f"{statement['condition']} {statement['value']}")
            mark(written, statement["target"])
        else:
            mark(read, line)
    return read, written


def _parts(name: str, marked: list[bool]) -> Iterator[tuple[str, int]]:
    """The ranges of a wire's bits that are not marked, the uppermost first, and their widths."""
    if not any(marked):
        yield name, len(marked)
        return
    high = len(marked)
    for value, run in itertools.groupby(reversed(marked)):
        low = high - len(list(run))
        if not value:
            yield f"{name}[{low if high - low == 1 else f'{high - 1}:{low}'}]", high - low
        high = low
