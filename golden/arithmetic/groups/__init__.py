# SPDX-License-Identifier: BSD-2-Clause
"""Groups of weights as deployments have them: with zero points."""
