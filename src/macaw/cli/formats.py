# SPDX-License-Identifier: BSD-2-Clause
"""``macaw formats``: the number formats, or what one of them is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

import macaw
from macaw.golden.errors import SpecError

from .options import AS_JSON
from .output import print_json, print_table

if TYPE_CHECKING:
    from macaw.golden.formats.block import AnyFormat


@click.command()
@click.argument("name", required=False)
@click.option("--aliases", is_flag=True, help="List the names that others use instead.")
@click.option("--markdown", is_flag=True, help="The list as a Markdown table.")
@AS_JSON
def formats(name: str | None, aliases: bool, markdown: bool, as_json: bool) -> None:
    """List the number formats, or show the ranges and values of one.

    NAME may also be spelled: e<E>m<M>, with b<bias>, ieee, fn, fnuz, finite or ftz behind it and
    u before it; int<N>, uint<N>, fx<width>.<fraction>, ufx<width>.<fraction>, with sym behind; a
    code book lns<width>.<fraction>[nozero], nupes<width>a<power>, or <path>.json with a list of
    values; a block format <element>-k<size>[x<tile>]-<scale>[-<second scale>][-z<zero point>], or
    -m<minimum> at its end, or -tensor- for -k<size>-; or as numpy, ml_dtypes, torch, ONNX and
    others call it.

    \b
    Examples:
      macaw formats
      macaw formats e4m3
      macaw formats mxfp4
      macaw formats uint4-k128-fp16-zuint4
      macaw formats nupes4a1.5
      macaw formats float8_e4m3fn
      macaw formats e3m2b4ieee --json
    """
    if name is None:
        _list(aliases, markdown, as_json)
    elif aliases:
        raise SpecError(f"--aliases lists all of them, not {name}: leave out one or the other")
    else:
        _show(macaw.format(name), as_json)


def _list(aliases: bool, markdown: bool, as_json: bool) -> None:
    """All formats, or what others call them."""
    from . import catalogue

    tables: list[tuple[Sequence[str], Iterable[Sequence[str]], int]]
    if aliases:
        tables = [(catalogue.ALIAS_HEADINGS, catalogue.alias_rows(), 2)]
        tables += [(catalogue.LEAD_HEADINGS, catalogue.lead_rows(), 2)]
        listed: Any = {"aliases": catalogue.ALIASES, "refused": catalogue.LEADS}
    else:
        tables = [(catalogue.HEADINGS, catalogue.rows(), 1)]
        tables += [(catalogue.BLOCK_HEADINGS, catalogue.block_rows(), 1)]
        everything = catalogue.FORMATS | catalogue.POWERS | catalogue.BOOKS | catalogue.POSITS
        listed = [catalogue.describe(fmt) for fmt in (everything | catalogue.BLOCKS).values()]
    if as_json:
        print_json(listed)
        return
    for n, (headings, rows, left) in enumerate(tables):
        click.echo() if n else None
        if markdown:
            click.echo(catalogue.markdown(headings, rows, left))
        else:
            print_table(headings, rows, left)


def _show(fmt: AnyFormat, as_json: bool) -> None:
    """Ranges of one format, and its values where they are few."""
    from macaw.golden.formats.block import Block

    from . import catalogue

    described = catalogue.describe(fmt)
    if isinstance(fmt, Block):
        if as_json:
            print_json(described)
        else:
            _describe(described)
            click.echo(f"\nIts elements: macaw formats {fmt.element.name}")
            click.echo(f"Its scales:   macaw formats {fmt.scale.name}")
        return
    marks = catalogue.landmarks(fmt)
    small = fmt.width <= catalogue.SMALL
    if as_json:
        landmarks = [{"name": n, "code": c, "value": v} for n, c, v in marks]
        listed = {"values": catalogue.values(fmt)} if small else {}
        print_json({**described, "landmarks": landmarks, **listed})
        return
    _describe(described)
    click.echo()
    digits = -(-fmt.width // 4)
    print_table(
        ("", "code", "bits", "value"),
        [(n, f"0x{c:0{digits}x}", catalogue.bits(fmt, c), repr(v)) for n, c, v in marks],
    )
    if small:
        click.echo("\nValue of each code, eight to a row:\n")
        listed = [catalogue.exact(value) for value in catalogue.values(fmt)]
        rows = [listed[i : i + 8] for i in range(0, len(listed), 8)]
        columns = ("", *(f"+{i}" for i in range(len(rows[0]))))
        print_table(columns, [(f"0x{8 * i:0{digits}x}", *row) for i, row in enumerate(rows)])


def _describe(properties: dict[str, Any]) -> None:
    """Print the properties of a format, one on a line."""
    from . import catalogue

    for key, value in properties.items():
        text = catalogue.exact(value) if isinstance(value, float) else value
        click.echo(f"{key.replace('_', ' '):14} {'none' if text is None else text}")
