# SPDX-License-Identifier: BSD-2-Clause
"""A module cut into one module for each part of its arithmetic: what does each of them cost?

The cut is for measuring alone. A tool that keeps the modules apart finds no logic that two parts
share, and none that one of them makes superfluous in another.
"""

from dataclasses import dataclass

from .sections import Module, Statement

__all__ = ["Cut", "cut"]

Scope = tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Cut:
    """A module in parts.

    Attributes
    ----------
    verilog : str
        The module, which only has instances and what belongs to no part, and one for each part.
    modules : dict of str to tuple of str
        The scope of each part by the name of its module, which is that of its instance, too.
    """

    verilog: str
    modules: dict[str, Scope]


def cut(module: Module, name: str) -> Cut:
    """The module ``name``, whose parts are modules of their own, marked to be kept."""
    groups = _groups(module)
    # Who writes a name, and which groups read it.
    writer: dict[str, Scope] = {}
    readers: dict[str, set[Scope]] = {}
    for scope, statements in groups.items():
        for statement in statements:
            for target in statement.targets:
                writer[target] = scope
            for read in statement.reads:
                readers.setdefault(read, set()).add(scope)
    for port in module.ports:
        readers.setdefault(port, set()).add(())
    texts, instances, modules = [], [], {}
    crossing: set[str] = set()
    for number, (scope, statements) in enumerate(groups.items()):
        if not scope:
            continue
        names = dict.fromkeys(n for s in statements for n in (*s.targets, *sorted(s.reads)))
        outputs = [n for n in names if writer.get(n) == scope and readers.get(n, set()) - {scope}]
        inputs = [n for n in names if writer.get(n, ()) != scope]
        own = f"part{number}_{'_'.join(scope)}"
        modules[own] = scope
        texts.append(_part(module, own, inputs, outputs, list(names), statements))
        pins = ", ".join(f".p{i}({n})" for i, n in enumerate((*inputs, *outputs)))
        instances.append(f"  {own} {own} ({pins});")
        crossing.update(inputs, outputs)
    top = groups.get((), [])
    names = {n for s in top for n in (*s.targets, *s.reads)} | crossing
    lines = [module.heading]
    lines += [_declared(module, n, reg=False) for n in module.ports]
    for n in sorted(names - set(module.ports)):
        kept = writer.get(n, ()) == ()
        lines.append(_declared(module, n, reg=kept))
    lines += [statement.text for statement in top]
    text = "\n".join([*lines, *instances, "endmodule\n"])
    return Cut(verilog="\n".join([text, *texts]), modules=modules)


def _groups(module: Module) -> dict[Scope, list[Statement]]:
    """Statements by scope; all that write one name are together, and the reader is left out."""
    scopes: dict[int, Scope] = {}
    of: dict[str, Scope] = {}
    statements = [s for s in module.statements if not s.text.startswith("  wire ")]
    changed = True
    while changed:
        changed = False
        for number, statement in enumerate(statements):
            place = module.place(statement.targets[0]) if statement.targets else None
            scope = scopes.get(number, place.scope if place else ())
            for target in statement.targets:
                # Which is at the outside if any writer is, and else where the first one is.
                known = of.get(target)
                if known is not None and known != scope:
                    scope = known if known == () or scope != () else scope
            for target in statement.targets:
                if of.get(target) != scope:
                    of[target], changed = scope, True
            scopes[number] = scope
    found: dict[Scope, list[Statement]] = {}
    for number, statement in enumerate(statements):
        found.setdefault(scopes[number], []).append(statement)

    def first(scope: Scope) -> int:
        labels = (module.label(t) for s in found[scope] for t in s.targets)
        return min((module.order[n] for n in labels if n is not None), default=0)

    return {scope: found[scope] for scope in sorted(found, key=first)}


def _part(
    module: Module,
    name: str,
    inputs: list[str],
    outputs: list[str],
    names: list[str],
    statements: list[Statement],
) -> str:
    ports = [*inputs, *outputs]
    lines = [
        "(* keep_hierarchy *)",
        f"module {name} ({', '.join(f'p{i}' for i in range(len(ports)))});",
    ]
    for number, port in enumerate(ports):
        width = module.declarations[port].range
        way = "input" if port in inputs else "output"
        lines.append(f"  {way} {width}p{number};")
    for port in names:
        number = ports.index(port) if port in ports else None
        if port in inputs:
            lines.append(f"  wire {module.declarations[port].range}{port} = p{number};")
            continue
        lines.append(_declared(module, port, reg=True))
        if number is not None:
            lines.append(f"  assign p{number} = {port};")
    return "\n".join([*lines, *(statement.text for statement in statements), "endmodule\n"])


def _declared(module: Module, name: str, *, reg: bool) -> str:
    """A declaration; where another module has the register, this one has a wire."""
    declaration = module.declarations[name]
    kind = declaration.kind
    if kind == "reg" and not reg:
        kind = "wire"
    text = f"  {kind} {declaration.range}{name};"
    if declaration.initial and (reg or kind.startswith("output")):
        text += f"\n  initial {name} = {declaration.initial};"
    return text
