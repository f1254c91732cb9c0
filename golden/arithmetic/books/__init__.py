# SPDX-License-Identifier: BSD-2-Clause
"""Formats that are lists of values."""
