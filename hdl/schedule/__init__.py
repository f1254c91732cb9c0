# SPDX-License-Identifier: BSD-2-Clause
"""Registers and wires: the scheduler, and the pieces that know in which stage they are."""
