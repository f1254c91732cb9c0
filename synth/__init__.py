# SPDX-License-Identifier: BSD-2-Clause
"""Targets, synthesis flows, metrics and comparisons."""
