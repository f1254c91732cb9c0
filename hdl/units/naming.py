# SPDX-License-Identifier: BSD-2-Clause
"""What modules are called, and the commands that make them."""

import re
import shlex
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from macaw.golden.errors import SpecError
from macaw.golden.units import Unit
from macaw.golden.units.specification import abbreviated, digits, spelled

from .keywords import TOOLS, VERILOG, VHDL

if TYPE_CHECKING:
    from .implementation import Implementation

__all__ = ["LONGEST", "check", "check_free", "command", "default", "identifiers"]

LONGEST = 120
"""Letters of a module's name. Verilator renames modules of 128 and more."""

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
    if option.fold > 1:
        words.append(f"fold{option.fold}")
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
    code = re.sub(r"//.*|/\*.*?\*/", "", verilog).replace(f"module {name}", "", 1)
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
