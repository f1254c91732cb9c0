# SPDX-License-Identifier: BSD-2-Clause
"""Stimulus, simulators and judgement: the gates against the golden model."""
