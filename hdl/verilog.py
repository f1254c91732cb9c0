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
from collections.abc import Iterator, Mapping, Sequence

from macaw.tools import processes
from macaw.tools import yosys as tools

from .schedule.labels import Place
from .sections import Module

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

# Without a handshake each clock is a beat, but for those under reset: an asynchronous reset is read
# there, too, and Verilator takes that for an oversight.
_ASKED = """\
// Clocks under reset are no beats, so that logic reads the reset.
/* verilator lint_off SYNCASYNCNET */
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


def verilog(modules: Sequence[tuple[str, str, Mapping[str, Place]]]) -> list[Module]:
    """The Verilog of modules, written in one run of Yosys, which starts slowly.

    Parameters
    ----------
    modules : sequence of (str, str, mapping of str to Place)
        Name of the top module, what Amaranth's back end wrote, and where its signals belong;
        everything below the top module becomes part of it.

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
        for number, (name, rtlil, _) in enumerate(modules):
            (work / f"{number}.il").write_text(_unsigned(_wide(_parted(rtlil))), encoding="utf-8")
            script.append(_SCRIPT.format(number=number, name=name))
        (work / "script.ys").write_text("".join(script), encoding="utf-8")
        tools.call(
            tools.find("yosys", prefer="yowasp"), ("-q", "-s", "script.ys"), folder=work,
            timeout=600, what=modules[0][0], notify=_notify,
        )  # fmt: skip
        texts = [(work / f"{i}.v").read_text(encoding="utf-8") for i in range(len(modules))]
    return [
        Module(_finished(text), places) for text, (_, _, places) in zip(texts, modules, strict=True)
    ]


def _finished(text: str) -> str:
    """Yosys' text with its heading replaced, repetitions, initial values and the reader."""
    lines = [line.rstrip() for line in text.splitlines() if not line.startswith("/* Generated")]
    body = "\n".join(lines).strip() + "\n"
    return _heading(body) + _with_reader(
        _with_initial(_REPEATED.sub(_repetition, _without_loops(body)))
    )


def _heading(text: str) -> str:
    for reset in sorted(set(re.findall(r"@\(posedge \w+, (?:pos|neg)edge (\w+)\)", text))):
        if re.search(rf"^  assign .* = .*(?<![\w'$\\]){reset}(?![\w$])", text, flags=re.MULTILINE):
            return _HEADING + _ASKED
    return _HEADING


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
_CLOCKED = re.compile(rf"^\s+(?:else )?{_NAME} <= (\{{[^{{}}]*\}}|{_NAME});$")
_USE = re.compile(rf"{_NAME}(?:\[(\d+)(?::(\d+))?\])?")


_ASSIGN = re.compile(
    rf"^  assign (?P<target>\{{[^{{}}]*\}}|{_NAME}(?:\[[\d:]+\])?) = (?P<value>.*);$"
)


def _without_loops(text: str) -> str:
    """With wires divided that are read for other parts of themselves.

    Bits of such a wire depend on others of it, which is no loop; but simulators that take a wire as
    one, Verilator among them, see one (UNOPTFLAT).
    """
    while True:
        reads: dict[str, set[str]] = {}
        parts: dict[str, set[tuple[int, int]]] = {}
        widths = {
            found[3]: int(found[2] or 0) + 1
            for line in text.splitlines()
            if (found := _DECLARATION.match(line)) and found[1] == "wire"
        }
        for line in text.splitlines():
            if not (found := _ASSIGN.match(line)):
                continue
            read = {name for name, _, _ in _USE.findall(found["value"])} & widths.keys()
            for name, high, low in _USE.findall(found["target"]):
                if name in widths:
                    ends = (int(high), int(low or high)) if high else (widths[name] - 1, 0)
                    parts.setdefault(name, set()).add(ends)
                    reads.setdefault(name, set()).update(read)
        looped = {
            name
            for name in _on_loops(reads)
            if len(parts[name]) > 1 and not re.search(rf"{re.escape(name)}\[[^\]\d]", text)
        }
        if not looped:
            return text
        for name in looped:
            text = _divided(text, name, _whole(parts[name], widths[name]))


def _on_loops(reads: dict[str, set[str]]) -> set[str]:
    """The names from which a way leads back to themselves."""
    reads = {name: found & reads.keys() for name, found in reads.items()}
    readers: dict[str, set[str]] = {name: set() for name in reads}
    for name, found in reads.items():
        for other in found:
            readers[other].add(name)
    ahead, behind = ({n: len(found) for n, found in ways.items()} for ways in (reads, readers))
    kept = set(reads)
    # What reads nothing that is left, or is read by nothing, is on none.
    ends = [name for name in reads if not ahead[name] or not behind[name]]
    while ends:
        name = ends.pop()
        if name not in kept:
            continue
        kept.remove(name)
        for others, counts in ((readers[name], ahead), (reads[name], behind)):
            for other in others:
                counts[other] -= 1
                if not counts[other]:
                    ends.append(other)
    return kept


def _whole(parts: set[tuple[int, int]], width: int) -> list[tuple[int, int]]:
    """Parts of a wire from the top, and those between that nothing writes."""
    found, above = [], width
    for high, low in sorted(parts, reverse=True):
        if high + 1 < above:
            found.append((above - 1, high + 1))
        found.append((high, low))
        above = low
    return found if above == 0 else [*found, (above - 1, 0)]


def _divided(text: str, name: str, parts: Sequence[tuple[int, int]]) -> str:
    """With a wire for each part of ``name``, from (its highest bit, its lowest one)."""
    stem = name.strip()
    while re.search(rf"\b{re.escape(stem)}_\d", text):
        stem += "_"
    called = {
        (high, low): f"{stem}_{high}" + (f"_{low}" if low < high else "") for high, low in parts
    }
    declarations = "\n".join(
        f"  wire {f'[{high - low}:0] ' if high > low else ''}{wire};"
        for (high, low), wire in called.items()
    )

    def pieces(first: int, last: int) -> list[str]:
        found = []
        for (high, low), wire in called.items():
            top, bottom = min(high, first), max(low, last)
            if top < bottom:
                continue
            if (top, bottom) == (high, low):
                found.append(wire)
            elif top == bottom:
                found.append(f"{wire}[{top - low}]")
            else:
                found.append(f"{wire}[{top - low}:{bottom - low}]")
        return found

    width = parts[0][0] + 1
    use = re.compile(rf"(?<![\w'$\\]){re.escape(name)}(?:\[(\d+)(?::(\d+))?\])?(?![\w$])")
    lines = []
    port = heading = False
    for line in text.splitlines():
        heading = heading or line.startswith("module ")
        if heading:  # with the ports, over several lines where there are many
            heading = not line.endswith(");")
            lines.append(line)
            continue
        declaration = _DECLARATION.match(line)
        if declaration and declaration[3] == name:
            # What is a port stays one, and is put together of its parts.
            port = port or declaration[1] != "wire"
            if port:
                lines.append(line)
            if declaration[1] == "wire":
                lines.append(declarations)
            continue

        def replaced(found: re.Match[str], line: str = line) -> str:
            high = int(found[1]) if found[1] else width - 1
            low = int(found[2] or found[1]) if found[1] else 0
            names = pieces(high, low)
            listed = line.count("{", 0, found.start()) > line.count("}", 0, found.start())
            return ", ".join(names) if listed or len(names) == 1 else f"{{ {', '.join(names)} }}"

        lines.append(use.sub(replaced, line))
    if port:
        lines[-1:] = [f"  assign {name} = {{ {', '.join(called.values())} }};", lines[-1]]
    return "\n".join(lines) + "\n"


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

    lines = text.splitlines()
    # What a register takes at its clock, where it may be the register itself: no reader of it.
    holds = {found[2]: found[1] for line in lines if (found := _CLOCKED.match(line))}
    for line in lines:
        if declaration := _DECLARATION.match(line):
            kind, high, name = declaration.groups()
            width = int(high or 0) + 1
            read.setdefault(name, [kind == "output"] * width)
            written.setdefault(name, [kind == "input"] * width)
        elif statement := _STATEMENT.match(line):
            value = statement["value"]
            if (held := holds.get(statement["target"])) and " ? " in value:
                value = re.sub(rf"(?<= [?:] ){re.escape(held)}(?= :|$)", "", value)
            mark(read, f"{statement['condition']} {value}")
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
