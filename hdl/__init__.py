# SPDX-License-Identifier: BSD-2-Clause
"""Amaranth datapaths for the units, and the Verilog emitter."""

from .emit import Design, generate
from .lfsr import Lfsr
from .schedule.delays import DELAY_MODELS, DelayModel
from .schedule.scheduler import Scheduler
from .schedule.wire import Wire
from .units.component import Component
from .units.datapath import Datapath
from .units.implementation import Implementation
from .units.ports import Port
from .units.registry import DATAPATHS, build

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
