# SPDX-License-Identifier: BSD-2-Clause
"""A module's Verilog in sections: stage by stage, and in each the parts of the arithmetic.

Yosys writes all declarations first, then statements in an order of its own, and numbers what has
no name. Here each statement goes to the stage and part of what it makes, a wire is declared where
it is first spoken of, what has no name is called after what reads it, and a register that takes
its value under a condition says so.
"""

import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from .schedule.labels import Place

__all__ = ["Declaration", "Module", "Statement"]

_NAME = r"(?:\\\S+ |(?<![\w'$])[A-Za-z_][\w$]*)"
_TOKEN = re.compile(_NAME)
_DECLARED = re.compile(rf"^  (input|output|wire|reg) (\[\d+:\d+\] )?({_NAME});$")
_INITIAL = re.compile(rf"^  initial ({_NAME}) = (\S+);$")
_ASSIGN = re.compile(rf"^  assign (\{{[^{{}}]*\}}|{_NAME}(?:\[[\d:]+\])?) = (.*);$", re.DOTALL)
_CLOCKED = re.compile(rf"({_NAME})(?:\[[^\]]*\])? <= ")
_LAST = re.compile(rf"^    (else )?({_NAME}(?:\[[\d:]+\])?) <= (_\w+_);$")
_NAMELESS = re.compile(r"_\w+_|_\d+_[\d_]+")
_CHOICE = re.compile(r"^(\S+) \? (.*) : (.*)$")
_SIMPLE = re.compile(r"^(  always @\(.*\))\n    (if \([^()]*\) )?(\S+ <= [^\n]*;)$")
_LONGEST = 100

Part = tuple[int, bool, tuple[str, ...]]
"""Stage, whether it is arithmetic and not the registers before it, and scope."""

_OUTSIDE = 1 << 30
"""The stage of what belongs to none: handshakes, memories and results come last."""


@dataclass(slots=True)
class Declaration:
    """A wire, register or port: its kind and range as written, and its power-on value."""

    kind: str
    range: str = ""
    initial: str = ""


@dataclass(slots=True)
class Statement:
    """An assignment, or a clocked process, as lines of text."""

    text: str
    targets: list[str] = field(default_factory=list)
    reads: set[str] = field(default_factory=set)
    clocked: bool = False


class Module:
    """The parts of a module's text, which can be put in another order.

    Parameters
    ----------
    text : str
        One module as :mod:`macaw.hdl.verilog` has it from Yosys.
    places : mapping of str to Place
        Where the named signals belong; those that are left out are outside the arithmetic.
    """

    def __init__(self, text: str, places: Mapping[str, Place]):
        self.places = dict(places)
        self.order = {name: number for number, name in enumerate(self.places)}
        self.declarations: dict[str, Declaration] = {}
        self.statements: list[Statement] = []
        before, head, rest = _split(text)
        self.heading = before + head
        self.ports: list[str] = []
        self._numbers: Counter[str] = Counter()
        for lines in _items(rest):
            self._read(lines)
        self._clean_names()
        self._join_bits()
        self._take_conditions()
        self._call_nameless()
        self._find_uses()

    def _read(self, lines: list[str]) -> None:
        first = lines[0]
        if found := _DECLARED.match(first):
            kind, width, name = found.groups()
            known = self.declarations.get(name)
            if known is None:
                self.declarations[name] = Declaration(kind=kind, range=width or "")
                if kind in ("input", "output"):
                    self.ports.append(name)
            elif kind == "reg":
                known.kind += " reg"
        elif found := _INITIAL.match(first):
            self.declarations[found[1]].initial = found[2]
        else:
            # A list is one line here, and cut into several when it has its names.
            listed = first.endswith("&{")
            text = " ".join(map(str.strip, lines)) if listed else "\n".join(lines)
            text = f"  {text}" if listed else text
            self.statements.append(Statement(text=text, clocked=first.startswith("  always")))

    # What Yosys leaves without a name.

    def _clean_names(self) -> None:
        """Call by plain words what Amaranth gave names with other characters."""
        renamed: dict[str, str] = {}
        for name in self.declarations:
            if self.label(name) is not None:
                continue
            if name.startswith("\\") or ("__" in name and not _NAMELESS.fullmatch(name)):
                plain = re.sub(r"\W+|__+", "_", name).strip("_")
                while plain in self.declarations or plain in renamed.values():
                    plain += "_"
                renamed[name] = plain
        for name, plain in renamed.items():
            self.declarations[plain] = self.declarations.pop(name)
        if renamed:
            self._rename(renamed)

    def _join_bits(self) -> None:
        """Make one wire of nameless bits that only ever stand side by side."""
        nameless = {
            n for n, d in self.declarations.items() if _NAMELESS.fullmatch(n) and not d.range
        }
        used: Counter[str] = Counter()
        groups: Counter[str] = Counter()
        for statement in self.statements:
            used.update(_TOKEN.findall(statement.text))
            groups.update(re.findall(r"\{ _\w+_(?:, _\w+_)+ \}", statement.text))
        joined = {}
        for number, (group, count) in enumerate(groups.items()):
            names = group[2:-2].split(", ")
            if nameless.issuperset(names) and all(used[name] == count for name in names):
                joined[group] = whole = f"_w{number}_"
                self.declarations[whole] = Declaration(kind="wire", range=f"[{len(names) - 1}:0] ")
                for name in names:
                    del self.declarations[name]
        if joined:
            pattern = re.compile("|".join(map(re.escape, joined)))
            for statement in self.statements:
                statement.text = pattern.sub(lambda found: joined[found[0]], statement.text)

    def _take_conditions(self) -> None:
        """Write ``if (advance)`` where a register takes its own value otherwise."""
        used = Counter(name for each in self.statements for name in _TOKEN.findall(each.text))
        made = {
            found[1]: (statement, found[2])
            for statement in self.statements
            if (found := _ASSIGN.match(statement.text)) and found[1].startswith("_")
        }
        gone: set[int] = set()
        for statement in self.statements:
            *lines, last = statement.text.split("\n")
            while statement.clocked and (found := _LAST.match(last)):
                other, target, name = found.groups()
                source = made.get(name)
                choice = _CHOICE.match(source[1]) if source and used[name] == 2 else None
                if source is None or choice is None:
                    break
                condition, then, otherwise = choice.groups()
                if re.fullmatch(r"\d+'\w+", then) and otherwise != target:
                    lines.append(f"    {other or ''}if ({condition}) {target} <= {then};")
                    last = f"    else {target} <= {otherwise};"
                elif target in (then, otherwise):
                    taken = then if otherwise == target else otherwise
                    negation = "" if otherwise == target else "~"
                    last = f"    {other or ''}if ({negation}{condition}) {target} <= {taken};"
                else:
                    break
                gone.add(id(source[0]))
                del self.declarations[name]
            statement.text = "\n".join([*lines, last])
        self.statements = [each for each in self.statements if id(each) not in gone]

    def _call_nameless(self) -> None:
        """Name what has no name after what reads it."""
        self._find_uses()
        left = {name for name in self.declarations if _NAMELESS.fullmatch(name)}
        renamed: dict[str, str] = {}
        numbers: Counter[str] = Counter()

        def call(name: str, other: str, word: str, before: bool) -> None:
            place = self.place(other)
            if place is None:
                stem = f"{re.sub(r'[^A-Za-z0-9]+', '_', other).strip('_')}_{word}"
            else:
                stage = place.stage - (before and place.register)
                place = Place(scope=place.scope, stage=max(stage, 0))
                stem = "_".join([*place.scope, word]) + f"_s{place.stage}"
            numbers[stem] += 1
            label = f"{stem}_n{numbers[stem]}" if place or numbers[stem] > 1 else stem
            while label in self.declarations:
                label += "_"
            renamed[name] = label
            self.declarations[label] = self.declarations.pop(name)
            if place is not None:
                self.order.setdefault(label, self.order.get(self.label(other) or "", 0))
                self.places[label] = place
            left.discard(name)

        while left:
            known = len(left)
            for statement in self.statements:
                targets = [t for t in statement.targets if t not in left]
                if targets and (found := sorted(left & statement.reads)):
                    first = renamed.get(targets[0], targets[0])
                    for name in found:
                        word = "next" if statement.clocked else "term"
                        call(name, first, word, statement.clocked)
                elif targets and (found := sorted(left.intersection(statement.targets))):
                    read = {name for each in self.statements[:-1] for name in each.reads}
                    for name in found:
                        if name not in read:
                            call(name, renamed.get(targets[0], targets[0]), "rest", False)
            if len(left) == known:
                # Nothing with a name reads it: then it is called after what it comes from.
                for name in sorted(left):
                    makers = (each for each in self.statements if name in each.targets)
                    read = sorted({n for each in makers for n in each.reads} - left)
                    call(name, renamed.get(read[0], read[0]) if read else "wire", "rest", False)
        self._rename(renamed)

    def _rename(self, names: Mapping[str, str]) -> None:
        def called(found: re.Match[str]) -> str:
            return names.get(found[0], found[0])

        for statement in self.statements:
            statement.text = _TOKEN.sub(called, statement.text)

    def _find_uses(self) -> None:
        for statement in self.statements:
            names = [n for n in _TOKEN.findall(statement.text) if n in self.declarations]
            if found := _ASSIGN.match(statement.text):
                targets = [n for n in _TOKEN.findall(found[1]) if n in self.declarations]
                reads = {n for n in _TOKEN.findall(found[2]) if n in self.declarations}
            else:
                # A memory is written without being one of the signals.
                written = dict.fromkeys(_CLOCKED.findall(statement.text))
                targets = [name for name in written if name in self.declarations]
                reads = set(names)
            statement.targets, statement.reads = targets, reads

    # Order.

    def label(self, name: str) -> str | None:
        """The signal that a name, or that of a part of a divided wire, is of."""
        while name not in self.places:
            name, _, number = name.rpartition("_")
            if not name or (number and not number.isdigit()):
                return None
        return name

    def place(self, name: str) -> Place | None:
        """Where a name belongs, None outside the arithmetic."""
        label = self.label(name)
        return None if label is None else self.places[label]

    def part(self, statement: Statement) -> Part:
        """The part that a statement is written in."""
        place = self.place(statement.targets[0]) if statement.targets else None
        if place is None:
            return _OUTSIDE, True, ()
        return place.stage, not place.register, () if place.register else place.scope

    def parts(self) -> dict[Part, list[Statement]]:
        """Statements by part, the parts and what is in them in the order of writing."""
        found: dict[Part, list[Statement]] = {}
        for statement in sorted(self.statements, key=self._rank):
            found.setdefault(self.part(statement), []).append(statement)
        ordered = sorted(found, key=lambda part: part[:2])
        return {part: _in_order(found[part]) for part in ordered}

    def _rank(self, statement: Statement) -> tuple[int, int]:
        label = self.label(statement.targets[0]) if statement.targets else None
        return (1, 0) if label is None else (0, self.order[label])

    # Text.

    @cached_property
    def text(self) -> str:
        """The module, in sections."""
        shown = set(self.ports)
        self._numbers.clear()
        lines = [self._declare(name) for name in self.ports]
        numbers: dict[str, str] = {}
        self._number(self.ports, numbers)
        for part, statements in self.parts().items():
            inline, early = self._declared(statements, shown)
            lines += ["", f"  // {_title(part)}"]
            lines += [self._declare(name) for name in early]
            for written in _together(statements):
                name = written.targets[0] if written.targets else ""
                text = written.text
                if name in inline:
                    text = text.replace("assign ", f"wire {self.declarations[name].range}", 1)
                lines += text.split("\n")
            self._number([*early, *inline], numbers)
        self._number(self.declarations, numbers)
        text = "\n".join(lines)
        text = _TOKEN.sub(lambda found: numbers.get(found[0], found[0]), text)
        return _wrapped(f"{self.heading}{text}\nendmodule\n")

    def _declared(
        self, statements: list[Statement], shown: set[str]
    ) -> tuple[dict[str, None], list[str]]:
        """(wires declared by their assignment, names declared before the statements)."""
        inline: dict[str, None] = {}
        early: list[str] = []
        for statement in statements:
            whole = _ASSIGN.match(statement.text)
            if whole and whole[1] not in shown and whole[1] not in statement.reads:
                name = whole[1]
                if name in self.declarations and self.declarations[name].kind == "wire":
                    inline[name] = None
            names = [*statement.targets, *_TOKEN.findall(statement.text)]
            for name in names:
                if name in self.declarations and name not in shown:
                    shown.add(name)
                    if name not in inline:
                        early.append(name)
        return inline, early

    def _number(self, names: Iterable[str], numbers: dict[str, str]) -> None:
        """Number the signals of one name in the order in which they are declared."""
        for name in names:
            label = self.label(name)
            if name in numbers or label is None:
                continue
            stem = re.sub(r"(_s\d+)_n?\d+_*$", r"\1", label)
            if label not in numbers:
                self._numbers[stem] += 1
                count = self._numbers[stem]
                numbers[label] = stem if count == 1 else f"{stem}_{count}"
            if name != label:
                # A part of a divided wire: its highest bit, its lowest one.
                numbers[name] = f"{numbers[label]}_bits{name[len(label) :].lstrip('_')}"

    def _declare(self, name: str) -> str:
        declaration = self.declarations[name]
        text = f"  {declaration.kind} {declaration.range}{name};"
        return text + (
            f"\n  initial {name} = {declaration.initial};" if declaration.initial else ""
        )


def _split(text: str) -> tuple[str, str, list[str]]:
    """(what stands before the module, its first lines with the ports, the lines within)."""
    start = text.index("module ")
    end = text.index(");\n", start) + 3
    body = text[end:].rsplit("endmodule", 1)[0]
    return text[:start], text[start:end], body.splitlines()


def _items(lines: Iterable[str]) -> list[list[str]]:
    """Lines by declaration or statement: what is indented further belongs to what is above."""
    items: list[list[str]] = []
    for line in lines:
        if not line.strip():
            continue
        if line.startswith("   ") or line.lstrip().startswith(("end", "}")):
            items[-1].append(line)
        else:
            items.append([line])
    return items


def _in_order(statements: list[Statement]) -> list[Statement]:
    """Wires after those that they read, as far as these are among them; else as they come."""
    makers: dict[str, list[Statement]] = {}
    for statement in statements:
        if not statement.clocked:
            for name in statement.targets:
                makers.setdefault(name, []).append(statement)
    ordered: list[Statement] = []
    seen: set[int] = set()
    for root in statements:
        stack = [(root, False)]
        while stack:
            statement, ready = stack.pop()
            if ready:
                ordered.append(statement)
            elif id(statement) not in seen:
                seen.add(id(statement))
                stack.append((statement, True))
                if not statement.clocked:
                    for name in sorted(statement.reads, reverse=True):
                        stack += [(maker, False) for maker in makers.get(name, ())]
    return ordered


def _title(part: Part) -> str:
    stage, arithmetic, scope = part
    if stage == _OUTSIDE:
        return "Outside the stages: handshake, memories, results"
    if not arithmetic:
        return f"Stage {stage}: registers"
    return f"Stage {stage}: {', '.join(scope) or 'between the parts'}"


def _together(statements: list[Statement]) -> list[Statement]:
    """With registers of one clock and condition, which follow each other, in one process."""
    found: list[Statement] = []
    heads: list[tuple[str, str] | None] = []
    for statement in statements:
        clocked = _SIMPLE.match(statement.text)
        head = (clocked[1], clocked[2] or "") if clocked else None
        if clocked and heads and heads[-1] == head:
            before = found[-1]
            if not before.text.endswith("\n  end"):
                start = f"{clocked[1]} {clocked[2] or ''}begin"
                first = _SIMPLE.match(before.text)
                assert first is not None
                before = Statement(text=f"{start}\n    {first[3]}\n  end", targets=before.targets)
                found[-1] = before
            before.text = f"{before.text[:-6]}\n    {clocked[3]}\n  end"
            continue
        found.append(statement)
        heads.append(head)
    return found


def _wrapped(text: str) -> str:
    """Lines that are too long, in several; no brace stands alone."""
    lines = []
    for line in text.replace(" }", "\u00a0}").replace("{ ", "{\u00a0").split("\n"):
        if len(line) <= _LONGEST:
            lines.append(line)
            continue
        indent = len(line) - len(line.lstrip())
        lines += textwrap.wrap(
            line, _LONGEST, subsequent_indent=" " * (indent + 4), break_long_words=False,
            break_on_hyphens=False,
        )  # fmt: skip
    return "\n".join(lines).replace("\u00a0", " ")
