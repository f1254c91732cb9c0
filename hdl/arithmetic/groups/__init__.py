# SPDX-License-Identifier: BSD-2-Clause
"""Values that share a scale, and a zero point."""
