# SPDX-License-Identifier: BSD-2-Clause
"""macaw: arithmetic datapaths in any number format, defined, built, proven and priced.

>>> import macaw
>>> e4m3 = macaw.format("e4m3")
>>> e4m3.decode(e4m3.encode([0.1, 1000.0])).tolist()
[0.1015625, 448.0]
>>> fma = macaw.unit("fma", a="e4m3", out="fp16")
>>> fma.evaluate(a=[0x38], b=[0x40], c=[0x3C00])["r"].tolist()  # 1 * 2 + 1
[16896]

Importing ``macaw`` imports nothing else; each function imports the part that it needs.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from macaw.golden.formats import Book, Format
    from macaw.golden.formats.block import AnyFormat
    from macaw.golden.units import Unit
    from macaw.hdl import Design
    from macaw.sim import Report
    from macaw.sim.formal import Proof
    from macaw.synth import Comparison, Result, Sweep

__all__ = [
    "__version__",
    "compare",
    "format",
    "generate",
    "matmul",
    "prove",
    "register_book",
    "sweep",
    "synthesize",
    "unit",
    "verify",
]

__version__ = importlib.metadata.version("macaw")


def format(name: str | AnyFormat) -> Any:
    """Return the number format called ``name``, registered or spelled; see `macaw formats`.

    A scalar one has ``.encode(values, rounding=…, overflow=…, random=…)`` to integer codes and
    ``.decode(codes)`` to float64; a block format has ``.quantize(values, axis=-1, …)``, whose
    result has ``.elements``, ``.scales`` and ``.dequantize()``. MacawError, with close names, if
    there is none.
    """
    from macaw.golden.formats import block as blocks

    return blocks.format(name)


def register_book(name: str, values: Iterable[Any]) -> Book:
    """Return a code book of ``values``, in the order of codes, which ``name`` means from now on.

    Values are numbers, or strings as ``2/3``, 2 to 256 of them, a power of two. MacawError for a
    name that is taken, and for values that are no code book. In every command ``<path>.json``, a
    file of such a list, is a code book without this.
    """
    from macaw.golden.formats import block as blocks

    return blocks.register_book(name, values)


def unit(name: str, **parameters: Any) -> Unit:
    """Return the unit specification ``name`` with ``parameters``; see `macaw units`.

    It has ``.ports`` and ``.evaluate(**codes)``, arrays of integer codes to a dict of them.
    Parameters are values or strings. MacawError for one that does not exist or does not fit.
    """
    from macaw.golden import units

    return units.unit(name, **parameters)


def matmul(
    a: Any,
    b: Any,
    format_a: str | AnyFormat | None = None,
    format_b: str | AnyFormat | None = None,
    **options: Any,
) -> Any:
    """Return the codes of the matrix product of two quantised arrays, as ``block-mac`` adds it.

    ``a`` (…, M, K) and ``b`` (K, N) are values, floats that are quantised along K; or codes:
    unsigned integers of a scalar format, or what a block format's ``quantize`` returned.
    ``options`` are ``acc``, ``out``, ``accumulation`` and others: see
    :func:`macaw.golden.tensors.matmul.matmul`. The codes are of ``out``, by default fp32.
    """
    from macaw import golden

    return golden.matmul(a, b, format_a, format_b, **options)


def generate(unit: Unit, **implementation: Any) -> Design:
    """Build ``unit`` in gates; the result has ``.verilog``, ``.metadata`` and ``.write(folder)``.

    ``implementation`` are fields of :class:`macaw.hdl.Implementation`: ``stages`` or
    ``frequency`` (MHz), ``flow``, ``bus``, ``reset`` and others.
    """
    from macaw import hdl

    return hdl.generate(unit, **implementation)


def verify(
    unit: Unit, *, netlist: str | None = None, liberty: str | None = None, **options: Any
) -> Report:
    """Simulate ``unit``'s gates against its ``evaluate``; see :func:`macaw.sim.verify`.

    ``options`` are those of ``generate`` and ``simulator``, ``vectors``, ``seed``,
    ``exhaustive``, ``waves``, ``stalls``. The report has ``.passed`` and ``.mismatch``. With
    ``netlist``, a target of :func:`synthesize`, the gates are those that it is mapped to there;
    a ``liberty`` file and ``sizing`` go with ``asic``.
    """
    from macaw import sim

    design, judging = _design(unit, netlist, liberty, options)
    return sim.verify(design, **judging)


def prove(
    unit: Unit, *, netlist: str | None = None, liberty: str | None = None, **options: Any
) -> Proof:
    """Prove for all inputs that ``unit``'s gates do as its ``evaluate``, or say what is open.

    See :func:`macaw.sim.formal.prove`. ``options`` are those of ``generate`` and ``method``,
    ``largest``, ``limit`` and ``jobs``. The proof has ``.verdict``, ``proven``, ``refuted`` or
    ``open``, ``.steps`` and ``.mismatch``. With ``netlist``, as of :func:`verify`, it has a step
    more: what the gates are mapped to equals them.
    """
    from macaw.sim import formal

    design, judging = _design(unit, netlist, liberty, options)
    return formal.prove(design, **judging)


def _design(
    unit: Unit, netlist: str | None, liberty: str | None, options: dict[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """``unit``, or its netlist; and those of ``options`` that are left to the one who judges."""
    if netlist is None:
        from macaw.golden.errors import SpecError

        if liberty is not None:
            raise SpecError(f"liberty={liberty}: goes with netlist=asic only")
        if options.get("sizing"):
            raise SpecError("sizing=true: goes with netlist=asic only")
        return unit, options
    from macaw import synth

    judging = {"simulator", "vectors", "seed", "exhaustive", "waves", "stalls", "progress"}
    judging |= {"coverage", "method", "largest", "limit", "jobs", "cache"}
    how = {name: value for name, value in options.items() if name not in judging}
    design = synth.mapped(unit, netlist, liberty=liberty, **how)
    return design, {name: options[name] for name in judging & options.keys()}


def synthesize(unit: Unit | Design, target: str = "ecp5", **options: Any) -> Result:
    """Area and timing of ``unit``, or of a design made of it; see :func:`macaw.synth.run`."""
    from macaw import synth

    return synth.run(unit, target, **options)


def compare(
    formats: Iterable[str | Format] = (), targets: Iterable[str] = (), **options: Any
) -> Comparison:
    """Prove and price ``formats`` at equal work on ``targets``; see :func:`macaw.synth.compare`.

    Without formats or targets, a default set of each. ``options`` are ``reference``, ``unit``,
    ``lanes``, ``vectors`` and others. The comparison has ``.rows``, ``.table()``, ``.to_json()``
    and ``.write(folder)``.
    """
    from macaw import synth

    return synth.compare(formats, targets, **options)


def sweep(
    formats: Iterable[str | Format], targets: Iterable[str] = ("asic",), **options: Any
) -> Sweep:
    """Measure every point of a design space, as ``e<2-5>m<1-4>``; see :func:`macaw.synth.sweep`.

    ``options`` are ``lanes``, ``stages``, ``accumulator``, ``clock``, each of several values;
    ``workers``, ``executor`` and others. The sweep has ``.rows``, ``.pareto(first, second)``,
    ``.to_json()`` and ``.write(path)``. What is finished is kept: the same call goes on.
    """
    from macaw import synth

    return synth.sweep(formats, targets, **options)
