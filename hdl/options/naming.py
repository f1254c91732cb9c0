# SPDX-License-Identifier: BSD-2-Clause
"""What modules are called and may not be called, and the commands that make them."""

import re
import shlex
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from macaw.golden.errors import SpecError
from macaw.golden.units import Unit
from macaw.golden.units.naming import abbreviated, digits, spelled

if TYPE_CHECKING:
    from .implementation import Implementation

__all__ = [
    "LONGEST",
    "TOOLS",
    "VERILOG",
    "VHDL",
    "check",
    "check_free",
    "command",
    "default",
    "identifiers",
]

LONGEST = 120
"""Letters of a module's name. Verilator renames modules of 128 and more."""

# Reserved words of the languages that modules meet: no name of a module may be one.

# IEEE 1364-2005, annex B
_VERILOG = """
always and assign automatic begin buf bufif0 bufif1 case casex casez cell cmos config deassign
default defparam design disable edge else end endcase endconfig endfunction endgenerate
endmodule endprimitive endspecify endtable endtask event for force forever fork function
generate genvar highz0 highz1 if ifnone incdir include initial inout input instance integer
join large liblist library localparam macromodule medium module nand negedge nmos nor
noshowcancelled not notif0 notif1 or output parameter pmos posedge primitive pull0 pull1
pulldown pullup pulsestyle_ondetect pulsestyle_onevent rcmos real realtime reg release repeat
rnmos rpmos rtran rtranif0 rtranif1 scalared showcancelled signed small specify specparam
strong0 strong1 supply0 supply1 table task time tran tranif0 tranif1 tri tri0 tri1 triand
trior trireg unsigned use uwire vectored wait wand weak0 weak1 while wire wor xnor xor
"""

# what IEEE 1800-2017, annex B, adds; 1800-2023 has the same ones
_SYSTEM_VERILOG = """
accept_on alias always_comb always_ff always_latch assert assume before bind bins binsof bit
break byte chandle checker class clocking const constraint context continue cover covergroup
coverpoint cross dist do endchecker endclass endclocking endgroup endinterface endpackage
endprogram endproperty endsequence enum eventually expect export extends extern final
first_match foreach forkjoin global iff ignore_bins illegal_bins implements implies import
inside int interconnect interface intersect join_any join_none let local logic longint matches
modport nettype new nexttime null package packed priority program property protected pure rand
randc randcase randsequence ref reject_on restrict return s_always s_eventually s_nexttime
s_until s_until_with sequence shortint shortreal soft solve static string strong struct super
sync_accept_on sync_reject_on tagged this throughout timeprecision timeunit type typedef union
unique unique0 until until_with untyped var virtual void wait_order weak wildcard with within
"""

# IEEE 1076-2008, 15.10, and 1076-2019, which adds private and view
_VHDL = """
abs access after alias all and architecture array assert assume assume_guarantee attribute
begin block body buffer bus case component configuration constant context cover default
disconnect downto else elsif end entity exit fairness file for force function generate generic
group guarded if impure in inertial inout is label library linkage literal loop map mod nand
new next nor not null of on open or others out package parameter port postponed private
procedure process property protected pure range record register reject release rem report
restrict restrict_guarantee return rol ror select sequence severity shared signal sla sll sra
srl strong subtype then to transport type unaffected units until use variable view vmode vpkg
vprop vunit wait when while with xnor xor
"""

VERILOG = frozenset((_VERILOG + _SYSTEM_VERILOG).split())
"""Verilog's and SystemVerilog's; case matters."""

VHDL = frozenset(_VHDL.split())
"""VHDL's; case does not matter."""

TOOLS = frozenset({"bool", "wone", "wreal", "std", "TOP"})
"""What Icarus (11: the first three) and Verilator (5.048) take for themselves besides."""

_PLAIN = re.compile(r"[A-Za-z](_?[A-Za-z0-9])*")


def default(spec: Unit, implementation: "Implementation") -> str:
    """The module's name unless it is given: the unit's, then how it is built.

    No two modules that differ share one.
    """
    text = "_".join([spec.name, *_words(implementation)])
    if len(text) <= LONGEST:
        return text
    return abbreviated(text, text, LONGEST - 9)


def _words(option: "Implementation") -> list[str]:
    """A word for each choice that is not the usual one, each from a set of its own.

    ``widest_sum`` has none: it allows a unit or refuses it, and changes nothing.
    """
    words = [f"s{option.stages}" if option.frequency is None else f"f{digits(option.frequency)}"]
    if option.bus or option.flow != "none":
        words.append(option.bus or option.flow)
    if option.target != "ecp5":
        words.append(option.target)
    words += {"sync": [], "async": ["async"], "none": ["noreset"]}[option.reset]
    if option.reset_active != "auto":
        words.append("rstn")
    if option.multiplier != "auto":
        words.append(f"mul{option.multiplier}")
    if option.table != "logic":
        words.append(option.table)
    if option.optimise != "balanced":
        words.append(option.optimise)
    if option.fold > 1:
        words.append(f"fold{option.fold}")
    if option.digits is not None:
        words.append(f"digits{option.digits}")
    if option.budgets is not None:
        words.append("budgets" + "x".join(map(digits, option.budgets)))
    if option.ready == "registered":
        words.append("skid")
    words += {"auto": [], "on": ["tlast"], "off": ["notlast"]}[option.tlast]
    return words


def check(name: Any) -> None:
    """SpecError unless a module can be called ``name`` in Verilog, SystemVerilog and VHDL."""
    if not isinstance(name, str) or not _PLAIN.fullmatch(name) or len(name) > LONGEST:
        raise SpecError(
            f"name={name}: must be a letter, then letters, digits and single underscores, "
            f"{LONGEST} at most"
        )
    for language, words in (
        ("Verilog", VERILOG & {name}),
        ("VHDL", VHDL & {name.lower()}),
        ("Icarus or Verilator", TOOLS & {name}),
    ):
        if words:
            raise SpecError(f"name={name}: is a reserved word of {language}")


def identifiers(verilog: str, name: str) -> set[str]:
    """What the text of the module ``name`` calls its ports and signals; other words besides."""
    code = re.sub(r"//.*|/\*.*?\*/", "", verilog)
    # a long name stands on a line of its own
    code = re.sub(rf"\bmodule\s+{name}\b", "", code, count=1)
    return set(re.findall(r"(?<![\w'$])[A-Za-z_]\w*", code))


def check_free(name: str, taken: Iterable[str], what: str) -> None:
    """SpecError if the module has a port or a signal of its own name."""
    if name in taken:
        raise SpecError(f"name={name}: the module has {what} of this name")


def command(verb: str, spec: Unit, option: "Implementation | None", *rest: str) -> str:
    """The command line ``macaw <verb>`` for this unit, built in this way, then ``rest``.

    Quoted for a shell. Parameters that follow from the others are left out. What says how it is
    built is spelled ``--name``, since units have parameters of the same names.
    """
    words = ["macaw", verb, spec.kind]
    words += [f"{name}={spelled(value)}" for name, value in spec.essential.items()]
    for name, value in option.parameters.items() if option is not None else ():
        words += [f"--{name.replace('_', '-')}", spelled(value)]
    return shlex.join([*words, *rest])
