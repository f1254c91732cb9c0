# SPDX-License-Identifier: BSD-2-Clause
"""The project's own proof: everything that is claimed, as one command."""
