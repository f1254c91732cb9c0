# SPDX-License-Identifier: BSD-2-Clause
"""What pages of docs/ show of benchmarks/results/, a module for each page: figures to text."""
