# SPDX-License-Identifier: BSD-2-Clause
"""Posits: their codes taken apart, and put together."""
