# SPDX-License-Identifier: BSD-2-Clause
"""What an operation costs in energy: a mapped netlist's transitions, simulated and weighed."""

from .figures import Energy, energy_of
from .operands import OPERANDS, stream
from .recorded import Recorded, read

__all__ = ["OPERANDS", "Energy", "Recorded", "energy_of", "read", "stream"]
