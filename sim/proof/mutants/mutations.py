# SPDX-License-Identifier: BSD-2-Clause
"""Small changes of a source: which there are, what they are called, and the changed text.

A mutation replaces one expression or statement by another text. It is named by its file, the
function or class around it, and the text of both as Python writes a syntax tree, so that its name
outlives shifted lines and changed line breaks. Where a function has the same text more than once,
``nth`` counts.
"""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
"""The folder of the sources: a clone, for an installed macaw has neither tests nor mutants."""

PLACES = {
    "hdl": (
        "arithmetic",
        "elementary",
        "rows",
        "schedule",
        "units",
        "component.py",
        "lfsr.py",
        "ports.py",
    ),
    "golden": ("arithmetic", "formats", "tensors", "units"),
}
"""Where mutations are drawn: in what decides results."""
WORDS = (
    "hdl/schedule/delays.py",  # estimates: where registers go, and no result
    "hdl/schedule/labels.py",  # names of signals
    "golden/formats/aliases.py",  # what others call formats
    "golden/formats/texts.py",  # how values are shown
    "golden/units/naming",  # names of modules
)
"""Files there that decide none: names, texts and estimates, which tests of their own compare."""

_SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
_ESTIMATED = {"registers", "slowest"}
"""Attributes that count bits of registers and keep the longest estimate."""
_ESTIMATES = {"delays", "late", "decided", "time", "slowest", "labels"}
"""What estimates are asked of and compared by, and what signals are named by."""
_TWINS = {"min": "max", "max": "min", "any": "all", "all": "any"}
_CHOICES = ("mux", "Mux", "where")


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Mutation:
    """One change of one source.

    Attributes
    ----------
    file : str
        Path from the root of the sources, with slashes.
    where : str
        The function, and the classes and functions around it, with dots; empty for the module.
    old, new : str
        Texts of the expression or statement, as :func:`ast.unparse` writes them.
    nth : int
        Of the places in ``where`` with the text ``old``, in the order of the source.
    """

    file: str
    where: str
    old: str
    new: str
    nth: int = 0

    @property
    def name(self) -> str:
        """One line that says it all, the same while the code around it changes."""
        again = f" #{self.nth}" if self.nth else ""
        texts = (" ".join(text.split()) for text in (self.old, self.new))
        return f"{self.file} {self.where or '-'}: {' => '.join(texts)}{again}"

    def to_json(self) -> dict[str, Any]:
        """The fields; :func:`mutation` reads them back."""
        fields = {"file": self.file, "in": self.where, "from": self.old, "to": self.new}
        return fields | ({"nth": self.nth} if self.nth else {})

    def lines(self) -> range:
        """The lines from the beginning of the statement that is changed to its changed part.

        None is run with a function if it belongs to a class or the module.

        Raises
        ------
        LookupError
            The source has no such text any more.
        """
        node, _, statement = _find(self, ast.parse(_text(self.file)))
        return range(statement.lineno, (node.end_lineno or statement.lineno) + 1)

    def function(self) -> str:
        """The function whose body is changed, as Python qualifies it, not one within another.

        Empty where no function's code changes: in a class, a default, the module itself.
        """
        tree = ast.parse(_text(self.file))
        node, _, _ = _find(self, tree)
        inner: ast.AST = tree
        names: list[str] = []
        for part in filter(None, self.where.split(".")):
            inner = next(
                each
                for each in ast.walk(inner)
                if isinstance(each, ast.FunctionDef | ast.ClassDef)
                and each.name == part
                and any(below is node for below in ast.walk(each))
            )
            names.append(part)
            if isinstance(inner, ast.FunctionDef):
                body = (below for each in inner.body for below in ast.walk(each))
                return ".".join(names) if any(below is node for below in body) else ""
        return ""

    def source(self) -> str:
        """The changed source of the file, without its comments.

        Raises
        ------
        LookupError
            The source has no such text any more.
        """
        tree = ast.parse(_text(self.file))
        node, parent, _ = _find(self, tree)
        _replace(parent, node, _parsed(self.new, isinstance(node, ast.stmt)))
        return ast.unparse(ast.fix_missing_locations(tree))


def mutation(fields: dict[str, Any]) -> Mutation:
    """What :meth:`Mutation.to_json` wrote; other fields do not matter."""
    return Mutation(
        file=fields["file"],
        where=fields["in"],
        old=fields["from"],
        new=fields["to"],
        nth=fields.get("nth", 0),
    )


def sources(room: str) -> list[str]:
    """Files of ``hdl`` or ``golden`` in which mutations are drawn."""
    found = []
    for place in PLACES[room]:
        path = ROOT / room / place
        files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
        found += [file.relative_to(ROOT).as_posix() for file in files]
    return [file for file in found if not file.startswith(WORDS) and "__init__" not in file]


def drawn(file: str) -> list[Mutation]:
    """Every mutation of a file that the operators make: another operator, operand, constant …"""
    tree = ast.parse(_text(file))
    found: dict[Mutation, None] = {}
    counts: dict[tuple[str, str], int] = {}
    skipped = _steps(tree) | (_estimates(tree) if file.startswith("hdl/") else set())
    for where, node, _, _ in _nodes(tree):
        old = ast.unparse(node)
        nth = counts.get((where, old), 0)
        counts[where, old] = nth + 1
        if id(node) in skipped:
            continue
        for changed in _changes(node):
            new = changed if isinstance(changed, str) else ast.unparse(changed)
            if new != old:
                found[Mutation(file=file, where=where, old=old, new=new, nth=nth)] = None
    return list(found)


Place = tuple[str, ast.expr | ast.stmt, ast.AST, ast.stmt]
"""Where, a node, the node that it is in, and the statement that it is in."""


def _nodes(tree: ast.Module) -> Iterator[Place]:
    """Expressions and statements that are computed, in the order of the source."""
    yield from _below(tree, "", None)


def _below(parent: ast.AST, where: str, statement: ast.stmt | None) -> Iterator[Place]:
    for name, value in ast.iter_fields(parent):
        if name in ("annotation", "returns", "decorator_list", "bases", "type_params"):
            continue
        for node in value if isinstance(value, list) else [value]:
            if not isinstance(node, ast.AST) or _is_text(node):
                continue
            inner, own = where, statement
            if isinstance(node, ast.stmt):
                own = node
            if isinstance(node, ast.expr | ast.stmt):
                assert own is not None
                yield where, node, parent, own
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                inner = f"{where}.{node.name}" if where else node.name
            yield from _below(node, inner, own)


def _steps(tree: ast.Module) -> set[int]:
    """Statements without which a loop would not end, which is noticed, but late."""
    return {
        id(step)
        for loop in ast.walk(tree)
        if isinstance(loop, ast.While)
        for step in loop.body
        if isinstance(step, ast.AugAssign) and ast.unparse(step.target) in ast.unparse(loop.test)
    }


def _estimates(tree: ast.Module) -> set[int]:
    """Nodes that only say how long something takes, how many registers there are, or a name.

    They decide where registers stand, and never what these hold.
    """
    found: set[int] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id="time")]) | ast.AugAssign(target=ast.Name("time")):
                skipped = True
            case ast.Assign(targets=[ast.Attribute(attr=name)]):
                skipped = name in _ESTIMATED
            case ast.AugAssign(target=ast.Attribute(attr=name)):
                skipped = name in _ESTIMATED
            case ast.BinOp() | ast.IfExp():
                skipped = any(_is_estimated(each) for each in ast.walk(node))
            case ast.Call(func=ast.Attribute() as called):
                skipped = any(
                    isinstance(each, ast.Attribute) and each.attr in _ESTIMATES
                    for each in ast.walk(called)
                )
            case _:
                skipped = False
        if skipped:
            found |= {id(each) for each in ast.walk(node)}
    return found


def _is_estimated(node: ast.AST) -> bool:
    """An estimate of a delay, or what a word has of it."""
    return isinstance(node, ast.Attribute) and node.attr in ("delays", "time")


def _is_text(node: ast.AST) -> bool:
    """Docstrings, imports, messages: nothing of them is a result."""
    if isinstance(node, ast.Import | ast.ImportFrom | ast.Raise | ast.JoinedStr | ast.Assert):
        return True
    if isinstance(node, ast.Expr):
        node = node.value
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return True
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _changes(node: ast.expr | ast.stmt) -> Iterator[ast.AST | str]:
    match node:
        case ast.Expr(value=ast.Call()):
            yield "pass"
        case ast.AugAssign():
            yield "pass"
        case ast.BinOp(op=op):
            if type(op) in _SWAPS:
                yield _with(node, op=_SWAPS[type(op)]())
            if isinstance(op, ast.BitAnd | ast.BitOr):
                yield node.left
                yield node.right
            elif isinstance(node.right, ast.Constant) and isinstance(op, ast.Add | ast.Sub):
                yield node.left
        case ast.BoolOp(op=op, values=values):
            yield _with(node, op=_SWAPS[type(op)]())
            yield from values if len(values) == 2 else ()
        case ast.Compare(ops=[op], comparators=[_]) if type(op) in _SWAPS:
            yield _with(node, ops=[_SWAPS[type(op)]()])
        case ast.Compare(ops=[first, second]) if type(second) in _SWAPS:
            yield _with(node, ops=[first, _SWAPS[type(second)]()])
            if type(first) in _SWAPS:
                yield _with(node, ops=[_SWAPS[type(first)](), second])
        case ast.UnaryOp(op=ast.Invert() | ast.Not() | ast.USub(), operand=operand):
            if not isinstance(operand, ast.Constant):
                yield operand
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield ast.Constant(value + 1)
            if value:
                yield ast.Constant(value - 1)
        case ast.IfExp():
            yield _with(node, body=node.orelse, orelse=node.body)
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)):
            yield from _of_calls(node, name)


def _of_calls(node: ast.Call, name: str) -> Iterator[ast.AST]:
    if name in _CHOICES and len(node.args) == 3:
        yield _with(node, args=[node.args[0], node.args[2], node.args[1]])
    if name in _TWINS:
        called = copy.copy(node.func)
        if isinstance(called, ast.Attribute):
            called.attr = _TWINS[name]
        elif isinstance(called, ast.Name):
            called.id = _TWINS[name]
        yield _with(node, func=called)


def _with(node: Any, **fields: Any) -> Any:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _text(file: str) -> str:
    return (ROOT / file).read_text(encoding="utf-8")


def stale(changes: Sequence[Mutation]) -> list[Mutation]:
    """Those whose text is no more in the sources."""
    places: dict[str, Counter[tuple[str, str]]] = {}
    for file in {change.file for change in changes}:
        tree = ast.parse(_text(file) if (ROOT / file).exists() else "")
        places[file] = Counter((where, ast.unparse(node)) for where, node, *_ in _nodes(tree))
    return [c for c in changes if places[c.file][c.where, c.old] <= c.nth]


def _find(change: Mutation, tree: ast.Module) -> tuple[ast.expr | ast.stmt, ast.AST, ast.stmt]:
    """The node of a mutation, the one that it is in, and its statement."""
    left = change.nth
    for where, node, parent, statement in _nodes(tree):
        if where == change.where and ast.unparse(node) == change.old:
            if left == 0:
                return node, parent, statement
            left -= 1
    raise LookupError(f"{change.name}: the source has no such text")


def _parsed(text: str, statement: bool) -> ast.AST:
    (node,) = ast.parse(text).body
    return node if statement else node.value  # type: ignore[attr-defined]


def _replace(parent: ast.AST, node: ast.AST, new: ast.AST) -> None:
    for name, value in ast.iter_fields(parent):
        if value is node:
            setattr(parent, name, new)
        elif isinstance(value, list):
            value[:] = [new if each is node else each for each in value]
