# SPDX-License-Identifier: BSD-2-Clause
"""Writes what README.md and docs/ show of figures, and quote of macaw's own output.

``python -m docs.generate`` makes whole pages and pictures of benchmarks/results/, and replaces what
stands between ``<!-- begin: NAME -->`` and ``<!-- end: NAME -->`` by a table made of them, and
between ``<!-- begin: macaw … -->`` and ``<!-- end -->`` by what that command prints. The picture of
a comparison is taken from build/ where ``macaw compare -o build`` drew one.
"""

import argparse
import contextlib
import io
import re
import shlex
from collections.abc import Callable
from pathlib import Path

from benchmarks import results
from macaw import cli
from macaw.tools import files

from .pages import (
    architecture,
    benchmarks_golden,
    benchmarks_quantize,
    block_formats_results,
    block_formats_study,
    code_books,
    dyadic,
    flexpoint,
    functions,
    integer_network,
    lmul,
    machines,
    posits,
    price,
    quantisation,
    small_floats,
    synthesis,
    synthesis_results,
    verification,
)

DOCS = Path(__file__).resolve().parent
README = DOCS.parent / "README.md"
DRAWN = DOCS.parent / "build" / "compare.svg"
Maker = Callable[..., str]
WHOLE: dict[str, tuple[Maker, tuple[str, ...]]] = {
    "benchmarks-golden.md": (benchmarks_golden.page, ("golden", "peers")),
    "benchmarks-quantize.md": (benchmarks_quantize.page, ("quantize",)),
    "block-formats-results.md": (block_formats_results.page, ("block_dots", "anchors")),
    "block-formats-study.md": (block_formats_study.page, ("block_formats", "block_dots")),
    "claims.md": (price.claims.page, ("claims",)),
    "dyadic-results.md": (dyadic.page, ("dyadic", "anchors")),
    "flexpoint-results.md": (flexpoint.results.page, ("flex",)),
    "flexpoint-training.md": (flexpoint.training.page, ("flexpoint_training",)),
    "integer-network.md": (integer_network.page, ("integer_network",)),
    "integers-floats.md": (price.integers_floats.page, ("integers_floats", "horowitz")),
    "kinds.md": (verification.kinds.page, ("kinds", "judged", "anchors")),
    "minifloats.md": (price.minifloats.page, ("minifloats",)),
    "netlists.md": (verification.netlists.page, ("netlists",)),
    "pairs.md": (price.pairs.page, ("pairs",)),
    "proven.md": (verification.proven.page, ("proven", "planted")),
    "synthesis-results.md": (synthesis_results.page, ("fma", "anchors", "quotients", "fpus")),
    "images/architecture.svg": (architecture.picture, ()),
    "images/block-formats.svg": (block_formats_study.picture, ("block_formats", "block_dots")),
    "images/claims.svg": (price.claims.drawing, ("claims",)),
    "images/flexpoint-exponents.svg": (flexpoint.training.exponents, ("flexpoint_training",)),
    "images/flexpoint-losses.svg": (flexpoint.training.losses, ("flexpoint_training",)),
    "images/integer-network.svg": (integer_network.picture, ("integer_network",)),
    "images/integers-floats.svg": (price.integers_floats.drawing, ("integers_floats",)),
    "images/lmul.svg": (lmul.drawing, ("product_errors", "lmul")),
    "images/minifloats.svg": (price.minifloats.drawing, ("minifloats",)),
    "images/pairs.svg": (price.pairs.drawing, ("pairs",)),
}
"""Files of docs/ that are made of results: how, and of which; or of the sources themselves."""
TABLES: dict[str, dict[str, tuple[Maker, tuple[str, ...]]]] = {
    "adding-a-format.md": {"small floats": (small_floats.cost, ("small_floats",))},
    "block-formats.md": {
        "zero points": (block_formats_results.zero_points, ("groups",)),
    },
    "code-books.md": {
        "verdict": (code_books.verdict, ("code_books", "groups")),
        "errors": (code_books.errors, ("code_books",)),
        "cost": (block_formats_results.weights, ("groups",)),
        "products": (block_formats_results.products, ("groups",)),
    },
    "dyadic.md": {"differences": (dyadic.differences, ("requantisation",))},
    "flexpoint-hardware.md": {
        "agreement": (flexpoint.hardware.agreement, ("predictor_codes",)),
        "cost": (flexpoint.hardware.cost, ("predictor",)),
        "clock": (flexpoint.hardware.clock, ("predictor",)),
    },
    "functions.md": {
        "functions": (functions.tables.listed, ()),
        "cost": (functions.tables.cost, ("tables",)),
        "elementary": (functions.elementary.cost, ("elementary",)),
        "faithful": (functions.elementary.faithful, ("faithful_errors",)),
    },
    "integer-functions.md": {
        "accuracy": (functions.integers.accuracy, ("function_errors",)),
        "cost": (functions.integers.cost, ("integer_functions",)),
    },
    "lmul.md": {
        "errors": (lmul.errors, ("product_errors",)),
        "claims": (lmul.claims, ("product_errors", "lmul")),
        "cost": (lmul.cost, ("lmul",)),
    },
    "loss-scaling.md": {"cost": (synthesis_results.statistics, ("statistics",))},
    "machines.md": {
        "steps": (machines.steps, ()),
        "errors": (machines.errors, ("machine_errors",)),
        "cost": (machines.cost, ("machines",)),
    },
    "posits.md": {
        "verdict": (posits.verdict, ("posits",)),
        "cost": (posits.cost, ("posits",)),
        "errors": (posits.errors, ("posit_errors",)),
    },
    "rows.md": {
        "errors": (functions.rows.errors, ("row_errors",)),
        "cost": (functions.rows.cost, ("rows",)),
    },
    "synthesis.md": {
        "energies": (synthesis_results.energies, ("horowitz",)),
        "optimise": (synthesis.optimise.units, ("optimise",)),
        "model": (synthesis.optimise.model, ("optimise",)),
        "parts": (synthesis.optimise.parts, ("optimise",)),
        "predicted": (synthesis.optimise.predicted, ("delay_errors",)),
        "compared": (synthesis.sweeps.compared, ("comparison",)),
        "moved": (synthesis.optimise.moved, ("retime",)),
        "columns": (synthesis.sweeps.columns, ()),
        "scaling": (synthesis.sweeps.scaling, ("scaling",)),
        "layers": (price.layers.energies, ("layers",)),
    },
    "quantisation.md": {
        "orders": (quantisation.orders, ("orders",)),
        "rules": (quantisation.rules, ("scale_rules",)),
    },
    "verification.md": {
        "coverage": (verification.coverage.bins, ()),
        "unreachable": (verification.coverage.unreachable, ()),
        "mutants": (verification.mutants.counts, ()),
        "drawn mutants": (verification.mutants.drawn, ()),
        "equivalent mutants": (verification.mutants.equivalents, ()),
    },
}
"""Tables in pages that are written by hand."""
_BLOCK = re.compile(
    r"(?P<begin><!-- begin: (?P<name>.+?) -->\n).*?(?P<end><!-- end(: (?P=name))? -->)", re.DOTALL
)


def output(command: str) -> str:
    """What ``macaw command`` prints; code unless it is a Markdown table."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        code = cli.main(shlex.split(command))
    if code:
        raise SystemExit(f"macaw {command}: exit code {code}")
    text = printed.getvalue().strip()
    return f"{text}\n" if text.startswith("|") else f"```text\n{text}\n```\n"


def refreshed(page: str, tables: dict[str, str]) -> str:
    """``page`` with its tables, and with its quotations as the commands print them now."""

    def block(found: re.Match[str]) -> str:
        program, _, command = found["name"].partition(" ")
        made = output(command) if program == "macaw" else f"\n{tables[found['name']]}\n\n"
        return found["begin"] + made + found["end"]

    return _BLOCK.sub(block, page)


def generated(folder: Path = results.FOLDER) -> dict[Path, str]:
    """Every file that is generated, or has something generated in it, as it should be.

    Figures that ``folder`` lacks are those of benchmarks/results/.
    """

    def made(maker: Maker, names: tuple[str, ...]) -> str:
        return maker(*(results.read(name, folder, results.read(name)) for name in names))

    found = {DOCS / name: made(*how) for name, how in WHOLE.items()}
    for path in (README, *sorted(DOCS.glob("*.md"))):
        if path not in found:
            tables = {mark: made(*how) for mark, how in TABLES.get(path.name, {}).items()}
            found[path] = refreshed(path.read_text(encoding="utf-8"), tables)
    return found


def main(arguments: list[str] | None = None) -> None:
    """Write what has changed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--results", type=Path, default=results.FOLDER, metavar="FOLDER", help="of newer figures"
    )
    parser.add_argument(
        "--output", type=Path, default=DOCS.parent, metavar="FOLDER", help="for README.md and docs/"
    )
    options = parser.parse_args(arguments)
    found = generated(options.results)
    if DRAWN.exists():
        found[DOCS / "images" / "compare.svg"] = DRAWN.read_text(encoding="utf-8")
    for path, text in found.items():
        file = options.output / path.relative_to(DOCS.parent)
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            files.write(file, text)
            print(f"wrote {file}")


if __name__ == "__main__":
    main()
