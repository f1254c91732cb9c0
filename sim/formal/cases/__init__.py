# SPDX-License-Identifier: BSD-2-Clause
"""Questions too hard to be decided at once, in cases of exponents and leading zeros."""
