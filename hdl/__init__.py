# SPDX-License-Identifier: BSD-2-Clause
"""Amaranth datapaths for the units, and the Verilog emitter."""

from .component import Component, build
from .emit import Design, generate
from .lfsr import Lfsr
from .options.implementation import Implementation
from .ports import Port
from .schedule.delays import DELAY_MODELS, DelayModel
from .schedule.scheduler import Scheduler
from .schedule.wire import Wire
from .units.datapath import Datapath
from .units.registry import DATAPATHS

__all__ = [
    "DATAPATHS",
    "DELAY_MODELS",
    "Component",
    "Datapath",
    "DelayModel",
    "Design",
    "Implementation",
    "Lfsr",
    "Port",
    "Scheduler",
    "Wire",
    "build",
    "generate",
]
