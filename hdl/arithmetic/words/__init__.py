# SPDX-License-Identifier: BSD-2-Clause
"""Arithmetic on plain words, which knows of no format: square roots, butterflies."""
