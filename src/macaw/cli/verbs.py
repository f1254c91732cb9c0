# SPDX-License-Identifier: BSD-2-Clause
"""The ``macaw`` command. Each verb reads its arguments, calls one function, and prints.

Exit codes: 0 done; 1 a proof failed; 2 bad input or a missing tool; 3 a defect of macaw; 141 the
reader of the output went away; 130, 143, 129 ended by SIGINT, SIGTERM, SIGHUP.
"""

from __future__ import annotations

import codecs
import dataclasses
import json
import math
import os
import shlex
import sys
import time
import typing
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click

import macaw
from macaw.golden.errors import MacawError, SpecError
from macaw.tools.command import BAD_INPUT, FAILED, PASSED, complain, printable, run


class Progress:
    """Tells on stderr how far long work is.

    On a terminal one line that is rewritten, elsewhere plain lines, at most one in ``interval``
    seconds. Called with a text, or with what is done of how much.
    """

    interval = 10.0

    def __init__(self, label: str) -> None:
        self.label = label
        self.live = sys.stderr.isatty()
        self.last = time.monotonic()

    def __call__(self, *news: Any) -> None:
        """Show ``news``: the count done and the whole, or a text."""
        now = time.monotonic()
        if len(news) == 2:
            done, total = news
            text = f"{self.label}: {done:,} of {total:,}"
            if done < total and now - self.last < (0.1 if self.live else self.interval):
                return
        else:
            text = f"{self.label}: {' '.join(map(str, news))}"
        self.last = now
        if self.live:
            sys.stderr.write(f"\r\x1b[K{text[: os.get_terminal_size(2).columns - 1]}")
        else:
            sys.stderr.write(f"{text}\n")
        sys.stderr.flush()

    def close(self) -> None:
        """Clear the terminal's line."""
        if self.live:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _json(value: Any) -> None:
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    ascii_ = codecs.lookup(encoding).name != "utf-8"
    click.echo(json.dumps(_finite(value), indent=2, allow_nan=False, ensure_ascii=ascii_))


def _finite(value: Any) -> Any:
    """JSON has no infinities and NaNs: they go as text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> None:
    """Print a table whose first ``left`` columns are text and the others numbers."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for index, heading in enumerate(headings):
        table.add_column(heading, justify="left" if index < left else "right", no_wrap=index < left)
    for row in rows:
        table.add_row(*map(Text, row))
    console = Console(width=None if sys.stdout.isatty() else 1000, highlight=False)
    with console.capture() as captured:
        console.print(table)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


def _describe(properties: dict[str, Any]) -> None:
    """Print the properties of a format, one on a line."""
    from . import catalogue

    for key, value in properties.items():
        text = catalogue.exact(value) if isinstance(value, float) else value
        click.echo(f"{key.replace('_', ' '):14} {'none' if text is None else text}")


def _pairs(items: Iterable[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for item in items:
        name, equals, value = item.partition("=")
        if not equals or not name:
            raise SpecError(f"{item!r} is no parameter: write name=value")
        if name in pairs:
            raise SpecError(f"{name} is given twice: {name}={pairs[name]} and {item}")
        pairs[name] = value
    return pairs


def _convert(name: str, text: str, hint: Any) -> Any:
    """``text`` of the command line as a value of the dataclass field ``name``."""
    kinds = typing.get_args(hint) or (hint,)
    try:
        if int in kinds:
            return int(text)
        if float in kinds:
            return float(text)
    except ValueError:
        what = "an integer" if int in kinds else "a number"
        raise SpecError(f"{name}={text}: must be {what}") from None
    return None if text == "none" and type(None) in kinds and str not in kinds else text


def _unit_and_implementation(
    kind: str, items: Iterable[str], options: dict[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """Divide name=value pairs between the unit and its implementation, by the fields' names."""
    from macaw.golden.units import UNITS
    from macaw.hdl import Implementation

    pairs = _pairs(items)
    how = {field.name for field in dataclasses.fields(Implementation)}
    what = {field.name for field in dataclasses.fields(UNITS[kind])} if kind in UNITS else set()
    hints = typing.get_type_hints(Implementation)
    given = {name: value for name, value in options.items() if value is not None}
    for name in [name for name in pairs if name in how - what]:
        if name in given:
            raise SpecError(f"{name} is given twice: {name}={pairs[name]} and --{name}")
        given[name] = _convert(name, pairs.pop(name), hints[name])
    if kind in UNITS:
        for name in pairs.keys() - what:
            if close := get_close_matches(name, what | how, n=1):
                raise SpecError(f"{kind} has no parameter {name!r}: did you mean {close[0]}?")
    return macaw.unit(kind, **pairs), given


_IMPLEMENTATION = (
    click.option("--stages", type=int, help="Pipeline registers; 0 is combinational (default)."),
    click.option("--frequency", type=float, help="MHz to reach; decides the stages."),
    click.option("--flow", help="none, valid, or stream (valid/ready).  [default: none]"),
    click.option("--bus", help="axis: AXI4-Stream port names."),
    click.option("--ready", help="Of a stream: combinational, or registered (a skid buffer)."),
    click.option("--tlast", help="Of bus=axis, on results: auto, on, or off.  [default: auto]"),
    click.option("--reset", help="sync, async, or none.  [default: sync]"),
    click.option("--reset-active", help="high or low.  [default: high; with bus=axis low]"),
    click.option("--multiplier", help="auto, dsp, or lut.  [default: auto]"),
    click.option("--widest-sum", type=int, help="Bits that an exact sum may have.  [default: 128]"),
    click.option(
        "--fold", type=int, help="Turns of the lanes, of units that have it.  [default: 1]"
    ),
    click.option("--name", help="Name of the Verilog module."),
)
_DELAYS = click.option("--target", help="Delay model for --frequency.  [default: ecp5]")
_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _implementation(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_IMPLEMENTATION):
        command = option(command)
    return command


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(macaw.__version__, message="macaw %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """Arithmetic datapaths in any number format: defined, built, proven and priced.

    \b
    Start with
      macaw formats
      macaw generate fma a=e4m3 out=fp16 --stages 3 -o build
      macaw verify fma a=e4m3 out=fp16 --stages 3
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@cli.command()
@click.argument("name", required=False)
@click.option("--aliases", is_flag=True, help="List the names that others use instead.")
@click.option("--markdown", is_flag=True, help="The list as a Markdown table.")
@_AS_JSON
def formats(name: str | None, aliases: bool, markdown: bool, as_json: bool) -> None:
    """List the number formats, or show the ranges and values of one.

    NAME may also be spelled: e<E>m<M>, with b<bias>, ieee, fn, fnuz, finite or ftz behind it and
    u before it; int<N>, uint<N>, fx<width>.<fraction>, ufx<width>.<fraction>, with sym behind; a
    block format <element>-k<size>[x<tile>]-<scale>[-<second scale>], or -tensor- for -k<size>-; or
    as numpy, ml_dtypes, torch, ONNX and others call it.

    \b
    Examples:
      macaw formats
      macaw formats e4m3
      macaw formats mxfp4
      macaw formats float8_e4m3fn
      macaw formats e3m2b4ieee --json
    """
    from macaw.golden.formats.block import BLOCKS, Block

    from . import catalogue

    if name is None:
        tables: list[tuple[Sequence[str], Iterable[Sequence[str]], int]]
        if aliases:
            tables = [(catalogue.ALIAS_HEADINGS, catalogue.alias_rows(), 2)]
            tables += [(catalogue.LEAD_HEADINGS, catalogue.lead_rows(), 2)]
            listed: Any = {"aliases": catalogue.ALIASES, "refused": catalogue.LEADS}
        else:
            tables = [(catalogue.HEADINGS, catalogue.rows(), 1)]
            tables += [(catalogue.BLOCK_HEADINGS, catalogue.block_rows(), 1)]
            listed = [
                catalogue.describe(fmt)
                for fmt in (*(catalogue.FORMATS | catalogue.POWERS).values(), *BLOCKS.values())
            ]
        if as_json:
            _json(listed)
            return
        for n, (headings, rows, left) in enumerate(tables):
            click.echo() if n else None
            if markdown:
                click.echo(catalogue.markdown(headings, rows, left))
            else:
                _table(headings, rows, left)
        return
    if aliases:
        raise SpecError(f"--aliases lists all of them, not {name}: leave out one or the other")
    fmt = macaw.format(name)
    if isinstance(fmt, Block):
        described = catalogue.describe(fmt)
        if as_json:
            _json(described)
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
        _json({**catalogue.describe(fmt), "landmarks": landmarks, **listed})
        return
    _describe(catalogue.describe(fmt))
    click.echo()
    digits = -(-fmt.width // 4)
    _table(
        ("", "code", "bits", "value"),
        [(n, f"0x{c:0{digits}x}", catalogue.bits(fmt, c), repr(v)) for n, c, v in marks],
    )
    if small:
        click.echo("\nValue of each code, eight to a row:\n")
        listed = [catalogue.exact(value) for value in catalogue.values(fmt)]
        rows = [listed[i : i + 8] for i in range(0, len(listed), 8)]
        columns = ("", *(f"+{i}" for i in range(len(rows[0]))))
        _table(columns, [(f"0x{8 * i:0{digits}x}", *row) for i, row in enumerate(rows)])


@cli.command()
@click.argument("name", required=False)
@click.option("--markdown", is_flag=True, help="The list as a Markdown table.")
@_AS_JSON
def units(name: str | None, markdown: bool, as_json: bool) -> None:
    """List the units, or show the parameters of one.

    \b
    Examples:
      macaw units
      macaw units dot
    """
    from macaw.golden.units import UNITS

    from . import catalogue
    from .parameters import parameters

    if name is None:
        listed = {kind: catalogue.summary(cls) for kind, cls in UNITS.items()}
        if as_json:
            _json(listed)
        elif markdown:
            click.echo(catalogue.markdown(("unit", "computes"), listed.items(), left=2))
        else:
            _table(("unit", "computes"), list(listed.items()), left=2)
        return
    if name not in UNITS:
        macaw.unit(name)  # raises, and says what there is
    from macaw.hdl import Implementation
    from macaw.hdl.units import DATAPATHS, limits

    cls = UNITS[name]
    what, how = parameters(cls), parameters(Implementation)
    if not DATAPATHS[cls].folds:
        how = [p for p in how if p["name"] != "fold"]
    refused = limits(cls)
    if as_json:
        lists = {"parameters": what, "implementation": how, "gates_refuse": refused}
        _json({"unit": name, "summary": catalogue.summary(cls), **lists})
        return
    columns = ("parameter", "default", "allowed")
    click.echo(f"{name}: {catalogue.documentation(cls)}\n")
    _table(columns, [(p["name"], p["default"], p["allowed"]) for p in what], left=3)
    click.echo("\nImplementation (how, not what: it never changes a bit of the result):\n")
    _table(columns, [(p["name"], p["default"], p["allowed"]) for p in how], left=3)
    if refused:
        click.echo(f"\nGates do not take: {'; '.join(refused)}.")


@cli.command()
@click.argument("unit")
@click.argument("parameters", nargs=-1, metavar="[NAME=VALUE]...")
@_implementation
@_DELAYS
@click.option("-o", "--output", default=".", show_default=True, help="Folder; - prints Verilog.")
@_AS_JSON
def generate(
    unit: str, parameters: tuple[str, ...], output: str, as_json: bool, **options: Any
) -> None:
    """Write Verilog for UNIT, with a JSON description and a FuseSoC core.

    \b
    Example:
      macaw generate fma a=e4m3 b=e5m2 out=fp32 --stages 3 --flow valid -o build
    """
    spec, how = _unit_and_implementation(unit, parameters, options)
    with Progress("generate"):
        design = macaw.generate(spec, **how)
    if output == "-":
        click.echo(design.verilog, nl=False)
        return
    paths = [str(path) for path in design.write(output)]
    if as_json:
        _json({**design.metadata, "files": paths})
        return
    clocks = "clock" if design.latency == 1 else "clocks"
    click.echo(f"{design.name}: latency {design.latency} {clocks}, {design.rate}")
    for path in paths:
        click.echo(f"  {path}")


@cli.command()
@click.argument("unit")
@click.argument("parameters", nargs=-1, metavar="[NAME=VALUE]...")
@_implementation
@_DELAYS
@click.option("--simulator", help="icarus, verilator, or bulk.  [default: the first found]")
@click.option("--vectors", type=int, help="[default: 10,000; bulk 1,000,000]")
@click.option("--seed", type=int, help="[default: a fresh one, printed]")
@click.option("--exhaustive", is_flag=True, help="Every combination of operand codes.")
@click.option("--waves", help="Record waveforms in this file.")
@click.option("--stalls/--no-stalls", default=True, help="Also with pauses.  [default: stalls]")
@_AS_JSON
def verify(
    unit: str,
    parameters: tuple[str, ...],
    simulator: str | None,
    vectors: int | None,
    seed: int | None,
    exhaustive: bool,
    waves: str | None,
    stalls: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Simulate UNIT's gates and compare every result with the golden model.

    \b
    Examples:
      macaw verify mul a=e2m1 out=e4m3 --exhaustive
      macaw verify fma a=fp16 out=fp16 --stages 3 --flow stream --vectors 2000 --seed 1
    """
    spec, how = _unit_and_implementation(unit, parameters, options)
    with Progress(f"verify {spec.name}") as progress:
        report = macaw.verify(
            spec,
            simulator=simulator,
            vectors=vectors,
            seed=seed,
            exhaustive=exhaustive,
            waves=waves,
            stalls=stalls,
            progress=progress,
            **how,
        )
    if as_json:
        _json(report.to_json())
    else:
        click.echo(str(report))
    return PASSED if report.passed else FAILED


@cli.command()
@click.argument("unit")
@click.argument("parameters", nargs=-1, metavar="[NAME=VALUE]...")
@_implementation
@click.option("--target", "targets", multiple=True, help="May be repeated.  [default: ecp5]")
@click.option("--liberty", help="Liberty file in place of the asic target's own library.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of place and route.")
@click.option("--timeout", type=float, help="Seconds that each tool may take.")
@click.option("--area-only", is_flag=True, help="No place and route: no timing on FPGAs.")
@click.option("--cache/--no-cache", default=True, help="Reuse results.  [default: cache]")
@_AS_JSON
def synth(
    unit: str,
    parameters: tuple[str, ...],
    targets: tuple[str, ...],
    liberty: str | None,
    seed: int,
    timeout: float | None,
    area_only: bool,
    cache: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Measure area and timing of UNIT on one target or several.

    \b
    Examples:
      macaw synth fma a=e4m3 out=fp16 --stages 3 --target ecp5
      macaw synth mul a=int8 out=int16 --target asic --json
    """
    spec, how = _unit_and_implementation(unit, parameters, options)
    more: dict[str, Any] = {"seed": seed, "area_only": area_only, "cache": cache}
    more |= {} if timeout is None else {"timeout": timeout}
    more |= {} if liberty is None else {"liberty": liberty}
    results = []
    for target in targets or (("asic",) if liberty else ("ecp5",)):
        with Progress(f"synth {spec.name} {target}") as progress:
            result = macaw.synthesize(spec, target, progress=progress, **more, **how)
            results.append(result.to_json())
    if as_json:
        _json(results)
        return
    for result in results:
        for name, value in result.items():
            if isinstance(value, tuple | list):
                value = ("\n" + " " * 19).join(map(str, value))
            if value not in (None, ""):
                click.echo(f"{name.replace('_', ' '):18} {value}")
        click.echo()


@cli.command()
@click.argument("names", nargs=-1, metavar="[FORMAT]...")
@click.option("--target", "targets", multiple=True, help="May be repeated.  [default: ecp5, asic]")
@click.option("--liberty", help="A Liberty file as one more target.")
@click.option("--reference", help="Format that ratios relate to.  [default: fp32, else the first]")
@click.option("--unit", help="auto, fma, mac, or dot.  [default: auto]")
@click.option("--lanes", type=int, help="Products per clock.  [default: 1; see above]")
@click.option("--vectors", type=int, help="That prove each unit.  [default: 1,000,000]")
@click.option("--proof/--no-proof", default=True, help="Simulate before pricing.  [default: proof]")
@click.option("--cache/--no-cache", default=True, help="Reuse results.  [default: cache]")
@click.option("--seed", type=int, help="Of vectors, data, place and route.  [default: 1]")
@click.option("--workers", type=int, help="Parallel jobs.  [default: one per core]")
@click.option("--executor", help="local or dask.  [default: local]")
@click.option("--scheduler", help="Address of the Dask scheduler.")
@click.option("-o", "--output", default="build", show_default=True, help="Folder of the report.")
@_AS_JSON
def compare(
    names: tuple[str, ...], targets: tuple[str, ...], output: str, as_json: bool, **options: Any
) -> int:
    """Prove and price FORMATs, scalar or block, at equal work: table, JSON, HTML.

    A format stands for both operands; int4:int8 is int4 weights by int8 activations, and so is
    each of binary, ternary, shift<n> and power<n>, which need no multiplier. With one of these
    among them all have 8 lanes. With a block format among them, all are dot products: of 32 lanes,
    or of the block where it is smaller. Exit code 1 if a unit failed its proof; the others are
    priced all the same.

    \b
    Example:
      macaw compare e4m3 int8 --target asic --vectors 100000 -o build
    """
    settings = {name: value for name, value in options.items() if value is not None}
    flags = [f"--target={target}" for target in targets]
    for name, value in settings.items():
        if isinstance(value, bool):
            flags += [] if value else [f"--no-{name}"]
        else:
            flags.append(f"--{name}={value}")
    command = shlex.join(["macaw", "compare", *names, *flags])
    folder = Path(output)
    folder.mkdir(parents=True, exist_ok=True)  # better refused now than after ten minutes
    with Progress("compare") as progress:
        comparison = macaw.compare(names, targets, progress=progress, command=command, **settings)
    paths = [str(path) for path in comparison.write(folder)]
    if as_json:
        _json(comparison.to_json())
    else:
        click.echo(comparison.table())
        click.echo(f"\nwrote {', '.join(paths)}")
    return PASSED if comparison.passed else FAILED


@cli.command()
@click.argument("file")
@click.option(
    "--limit", "limits", multiple=True, help="FIGURE=NUMBER or FIGURE=SHARE%; repeatable."
)
@click.option("--minimise", help="Figure.  [default: the cost if sensitivity is limited, or it]")
@click.option("--cost", default="area", show_default=True, help="Figure that is paid.")
@click.option("--target", default="asic", show_default=True, help="On which areas are measured.")
@click.option("--activation", default="int8", show_default=True, help="Format of activations.")
@click.option("--plot", help="SVG file: the Pareto front of cost and sensitivity.")
@click.option("--points", type=click.IntRange(1), help="Of the front, about.  [default: all]")
@_AS_JSON
def choose(
    file: str,
    limits: tuple[str, ...],
    minimise: str | None,
    cost: str,
    target: str,
    activation: str,
    plot: str | None,
    points: int | None,
    as_json: bool,
) -> int:
    """Choose a weight format for each layer of the network that FILE describes.

    FILE is JSON: {"layers": [{"name": "conv1", "macs": 4608, "weights": 72, "formats": {"int8":
    0.0001, "int4": 0.02}}, ...]}, the formats with what each loses in this layer (sensitivity).
    Instead of that number an object may name more figures: {"sensitivity": 0.02, "latency": 7}.
    Activations are in the format of --activation, or, for "int4:int16", in int16.
    From "weights" follows the figure bits; from "macs" area: what it takes to do all of a layer's
    products each clock, by units that are measured, unless the figure area is given. With limits,
    the best assignment within them; without, all that no other beats (the Pareto front). Exit code
    1 if none is within the limits.

    \b
    Examples:
      macaw choose layers.json --cost bits --limit sensitivity=0.05
      macaw choose layers.json --limit area=60% --target ecp5 --plot front.svg
    """
    from macaw.synth import chooser, front
    from macaw.tools import files

    try:
        data = json.loads(Path(file).read_text(encoding="utf-8"))
    except ValueError as error:
        raise SpecError(f"{file}: is not JSON: {error}") from None
    chooser.scipy()
    # All that can be wrong is found with any costs at all, before minutes go into measuring.
    unpriced = chooser.unpriced(data)
    problem = chooser.from_json(data, dict.fromkeys(unpriced, 1.0))
    bounds = dict(chooser.parse_limit(limit, problem) for limit in limits)
    figure = minimise or (cost if chooser.LOSS in bounds else chooser.LOSS)
    used = {*bounds, figure} if bounds else set()
    used |= {cost, chooser.LOSS} if plot or not bounds else set()
    for each in sorted(used):
        problem.largest(each)
    if plot and not Path(plot).absolute().parent.is_dir():
        raise SpecError(f"--plot {plot}: there is no such folder")
    if unpriced:
        costs = None
        if "area" in used:
            with Progress("choose") as progress:
                options = {"activation": activation, "progress": progress}
                costs = chooser.mac_costs(unpriced, target, **options)
        problem = chooser.from_json(data, costs)
        bounds = dict(chooser.parse_limit(limit, problem) for limit in limits)
    found = problem.front(cost, points=points) if plot or not bounds else []
    if plot:
        head = f"{len(found)} best assignments"
        files.write(Path(plot), front.picture([front.plot(problem, found, cost, head)]))
    if bounds:
        chosen = problem.solve(figure, bounds)
        if chosen is None:
            complain("no assignment is within the limits")
            return FAILED
        found = [chosen]
    if as_json:
        made = [each.to_json() for each in found]
        _json({"chosen": made[0]} if bounds else {"front": made})
    else:
        rows = [
            [*each.formats.values(), *(f"{value:.4g}" for value in each.totals.values())]
            for each in found
        ]
        _table([*problem.layers, *problem.figures], rows, left=len(problem.layers))
    return PASSED


_LOSS = (
    "tensor",
    "elements",
    "scale",
    "SQNR dB",
    "max error",
    "max relative",
    "saturated",
    "underflowed",
    "lost",
    "inf/NaN",
    "replaced",
)


def _decibels(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


_BLOCK_OPTIONS = ("scale_rule", "order", "min_scale", "axis", "rotation")
_SCALAR_OPTIONS = ("overflow", "scale")


@cli.command()
@click.argument("file")
@click.option("--format", "name", required=True, help="Format to encode to.")
@click.option("--rounding", default="rne", show_default=True, help="rne rna rtz rup rdn rod sr.")
@click.option("--overflow", help="saturate, nonfinite, or wrap.  [default: the format's]")
@click.option("--scale", help="Divide by this power of two; max.  [default: 1]")
@click.option("--axis", type=int, help="Blocks: the axis along which they lie.  [default: -1]")
@click.option("--scale-rule", help="Power-of-two scales: floor ceil rceil even.  [default: floor]")
@click.option("--order", help="Other scales: paper te torchao ct exact.  [default: paper]")
@click.option("--min-scale", help="Other scales: none modelopt torchao ct.  [default: none]")
@click.option("--hadamard", "rotation", type=int, help="Blocks: rotate groups of this size first.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the words for sr.")
@click.option("--dtype", help="Format of arrays of raw bytes (V1, f1, V2) and of their size.")
@click.option("--include", multiple=True, help="Only tensors named so, as *.weight. Repeatable.")
@click.option("--exclude", multiple=True, help="No tensors named so. Repeatable.")
@click.option("--decode", "--dequantize", is_flag=True, help="FILE holds codes: back to values.")
@click.option("-o", "--output", help="Write codes (with --decode: values) to this file.")
@_AS_JSON
def quantize(
    file: str,
    name: str,
    rounding: str,
    seed: int,
    decode: bool,
    output: str | None,
    as_json: bool,
    dtype: str | None,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    **options: Any,
) -> None:
    """Encode the tensors of FILE and report the error.

    FILE is .npy, .npz, .safetensors, .onnx (pip install 'macaw[onnx]'), or .pt or .pth of PyTorch,
    of which no code is run. Tensors that cannot be encoded are named with the reason, and skipped.

    Nothing is written without -o. Codes are unsigned integers, in the tensors' shapes. Of a block
    format a tensor W becomes W.elements, W.scales and, if it has one, W.second_scale; to decode
    them give the same --axis and --hadamard.

    \b
    Examples:
      macaw quantize weights.npy --format e4m3
      macaw quantize weights.npy --format int8 --scale max -o codes.npz
      macaw quantize model.safetensors --format mxfp4 --include '*.weight' --exclude 'head.*'
      macaw quantize model.onnx --format e2m1 -o codes.safetensors
      macaw quantize model.pt --format nvfp4 --json
      macaw quantize bfloat16.npy --dtype bf16 --format e4m3
      macaw quantize codes.npz --format int8 --decode -o back.npz
      macaw quantize weights.npy --format nvfp4 --hadamard 16 -o blocks.npz
      macaw quantize blocks.npz --format nvfp4 --hadamard 16 --dequantize -o back.npz
    """
    from macaw import tensors
    from macaw.golden.formats.block import Block
    from macaw.golden.formats.choices import Overflow, Rounding
    from macaw.tensors.quantize import array_of, arrays_of, decoded, quantize_blocks
    from macaw.tensors.quantize import quantize as encode

    from . import catalogue

    fmt = macaw.format(name)
    Rounding.parse(rounding, "rounding")
    given = {key: value for key, value in options.items() if value is not None}
    for key in _SCALAR_OPTIONS if isinstance(fmt, Block) else _BLOCK_OPTIONS:
        if key in given:
            kind = "scalar" if isinstance(fmt, Block) else "block"
            option = "hadamard" if key == "rotation" else key.replace("_", "-")
            raise SpecError(f"--{option} is for {kind} formats, and {fmt.name} is none")
    if "overflow" in given:
        Overflow.parse(given["overflow"], "overflow")
    if seed < 0:
        raise SpecError(f"seed={seed}: must be an integer from 0 on")
    if output is not None:
        tensors.check_writable(Path(output))
    elif decode:
        raise SpecError("--decode needs a file to write the values to: -o FILE")
    path = Path(file)
    written, losses, skipped = {}, {}, {}
    with Progress(f"quantize {file}") as progress:
        if decode:
            kept = {key: given[key] for key in ("scale", "axis", "rotation") if key in given}
            if dtype is not None:
                raise SpecError("--dtype is for values, and --decode takes codes")
            parts = (
                (part, codes)
                for part, codes in tensors.read(path)
                if tensors.chosen(array_of(part, fmt), include, exclude)
            )
            written |= decoded(file, parts, fmt, **kept)
            found = ()
        else:
            found = tensors.entries(path, dtype=dtype, include=include, exclude=exclude)
        for tensor, load in found:
            progress(printable(tensor)) if progress.live else None
            options = {"rounding": rounding, "seed": seed, **given}
            try:
                array = load()
                if isinstance(fmt, Block):
                    blocks, losses[tensor] = quantize_blocks(array, fmt, **options)
                    codes = arrays_of(tensor, blocks)
                else:
                    plain, losses[tensor] = encode(array, fmt, **options)
                    codes = {tensor: plain}
            except SpecError as error:  # the same for every tensor
                raise SpecError(f"{file}: {tensor}: {error}") from None
            except MacawError as error:
                skipped[tensor] = str(error)
            except MemoryError:
                skipped[tensor] = "is too large for the memory that is there"
            else:
                if output is not None:
                    written |= codes
    if not (written or losses):
        tensor, why = next(iter(skipped.items()), ("", "none of its tensors is chosen"))
        others = f" ({len(skipped) - 1} more were skipped)" if len(skipped) > 1 else ""
        raise tensors.FileError(": ".join(filter(None, (file, tensor, why))) + others)
    if output is not None:
        scales = {f"macaw.scale.{tensor}": loss.scale for tensor, loss in losses.items()}
        metadata = {"macaw.format": fmt.name} | {key: repr(s) for key, s in scales.items()}
        if isinstance(fmt, Block):
            metadata |= {f"macaw.{key}": str(value) for key, value in given.items()}
        tensors.write(Path(output), written, {} if decode else metadata)
    if as_json:
        report = {tensor: loss.to_json() for tensor, loss in losses.items()}
        _json({"format": fmt.name, "file": output, "tensors": report, "skipped": skipped})
        return
    if losses:
        _table(
            _LOSS,
            [
                (
                    printable(tensor),
                    f"{loss.elements:,}",
                    catalogue.number(loss.scale),
                    "exact" if loss.exact else _decibels(loss.sqnr_db),
                    f"{loss.max_abs_error:.4g}",
                    f"{loss.max_rel_error:.4g}",
                    f"{loss.saturated:,}",
                    f"{loss.underflowed:,}",
                    f"{loss.lost:,}",
                    f"{loss.nonfinite:,}",
                    f"{loss.replaced:,}",
                )
                for tensor, loss in losses.items()
            ],
        )
    if skipped:
        click.echo()
        rows = [(printable(tensor), printable(why)) for tensor, why in skipped.items()]
        _table(("skipped", "reason"), rows, left=2)
    if output is not None:
        click.echo(f"wrote {output}")


@cli.command()
@_AS_JSON
def doctor(as_json: bool) -> int:
    """List the tools that macaw can use, their versions, and what each unlocks.

    Exit code 2 if one is missing that some verb cannot do without.

    \b
    Example:
      macaw doctor
    """
    from .doctor import checks

    found = checks()
    if as_json:
        _json([check.to_json() for check in found])
    else:
        _table(
            ("tool", "version", "unlocks", "if missing"),
            [
                (
                    check.name,
                    check.version or ("MISSING" if check.needed else "not found"),
                    check.unlocks,
                    "" if check.found else check.remedy,
                )
                for check in found
            ],
            left=4,
        )
    return PASSED if all(check.found or not check.needed for check in found) else BAD_INPUT


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; nothing but that code leaves here."""
    return run(cli, arguments, "macaw")


if __name__ == "__main__":
    sys.exit(main())
