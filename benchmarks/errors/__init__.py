# SPDX-License-Identifier: BSD-2-Clause
"""How far results are from the exact ones, a script for each family."""
