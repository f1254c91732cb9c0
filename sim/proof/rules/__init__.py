# SPDX-License-Identifier: BSD-2-Clause
"""How formats and parameters are drawn at random: rules that several families share."""
