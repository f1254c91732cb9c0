# SPDX-License-Identifier: BSD-2-Clause
"""How a unit is built, and what its module is called."""
