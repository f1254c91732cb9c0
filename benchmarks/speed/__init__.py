# SPDX-License-Identifier: BSD-2-Clause
"""How fast macaw is."""
