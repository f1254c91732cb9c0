# SPDX-License-Identifier: BSD-2-Clause
"""What units are priced on: devices and libraries as data.

A target names the Yosys script that maps a module and, where timing comes from place and route,
nextpnr and the devices to try, smallest first. Scripts are templates:
``{top}`` is the module, ``{dsp}`` the multiplier option, ``{library}`` the Liberty file.

``scratchpad -set abc9.verify 0``: since Yosys 0.62 abc9 proves after each mapping that it did not
break the logic (YosysHQ/yosys#5620, which names this switch). The proof costs more time than the
mapping of a wide multiplier, and macaw's units are checked against the golden model anyway.
"""

import hashlib
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from macaw.golden.errors import SpecError, did_you_mean

from . import library, pdk
from .liberty import Library

PINS = "pins.txt"
"""File of the work folder with :attr:`Target.pins`."""

_NO_VERIFY = "scratchpad -set abc9.verify 0\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class Device:
    """One part that nextpnr can place on: its arguments."""

    name: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """Where a unit is measured.

    Parameters
    ----------
    name, description : str
    script : str
        Yosys script that maps a module, up to ``stat``.
    cells : dict
        Result field -> cell types whose number it is.
    lut_equivalents : dict
        Result field -> its weight in ``lut_equivalents``.
    dsp : dict
        ``multiplier`` option -> text for ``{dsp}``.
    nextpnr : str
        The program; empty: no place and route.
    devices : tuple of Device
        Tried in order until the design fits.
    liberty : str
        Text of the library; empty for FPGAs.
    library, digest : str
        Name and SHA-256 of the file that the library was read from; empty for ``asic``.
    units : str
        Unit of the figure that ``cost`` gives.
    model : str
        Delay model that :mod:`macaw.hdl` places registers by.
    models : str
        File of Yosys' that says what an FPGA's cells do.
    recipes : dict
        ``optimise`` -> the fields that differ when a unit is mapped for area or for delay.
    mapping : str
        ABC's script for the library.
    alternative : str
        Another one that is tried besides; the faster result counts. Empty: none.
    sizing : bool
        Registers are copied and cells sized after mapping: :mod:`macaw.synth.mapping.sizing`.
    product_registers : bool
        Move registers of products into the multipliers: :mod:`macaw.synth.mapping.dsp_registers`.
    carry_feeds : bool
        Constants enter chains of carries through cells of their own:
        :mod:`macaw.synth.mapping.carries`.
    bench_script : str
        Script for the registers round a unit where it differs from ``script``: with buffers at the
        pins, for a nextpnr that wants them.
    pins : str
        Text of :data:`PINS`, which says where the three pins of the registers are.
    """

    name: str
    description: str
    script: str
    cells: dict[str, tuple[str, ...]] = field(default_factory=dict)
    lut_equivalents: dict[str, float] = field(default_factory=dict)
    dsp: dict[str, str] = field(default_factory=lambda: {"auto": "", "dsp": "", "lut": ""})
    nextpnr: str = ""
    devices: tuple[Device, ...] = ()
    liberty: str = ""
    library: str = ""
    digest: str = ""
    units: str = "LUT"
    model: str = "ecp5"
    models: str = ""
    recipes: dict[str, dict[str, Any]] = field(default_factory=dict)
    mapping: str = ""
    alternative: str = ""
    sizing: bool = False
    product_registers: bool = False
    carry_feeds: bool = False
    bench_script: str = ""
    pins: str = ""

    def to_dict(self) -> dict[str, Any]:
        """All that decides a result, for the cache's key."""
        names = _DECISIVE | ({"mapping"} if self.mapping not in ("", ABC_SCRIPT) else set())
        names |= {n for n in ("alternative", "bench_script", "pins") if getattr(self, n)}
        return {name: value for name, value in asdict(self).items() if name in names}

    def sized(self) -> "Target":
        """This target with :attr:`sizing`; SpecError for one that is no library."""
        if not self.liberty:
            raise SpecError(f"sizing: target {self.name} is no library; take asic")
        return replace(self, sizing=True)

    @property
    def multiplies(self) -> bool:
        """Whether it is mapped with hard multipliers unless it is asked not to be."""
        return "-nodsp" not in self.dsp["auto"]

    def optimised(self, optimise: str) -> "Target":
        """This target as it maps for ``balanced``, ``area`` or ``delay``; itself for want of a way.

        SpecError for another word.
        """
        if optimise not in OPTIMISE:
            raise SpecError(f"optimise={optimise}: must be one of {', '.join(OPTIMISE)}")
        return replace(self, **self.recipes.get(optimise, {}))


OPTIMISE = ("balanced", "area", "delay")
"""What a module can be mapped for."""

_DECISIVE = {"script", "cells", "lut_equivalents", "dsp", "nextpnr", "devices", "liberty", "name"}

# Options of synth_ecp5 that were tried on multiply-adds of 16 and 32 bits (LUT4 + 2 * CCU2C):
#   (none)                 the default, and what anchors of other projects are measured with;
#   -nowidelut             a fifth to a quarter fewer LUT4: abc9 otherwise spends LUT4s on PFUMX
#                          and L6MUX21 wide functions to save a level of logic;
#   -nodsp -nowidelut      multipliers in LUTs; -nodsp alone pays for wide LUTs twice;
#   -noccu2                adders in LUTs: half as much area again;
#   -cmp2softlogic         no effect on these units.
_ECP5_CELLS = {
    "luts": ("LUT4",),
    "carries": ("CCU2C",),
    "ffs": ("TRELLIS_FF",),
    "dsps": ("MULT18X18D",),
    "brams": ("DP16KD", "PDPW16KD", "TRELLIS_DPR16X4"),
}

_NO_WIDE_LUTS = {"dsp": {"auto": "-nowidelut", "dsp": "-nowidelut", "lut": "-nodsp -nowidelut"}}

ECP5 = Target(
    name="ecp5",
    description="Lattice ECP5-25F/85F, placed and routed; LUT4 + 2 * CCU2C",
    script=_NO_VERIFY + "synth_ecp5 -top {top} {dsp}\n",
    cells=_ECP5_CELLS,
    lut_equivalents={"luts": 1, "carries": 2},
    dsp={"auto": "", "dsp": "", "lut": "-nodsp -nowidelut"},
    nextpnr="nextpnr-ecp5",
    devices=tuple(
        Device(
            name=f"LFE5U-{size}F",
            arguments=(f"--{size.lower()}k", "--package", "CABGA381", "--freq", "100"),
        )
        for size in ("25", "85")
    ),
    units="LUT4 equivalents",
    models="+/ecp5/cells_sim.v",
    recipes={"area": _NO_WIDE_LUTS},
)

ECP5_COMPACT = replace(
    ECP5,
    name="ecp5-compact",
    description="ECP5 without wide LUTs: fewer LUT4, somewhat slower",
    recipes={},
    **_NO_WIDE_LUTS,
)

ECP5_DSP = replace(
    ECP5,
    name="ecp5dsp",
    description="ECP5 with the registers of products in the multipliers: faster, fewer FF",
    model="ecp5dsp",
    product_registers=True,
)

ICE40 = Target(
    name="ice40",
    description="Lattice iCE40 HX8K, placed and routed; SB_LUT4, no DSP",
    script=_NO_VERIFY + "synth_ice40 -device hx -top {top} {dsp}\n",
    cells={
        "luts": ("SB_LUT4",),
        "carries": ("SB_CARRY",),
        "ffs": ("SB_DFF*",),
        "dsps": ("SB_MAC16",),
        "brams": ("SB_RAM40_4K",),
    },
    lut_equivalents={"luts": 1},
    nextpnr="nextpnr-ice40",
    devices=(Device(name="HX8K", arguments=("--hx8k", "--package", "ct256", "--freq", "100")),),
    units="LUT4",
    model="ice40",
    models="+/ice40/cells_sim.v",
)

ICE40UP = replace(
    ICE40,
    name="ice40up",
    description="Lattice iCE40 UltraPlus 5K with its 16x16 multipliers, placed and routed",
    script=_NO_VERIFY + "synth_ice40 -device u -top {top} {dsp}\n",
    dsp={"auto": "-dsp", "dsp": "-dsp", "lut": ""},
    devices=(Device(name="UP5K", arguments=("--up5k", "--package", "sg48", "--freq", "100")),),
)

XILINX7 = Target(
    name="xilinx7",
    description="AMD 7 series, area by Yosys only; LUT1 to LUT6 summed",
    script=_NO_VERIFY + "synth_xilinx -family xc7 -flatten -noiopad -noclkbuf -top {top} {dsp}\n",
    cells={
        "luts": tuple(f"LUT{inputs}" for inputs in range(1, 7)),
        "carries": ("CARRY4",),
        "ffs": ("FDRE", "FDSE", "FDCE", "FDPE"),
        "dsps": ("DSP48E1",),
        "brams": ("RAMB18E1", "RAMB36E1"),
    },
    lut_equivalents={"luts": 1},
    dsp={"auto": "", "dsp": "", "lut": "-nodsp"},
    units="LUT6",
    model="xilinx7",
    models="+/xilinx/cells_sim.v",
)

# nextpnr-himbaechel, which follows nextpnr-gowin, tells no clock after routing (YosysHQ/nextpnr
# issue 1446). This one wants buffers at the pins, and to be told where they are; it has no
# multipliers. Wide LUTs would take up to three times as many LUTs on these units.
GOWIN = Target(
    name="gowin",
    description="Gowin GW2A-18, placed and routed; LUT4 + ALU, no DSP, no wide LUTs",
    script=_NO_VERIFY + "synth_gowin -family gw2a -noiopads -top {top} {dsp}\n",
    bench_script=_NO_VERIFY + "synth_gowin -family gw2a -top {top} {dsp}\n",
    cells={
        "luts": ("LUT1", "LUT2", "LUT3", "LUT4", "INV"),
        "carries": ("ALU",),
        "ffs": ("DFF*",),
        "dsps": ("MULT*",),
        "brams": ("SDP*", "DPB*", "SPX*", "RAM16*"),
    },
    lut_equivalents={"luts": 1, "carries": 1},
    dsp=dict.fromkeys(("auto", "dsp", "lut"), "-nodsp -nowidelut"),
    nextpnr="nextpnr-gowin",
    devices=(
        Device(
            name="GW2A-18",
            arguments=("--device", "GW2A-LV18PG256C8/I7", "--cst", PINS, "--freq", "100"),
        ),
    ),
    pins="".join(
        f'IO_LOC "{port}" {site};\n'
        for port, site in (("clk", "H11"), ("serial_in", "T10"), ("serial_out", "N16"))
    ),
    units="LUT4 equivalents",
    models="+/gowin/cells_sim.v",
)

# nextpnr-nexus routes no clock from most pins but from that of a PLL, and wants every pin's place.
NEXUS = Target(
    name="nexus",
    description="Lattice CrossLink-NX (LIFCL-40), placed and routed; LUT4 + 2 * CCU2",
    script=_NO_VERIFY + "synth_nexus -family lifcl -nowidelut -noiopad -top {top} {dsp}\n",
    bench_script=_NO_VERIFY + "synth_nexus -family lifcl -nowidelut -top {top} {dsp}\n",
    cells={
        "luts": ("LUT4", "INV"),
        "carries": ("CCU2",),
        "ffs": ("FD1P3*",),
        "dsps": ("MULT*",),
        "brams": ("PDP*", "DP16K*", "SP16K*"),
    },
    lut_equivalents={"luts": 1, "carries": 2},
    dsp={"auto": "", "dsp": "", "lut": "-nodsp"},
    nextpnr="nextpnr-nexus",
    devices=(
        Device(
            name="LIFCL-40",
            arguments=("--device", "LIFCL-40-9BG400C", "--pdc", PINS, "--freq", "100"),
        ),
    ),
    pins="".join(
        f"ldc_set_location -site {{{site}}} [get_ports {port}]\n"
        f"ldc_set_port -iobuf {{IO_TYPE=LVCMOS33}} [get_ports {port}]\n"
        for port, site in (("clk", "D10"), ("serial_in", "L6"), ("serial_out", "M5"))
    ),
    units="LUT4 equivalents",
    models="+/nexus/cells_sim.v",
    carry_feeds=True,
)

# Mapping to a Liberty library. The ABC script is the one that Yosys uses for `abc -liberty -constr`
# without its `retime`, which has no flip-flops to move (Yosys keeps them away from ABC). {D} asks
# for a delay that nothing reaches: as fast as the mapper can. Empty: the smallest.
ABC_SCRIPT = (
    "strash; &get -n; {sweep} &put; scorr; dc2; strash;"
    " &get -n; &dch -f; &nf {D}; &put; buffer; upsize {D}; dnsize {D}\n"
)
# When it is to be fast: structures are chosen among several (`dch`), and words of logic balanced
# anew in cuts of 6 inputs for the arrival of their signals (`if -g`), which turns the carry chains
# that `dc2` makes of prefix adders into trees. Tried on multiply-adds of 16 and 32 bits and on dot
# products of 32 lanes: a quarter to a third less delay for a tenth to a half more area. `if -g`
# twice gives 3 % less delay for a third more area; cuts of 8 inputs 2 % for 40 %; without `dch` it
# is 2 % slower and larger. Prefix adders written into the Verilog gave 2 % for 12 %.
_ANEW = "strash; &get -n; {sweep} &put; dch; if -g -K 6 -C 8; strash;"
DELAY_SCRIPT = _ANEW + " &get -n; &dch -f; &nf {D}; &put; buffer; upsize {D}; dnsize {D}\n"
# By a mapper that weighs each cell's load (`map`), of which the other knows nothing. On IHP's
# library it is 5 to 37 % faster for up to a fifth more area, on osu018 between 7 % slower and 9 %
# faster, so both are tried. It fails on macaw's own library.
LOAD_SCRIPT = _ANEW + " dch -f; map -B 0.9 {D}; topo; buffer; upsize {D}; dnsize {D}\n"
# When it is to be small: cells are chosen by area alone, so that sums are chains of full adders.
AREA_SCRIPT = (
    "strash; &get -n; {sweep} &put; scorr; dc2; dc2; strash; dch -f; amap; buffer; dnsize {D}\n"
)
# The sweep looks for equal signals. For the multipliers of a wide unit that takes minutes, unless
# the solver gives up early: with 100 conflicts it finds 9 of 12 gates (of 22082 in MXINT8's dot
# product) in a second. `synth` ends with ABC's own script for simple gates, which has a sweep too.
ABC_SWEEP = "&fraig -x;"
SHORT_SWEEP = "&fraig -x -C 100;"
GATES_SCRIPT = (
    f"strash; &get -n; {SHORT_SWEEP} &put; scorr; dc2; dretime; strash;"
    " &get -n; &dch -f; &nf; &put\n"
)
GATES_BY_SCRIPT = " -noabc\nabc -script +source,gates.abc\nopt -fast"
"""After the options of `synth`: it maps to simple gates by :data:`GATES_SCRIPT`."""
UNREACHABLE_PS = 1000

_ASIC_AREA = (
    "synth -flatten -top {top} {dsp}\n"
    "dfflibmap -liberty {library}\n"
    "abc -liberty {library} -constr {constraints} -script {abc}\n"
    "opt_clean -purge\n"
)

# Tried on multiply-adds of 16 and 32 bits: Booth recoding takes a tenth off the area of a 24-bit
# multiplier at the same delay. Kogge-Stone adders instead of Brent-Kung's give 10 % of delay for
# 2 % of area at 16 bits, but ABC then needs minutes at 32. `synth -arith_tree` changes little.
_FAST_ARITHMETIC = "-booth"

ASIC = Target(
    name="asic",
    description="macaw's logical-effort library: NAND2 gate equivalents, FO4",
    script=_ASIC_AREA,
    dsp=dict.fromkeys(("auto", "dsp", "lut"), _FAST_ARITHMETIC),
    liberty=library.liberty(),
    units="gate equivalents",
    model="asic",
    mapping=ABC_SCRIPT,
    recipes={"delay": {"mapping": DELAY_SCRIPT}, "area": {"mapping": AREA_SCRIPT}},
)

TARGETS = {
    t.name: t for t in (ECP5, ECP5_COMPACT, ECP5_DSP, ICE40, ICE40UP, GOWIN, NEXUS, XILINX7, ASIC)
}


def target(name: "str | Target", liberty: str | Path | None = None) -> Target:
    """A target by its name, or the ASIC flow on the Liberty file ``liberty``.

    Raises :class:`SpecError` for an unknown name or a file that cannot be read.
    """
    if isinstance(name, Target):
        return name
    if liberty is not None:
        if not isinstance(name, str) or name not in ("asic", "liberty"):
            raise SpecError(f"target {name}: a Liberty file goes with the target asic only")
        return _from_liberty(str(pdk.find(liberty)))
    if not isinstance(name, str) or name not in TARGETS:
        known = ", ".join(TARGETS)
        hint = did_you_mean(str(name), TARGETS)
        raise SpecError(f"target: {name!r} is none of {known}" + (f"; {hint}" if hint else ""))
    return TARGETS[name]


@cache
def _from_liberty(path: str) -> Target:
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise SpecError(f"liberty: {path} cannot be read: {error.strerror}") from error
    text = data.decode("utf-8", errors="replace").replace("\r\n", "\n")
    read = Library(text)
    assert read.nand2.area > 0
    return replace(
        ASIC,
        name=Path(path).name.partition(".")[0],
        description=f"Liberty library {Path(path).name}; area of {read.nand2.name} = 1",
        dsp={"auto": "", "dsp": "", "lut": ""},  # plain array multipliers, as others measure
        recipes=ASIC.recipes | {"delay": {"mapping": DELAY_SCRIPT, "alternative": LOAD_SCRIPT}},
        liberty=text,
        library=Path(path).name,
        digest=hashlib.sha256(data).hexdigest(),
    )
