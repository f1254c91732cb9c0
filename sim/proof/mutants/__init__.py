# SPDX-License-Identifier: BSD-2-Clause
"""Small faults put into the sources, one at a time: does what proves macaw notice them?"""
