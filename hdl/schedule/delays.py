# SPDX-License-Identifier: BSD-2-Clause
"""Delay models: how long an operation takes on a target, for the pipeline scheduler.

A model is an estimate made before synthesis. It decides where registers go and never what is
computed; the figures that macaw prints come from the synthesis flows, not from here.
"""

from dataclasses import dataclass, replace
from math import ceil, log
from typing import Literal

__all__ = ["DELAY_MODELS", "FO4", "DelayModel", "delay_model"]


@dataclass(frozen=True, kw_only=True, slots=True)
class DelayModel:
    """Delay of the operations of a datapath, in nanoseconds.

    Parameters
    ----------
    gate : float
        A two-input function of single bits, after its share of packing into a wider cell.
    mux : float
        A two-way choice between words, without the load on its select.
    fanout : float
        Added for each doubling of the number of bits that one signal drives.
    reduce : float
        One level of a reduction over ``radix`` bits.
    radix : int
        Inputs of one level of a reduction.
    add, add_bit, add_log : float
        A carry-propagate addition: ``add + add_bit * width + add_log * log2(width)``.
    less, less_log : float, optional
        A comparison of two words: ``less + less_log * log2(width)``. Without them it takes as long
        as an addition.
    multiply, multiply_log : float
        A multiplier that fits ``tile``: ``multiply + multiply_log * log2(wa * wb)``.
    tile : tuple of int, optional
        Operand widths of a hard multiplier; wider products are put together from tiles.
    soft_limit : int
        Products of fewer partial-product bits than this are built from logic cells although
        the target has hard multipliers.
    register : float
        Clock to output plus set-up, with the routing between them.
    compress : float, optional
        A row of full adders, three words into two. With it sums of many words, and products that
        are too slow for one stage, are compressed before one addition; None leaves that to tools.
    product_registers : bool
        A hard multiplier keeps its product in registers of its own: the stage ends with it.
    memory : float
        Clock to output of a block RAM, with the routing behind it.
    apart : {'none', 'sums', 'all'}
        Which additions are written so that a tool gives each its carry chain and does not compress
        the words of several at once: none, those of sums of many words, or all. Where hard
        multipliers have adders of their own (DSP48), that would keep additions out of them.
    sparing : bool
        Logic cells are dearer than time and hard multipliers.
    """

    gate: float
    mux: float
    fanout: float
    reduce: float
    radix: int
    add: float
    add_bit: float
    add_log: float
    multiply: float
    multiply_log: float
    tile: tuple[int, int] | None
    soft_limit: int
    register: float
    product_registers: bool = False
    memory: float = 2.5
    compress: float | None = None
    less: float | None = None
    less_log: float = 0.0
    apart: Literal["none", "sums", "all"] = "all"
    sparing: bool = False

    @property
    def hurry(self) -> bool:
        """Whether it is mapped for speed, so that gates are better than time."""
        return self.compress is not None

    def adder(self, width: int) -> float:
        """A carry-propagate addition."""
        return self.add + self.add_bit * width + self.add_log * log(max(width, 2), 2)

    def comparison(self, width: int) -> float:
        """Which of two words is less."""
        if self.less is None:
            return self.adder(width)
        return self.less + self.less_log * log(max(width, 2), 2)

    def reduction(self, width: int) -> float:
        """AND or OR of ``width`` bits."""
        return self.reduce * ceil(log(max(width, 2), self.radix) - 1e-9)

    def choice(self, width: int) -> float:
        """A two-way choice, with the load of ``width`` bits on its select."""
        return self.mux + self.fanout * log(max(width, 1), 2)

    def product(self, wa: int, wb: int) -> float:
        """One multiplier."""
        return max(self.multiply + self.multiply_log * log(max(wa * wb, 2), 2), self.gate)


_ECP5 = DelayModel(
    gate=0.45, mux=0.75, fanout=0.09, reduce=0.95, radix=4,
    add=1.5, add_bit=0.045, add_log=0.0,
    multiply=5.2, multiply_log=0.0, tile=(18, 18), soft_limit=17, register=1.0, memory=8.0,
)  # fmt: skip

# With the registers of products in the multipliers, whose set-up time is then 3.49 ns.
_ECP5_DSP = replace(_ECP5, multiply=4.6, product_registers=True)

_ICE40 = DelayModel(
    gate=0.6, mux=1.1, fanout=0.12, reduce=1.3, radix=4,
    add=1.6, add_bit=0.13, add_log=0.0,
    multiply=1.5, multiply_log=1.7, tile=None, soft_limit=0, register=1.5,
)  # fmt: skip

_XILINX7 = DelayModel(
    gate=0.25, mux=0.5, fanout=0.06, reduce=0.6, radix=6,
    add=0.9, add_bit=0.025, add_log=0.0,
    multiply=3.6, multiply_log=0.0, tile=(24, 17), soft_limit=17, register=0.7,
    apart="none",
)  # fmt: skip

# The library of the `asic` target: one FO4 is taken as 20 ps, a common figure for a 16 nm class
# process, so that `frequency=` has a meaning; the reports stay in FO4.
FO4 = 0.020
"""Nanoseconds that the models of libraries take an FO4 for."""
_ASIC = DelayModel(
    gate=1.2 * FO4, mux=2.0 * FO4, fanout=0.35 * FO4, reduce=1.6 * FO4, radix=4,
    add=1.0 * FO4, add_bit=1.2 * FO4, add_log=0.0, less=-1.0 * FO4, less_log=2.2 * FO4,
    multiply=-24.0 * FO4, multiply_log=9.7 * FO4, tile=None, soft_limit=0, register=4.0 * FO4,
    memory=12.0 * FO4,
    apart="sums",
)  # fmt: skip

# What its mapping makes of the same operations when it is asked for speed: no sum is a chain of
# carries then, and no comparison. ``python -m benchmarks.cost.optimise`` measures them.
_ASIC_FAST = replace(
    _ASIC, add=-9.5 * FO4, add_bit=0.0, add_log=5.8 * FO4, less=2.0 * FO4, less_log=1.4 * FO4,
    multiply=-29.0 * FO4, multiply_log=8.9 * FO4, compress=3.2 * FO4,
    mux=1.5 * FO4, fanout=0.12 * FO4, reduce=1.1 * FO4,
)  # fmt: skip

# Or for a small area: chains of full adders.
_ASIC_SMALL = replace(
    _ASIC, add=0.0, add_bit=2.2 * FO4, less=-7.0 * FO4, less_log=5.6 * FO4,
    multiply=-60.0 * FO4, multiply_log=18.5 * FO4,
)  # fmt: skip

DELAY_MODELS: dict[str, DelayModel] = {
    "ecp5": _ECP5,
    "ecp5dsp": _ECP5_DSP,
    "ice40": _ICE40,
    "xilinx7": _XILINX7,
    "asic": _ASIC,
}
"""The usual model of each target."""

_WITH_MULTIPLIERS = "ecp5", "ecp5dsp", "xilinx7"

_OPTIMISED = {
    ("asic", "delay"): _ASIC_FAST,
    ("asic", "area"): _ASIC_SMALL,
    **{(name, "area"): replace(DELAY_MODELS[name], sparing=True) for name in _WITH_MULTIPLIERS},
}


def delay_model(target: str, optimise: str = "balanced") -> DelayModel:
    """The model of a target, mapped for ``area`` or ``delay`` where that differs from the usual."""
    return _OPTIMISED.get((target, optimise), DELAY_MODELS[target])
