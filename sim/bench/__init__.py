# SPDX-License-Identifier: BSD-2-Clause
"""Benches: a module's pins, and what moves vectors through them."""
