# SPDX-License-Identifier: BSD-2-Clause
"""Accumulation profiles: how a unit that adds up products rounds on the way.

``exact``
    One rounding: the scaled exact sum of the products joins the addend, and is rounded.
``sequential``
    The products, each scaled, are added to the addend in the order of the lanes, with a rounding
    to the result's format at each.
``chunk(L, format)``
    Two levels (HFP8's and DLFloat's chunked sums): L products at a time are added, from zero,
    in ``format``, with a rounding at each; the sum of a chunk, scaled, joins the running result.
    With an integer format the inner level is an integer accumulator that wraps or saturates by
    the unit's ``overflow``, and ``chunk(auto, int32)`` takes the most products that cannot leave
    it and divide those of a scale: what Das et al. (arXiv 1802.00930) do with int16 pairs.
``aligned(F[, G])``
    Tensor cores: G products at a time (default: all) and the running result are aligned to the
    largest exponent among them, truncated toward zero to F fraction bits, added exactly, and
    rounded. The exponent of a term is that of its fields, before any normalisation.
``tensor-core(machine)``, ``cdna3``, ``rvbna[(G)]``
    What machines that exist do, to the bit: :mod:`.machines`.
"""

from .machines import MACHINES, MachineSum, Scheme
from .profiles import Accumulation, parse
from .steps import accumulate

__all__ = ["MACHINES", "Accumulation", "MachineSum", "Scheme", "accumulate", "parse"]
