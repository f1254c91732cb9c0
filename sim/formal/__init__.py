# SPDX-License-Identifier: BSD-2-Clause
"""Proofs for all inputs: what is claimed of a unit, by which method, and what is open."""

from .proof import METHODS, Proof, Step
from .prove import prove

__all__ = ["METHODS", "Proof", "Step", "prove"]
