# SPDX-License-Identifier: BSD-2-Clause
"""Scales that are searched for: which are tried, and which is kept."""
