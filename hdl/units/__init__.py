# SPDX-License-Identifier: BSD-2-Clause
"""Datapaths, one for each unit specification."""

from .registry import DATAPATHS, limits

__all__ = ["DATAPATHS", "limits"]
