# SPDX-License-Identifier: BSD-2-Clause
"""The documentation, and what generates parts of it."""
