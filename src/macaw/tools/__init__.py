# SPDX-License-Identifier: BSD-2-Clause
"""Files, child processes, Yosys, simulators, stored results: what macaw does with the machine."""
