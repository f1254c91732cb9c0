# SPDX-License-Identifier: BSD-2-Clause
"""Amaranth datapaths for the units, and the Verilog emitter."""
