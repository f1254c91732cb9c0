# SPDX-License-Identifier: BSD-2-Clause
"""Onto devices and libraries: targets as data, what tools map a module to, and its timing."""
