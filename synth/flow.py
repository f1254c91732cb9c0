# SPDX-License-Identifier: BSD-2-Clause
"""From a unit to its price: area and timing on one target."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from macaw.golden.errors import SpecError, check_whole
from macaw.golden.units import Unit
from macaw.tools import processes, store
from macaw.tools import yosys as tools
from macaw.tools.sources import digest as source_of
from macaw.tools.yosys import Notify

from . import source
from .energy import figures as energies
from .energy import recorded
from .energy.operands import kind_of
from .energy.recorded import Recorded
from .mapping import library, netlist, targets
from .mapping.measurement import Design, Measurement, clocked, library_of, read_json, wide, write
from .mapping.targets import Target
from .result import Result as Result
from .result import Source as Source
from .result import median

TIMEOUT = 1200.0
"""Seconds that one call of one tool may take."""

MOST_SEEDS, LARGEST_SEED = 100, 2**31 - 1
"""Of place and route."""

REVISION = 2
"""Part of each cache key: raised when this file measures differently."""


def run(
    spec: Unit | Design,
    target: str | Target = "ecp5",
    /,
    *,
    liberty: str | Path | None = None,
    multiplier: str | None = None,
    optimise: str | None = None,
    area_only: bool = False,
    cache: bool = True,
    timeout: float = TIMEOUT,
    seed: int = 1,
    seeds: int = 1,
    sizing: bool = False,
    energy: bool = False,
    operands: str = "gaussian",
    data: str | Path | None = None,
    progress: Notify | None = None,
    **implementation: Any,
) -> Result:
    """Price a unit, or a design that is generated already, on one target.

    Parameters
    ----------
    spec : Unit or Design
    target : str or Target
        A name of :data:`macaw.synth.mapping.targets.TARGETS`.
    liberty : path or name, optional
        Price on this Liberty library; ``target`` must be ``asic``. A file, a folder with one of a
        typical corner, or a kit below ``$PDK_ROOT``: ``sky130``, ``gf180``, ``ihp``.
    multiplier : {'auto', 'dsp', 'lut'}, optional
        Default: the implementation's own.
    optimise : {'balanced', 'area', 'delay'}, optional
        What it is mapped for. Default: the implementation's own.
    area_only : bool
        Leave place and route out; ``fmax_mhz`` is None then.
    cache : bool
        Take a stored result, and store this one.
    timeout : float
        Seconds per tool call.
    seed : int
        nextpnr's, the first.
    seeds : int
        Place and route with so many seeds, ``seed`` and those after it. The clock is the median
        then, and the result tells the range; each is kept by its seed.
    sizing : bool
        After mapping to a library, registers with many readers are copied and cells sized by
        their timing (:mod:`macaw.synth.mapping.sizing`): faster, for seconds to minutes.
    energy : bool
        Also the energy of an operation; ``target`` must be a library, ``spec`` a unit.
    operands : str
        The stream for it: see :mod:`macaw.synth.energy.operands`.
    data : path, optional
        A file with codes of operands in its place: see :mod:`macaw.synth.energy.recorded`.
    progress : callable, optional
        Gets a line of text when something takes long or goes another way.
    **implementation
        Options of :func:`macaw.hdl.generate` when ``spec`` is a unit; its ``target``, the delay
        model, follows the target priced on.

    Raises
    ------
    SpecError
        Unknown target or option.
    ToolError
        A tool is missing, failed, or ran out of time; or the mapped netlist, simulated for its
        energy, differs from the golden model.
    """
    chosen = targets.target(target, liberty)
    chosen = chosen.sized() if sizing else chosen
    if not isinstance(timeout, int | float) or timeout <= 0:
        raise SpecError(f"timeout: {timeout} is not a positive number of seconds")
    if energy:
        kind_of(operands)
        if not chosen.liberty:
            raise SpecError(f"energy: target {chosen.name} is no library; take asic")
        if not isinstance(spec, Unit):
            raise SpecError("energy: needs a unit, whose golden model judges the netlist")
    elif data is not None:
        raise SpecError(f"data={data!s:.60}: goes with energy only")
    tried = check_seeds(seed, seeds)
    if len(tried) > 1 and (area_only or not chosen.nextpnr):
        why = "area_only leaves place and route out" if area_only else "it has no place and route"
        raise SpecError(f"seeds={seeds}: target {chosen.name}: {why}")
    moved = None
    if energy and isinstance(spec, Unit):
        moved = spec, operands if data is None else recorded.read(data, spec)
    design, chosen, multiplier = prepare(
        spec, chosen, multiplier, optimise, implementation, partial(source.generate, cache=cache)
    )
    return _price(
        design, chosen, multiplier, area_only=area_only, cache=cache, timeout=timeout, seeds=tried,
        progress=progress, moved=moved,
    )  # fmt: skip


def check_seeds(seed: int, seeds: int) -> range:
    """The seeds that are meant; SpecError for one that nextpnr does not take, or too many."""
    check_whole("seeds", seeds, 1, MOST_SEEDS)
    if seeds > 1:
        check_whole("seed", seed, 0, LARGEST_SEED + 1 - seeds)
    return range(seed, seed + seeds)


def prepare(
    spec: Unit | Design,
    chosen: Target,
    multiplier: str | None,
    optimise: str | None,
    implementation: dict[str, Any],
    generate: Callable[..., Design] | None = None,
) -> tuple[Design, Target, str]:
    """The design to be measured, generated if ``spec`` is a unit, its target, who multiplies.

    ``generate`` is :func:`macaw.hdl.generate` by default. Raises :class:`SpecError` for an option
    that the unit or the target does not have.
    """
    generated = all(hasattr(spec, part) for part in ("name", "verilog", "metadata"))
    if not isinstance(spec, Unit) and not generated:
        raise SpecError(
            f"unit={spec!s:.60}: must be a unit, as macaw.unit makes it, or a generated design"
        )
    if isinstance(spec, Unit):
        if generate is None:
            from macaw.hdl import generate

        if multiplier is not None:
            implementation = {**implementation, "multiplier": multiplier}
        if optimise is not None:
            implementation = {**implementation, "optimise": optimise}
        implementation.setdefault("target", chosen.model)
        if implementation.get("optimise") == "area" and not chosen.multiplies:
            # The model is that of a target which has multipliers for a sum's products to share.
            implementation.setdefault("multiplier", "lut")
        design: Design = generate(spec, **implementation)
    elif implementation:
        raise SpecError(f"{next(iter(implementation))}: the design is generated already")
    else:
        design = spec
    options = design.metadata.get("implementation") or {}
    multiplier = multiplier or options.get("multiplier") or "auto"
    if multiplier not in chosen.dsp:
        raise SpecError(f"multiplier: {multiplier!r} is none of {', '.join(chosen.dsp)}")
    return design, chosen.optimised(optimise or options.get("optimise") or "balanced"), multiplier


@dataclass(frozen=True, kw_only=True, slots=True)
class Mapped:
    """A unit whose Verilog is the netlist that it was mapped to, with its cells' models.

    :func:`macaw.sim.verify` takes it as it takes a generated design; ``arguments`` are what the
    command has besides, ``cells`` how many there are of each kind.
    """

    name: str
    verilog: str
    metadata: Mapping[str, Any]
    spec: Unit
    implementation: Any
    arguments: tuple[str, ...]
    cells: Mapping[str, int]


def mapped(
    spec: Unit,
    target: str | Target,
    /,
    *,
    liberty: str | Path | None = None,
    multiplier: str | None = None,
    optimise: str | None = None,
    sizing: bool = False,
    timeout: float = TIMEOUT,
    progress: Notify | None = None,
    **implementation: Any,
) -> Mapped:
    """Map a unit to a target, and give the netlist as a design that can be verified.

    Options as of :func:`run`. SpecError for an unknown target or option; ToolError when a tool
    fails, or where Yosys has no model of a cell.
    """
    chosen = targets.target(target, liberty)
    chosen = chosen.sized() if sizing else chosen
    if not isinstance(spec, Unit):
        raise SpecError(f"unit={spec!s:.60}: must be a unit, as macaw.unit makes it")
    design, chosen, multiplier = prepare(spec, chosen, multiplier, optimise, implementation)
    used = tools_for(chosen, area_only=True)
    with processes.temporary_folder() as work:
        measurement = Measurement(design, chosen, multiplier, work, timeout, used, progress)
        text, cells = netlist.verilog(measurement)
    return Mapped(
        name=design.name,
        verilog=text,
        metadata=design.metadata,
        spec=spec,
        implementation=getattr(design, "implementation", None),
        arguments=("--netlist", "asic" if liberty else chosen.name)
        + (("--liberty", str(liberty)) if liberty else ())
        + (("--sizing",) if sizing else ()),
        cells=cells,
    )


def _price(
    design: Design,
    chosen: Target,
    multiplier: str,
    *,
    area_only: bool,
    cache: bool,
    timeout: float,
    seeds: Sequence[int],
    progress: Notify | None,
    moved: tuple[Unit, str | Recorded] | None,
) -> Result:
    used = tools_for(chosen, area_only)
    more = {}
    if moved:
        stream = moved[1] if isinstance(moved[1], str) else [moved[1].label, moved[1].digest]
        more = {"energy": [stream, source_of(*_DECIDE_ENERGY)]}
    keys = {seed: key_of(design, chosen, multiplier, used, seed, **more) for seed in seeds}
    known: dict[int, Result] = {}
    for seed, digest in keys.items():
        if cache and (stored := store.get(digest, Result.from_json)) is not None:
            known[seed] = replace(stored, cached=True)
    left = [seed for seed in seeds if seed not in known]
    if not left:
        return _traced(median([known[seed] for seed in seeds]), design)

    started = time.monotonic()
    with processes.temporary_folder() as work:
        measurement = Measurement(design, chosen, multiplier, work, timeout, used, progress)
        bare = key_of(design, chosen, multiplier, used, seeds[0])
        measured = [_netlists[bare].figures] if moved and bare in _netlists else None
        for seed, figures in zip(left, measured or measurement.figures(left)):
            if chosen.liberty and measured is None:
                _netlists.pop(bare, None)
                _netlists[bare] = _Netlist(
                    figures=dict(figures), module=read_json(work / "netlist.json")
                )
                while len(_netlists) > KEPT_NETLISTS:
                    del _netlists[next(iter(_netlists))]
            if moved:
                if progress is not None:
                    progress(f"moving operands through the netlist of {design.name}")
                module = _netlists[bare].module["modules"][design.name]
                figures = figures | _energy(*moved, design, chosen, module)
            result = Result(
                name=design.name,
                target=chosen.name,
                sizing=chosen.sizing or None,
                latency=int(design.metadata.get("latency") or 0),
                initiation_interval=int(design.metadata.get("initiation_interval") or 1),
                tools=tuple(str(tool) for tool in used),
                seconds=round(time.monotonic() - started, 2),
                **figures,
            )
            if cache and not result.notes:  # a fall-back depends on the machine's speed
                store.put(keys[seed], result.to_json())
            known[seed] = result
            started = time.monotonic()
    return _traced(median([known[seed] for seed in seeds]), design)


def _traced(result: Result, design: Design) -> Result:
    """The result with what it is of: one that is stored is of each module with this Verilog."""
    told = design.metadata
    budgets = (told.get("implementation") or {}).get("budgets")
    return replace(
        result,
        generated_by=told.get("command"),
        hash=told.get("hash"),
        budgets=tuple(map(float, budgets.split(","))) if budgets else (),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Netlist:
    """What a library was mapped to: figures without energy, and Yosys' JSON."""

    figures: dict[str, Any]
    module: dict[str, Any]


KEPT_NETLISTS = 6
"""The last ones that were mapped in this process, of which the energy may be asked next."""

_netlists: dict[str, _Netlist] = {}

_DECIDE_ENERGY = ("macaw.golden", "macaw.sim", "macaw.synth.energy", "macaw.synth.mapping")


def _energy(
    spec: Unit,
    operands: str | Recorded,
    design: Design,
    chosen: Target,
    module: dict[str, Any],
) -> dict[str, Any]:
    """The energy of an operation on the netlist that was mapped."""
    neutral = chosen.name == targets.ASIC.name
    found = energies.energy_of(
        module,
        library_of(library.liberty(power=True) if neutral else chosen.liberty),
        spec,
        design.metadata,
        operands if isinstance(operands, str) else operands.codes,
        unit="inv" if neutral else "pJ",
    )
    label = {} if isinstance(operands, str) else {"operands": operands.label}
    return asdict(found) | label


def tools_for(target: Target, area_only: bool) -> list[tools.Tool]:
    """Yosys, and nextpnr where the clock is wanted and the target has it; ToolError without."""
    used = [tools.find("yosys")]
    if target.nextpnr and not area_only:
        used.append(tools.find(target.nextpnr))
    return used


def key_of(
    design: Design,
    target: Target,
    multiplier: str,
    used: Sequence[tools.Tool],
    seed: int,
    **more: Any,
) -> str:
    """The key of what is measured, of all that decides it: ``more`` is what is asked besides."""
    routed = len(used) > 1
    return store.key(
        revision=REVISION,
        verilog=design.verilog,
        name=design.name,
        target=target.to_dict(),
        multiplier=multiplier,
        seed=seed if routed else None,
        routed=routed,
        # WebAssembly and native builds of one version give one result.
        tools=[(tool.name.removeprefix("yowasp-"), tool.version) for tool in used],
        # What is told of a process came later than the results without it.
        **({"file": [target.library, target.digest]} if target.digest else {}),
        # Combinational units have no enables that buffers would drive, and one stage.
        **({"buffers": 1, "stages": 1} if target.liberty and clocked(design) else {}),
        **({"sizing": 1} if target.sizing else {}),
        **({"sweep": targets.SHORT_SWEEP} if target.liberty and wide(design) else {}),
        **more,
    )


def from_verilog(path: str | Path, top: str | None = None, *, clock: str = "clk") -> Source:
    """A module of a Verilog file, its ports read by Yosys; the port named ``clock`` is the clock.

    Raises :class:`SpecError` when the file cannot be read or has no such module.
    """
    try:
        # Verilog of other tools may be in any encoding, in its comments mostly: bytes stay as is.
        verilog = Path(path).read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise SpecError(f"{path} cannot be read: {error.strerror}") from error
    with processes.temporary_folder() as work:
        write(work / "unit.v", verilog)
        choose = f"-top {top}" if top else "-auto-top"
        yosys = tools.find("yosys")
        write(
            work / "ports.ys",
            f"read_verilog unit.v\nhierarchy {choose}\nproc\nflatten\nwrite_json ports.json\n",
        )
        arguments = ("ports.ys",) if yosys.name == "pyosys" else ("-s", "ports.ys")
        tools.call(yosys, arguments, folder=work, timeout=TIMEOUT, what=f"reading {path}")
        modules = read_json(work / "ports.json")["modules"]
    if not modules:
        raise SpecError(f"{path}: there is no module in it")
    name = top or next(n for n, m in modules.items() if "top" in m.get("attributes", {}))
    ports = [
        {
            "name": port,
            "direction": data["direction"],
            "width": len(data["bits"]),
            "role": "clock"
            if port == clock
            else "operand"
            if data["direction"] == "input"
            else "result",
        }
        for port, data in modules[name]["ports"].items()
    ]
    return Source(name=name, verilog=verilog, metadata={"name": name, "ports": ports, "latency": 0})
