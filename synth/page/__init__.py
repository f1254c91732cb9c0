# SPDX-License-Identifier: BSD-2-Clause
"""Rows of figures as a page that one works with, and as plots: SVG and PNG."""
