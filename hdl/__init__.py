# SPDX-License-Identifier: BSD-2-Clause
"""Amaranth datapaths for the units, and the Verilog emitter."""

from .component import Datapath, Implementation, Port
from .delays import DELAY_MODELS, DelayModel
from .emit import Design, generate
from .lfsr import Lfsr
from .pipeline import Pipeline
from .units import DATAPATHS, build
from .wire import Wire

__all__ = [
    "DATAPATHS",
    "DELAY_MODELS",
    "Datapath",
    "DelayModel",
    "Design",
    "Implementation",
    "Lfsr",
    "Pipeline",
    "Port",
    "Wire",
    "build",
    "generate",
]
