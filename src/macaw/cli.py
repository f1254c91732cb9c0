# SPDX-License-Identifier: BSD-2-Clause
"""The ``macaw`` command."""


def main() -> int:
    """Run the command line."""
    raise SystemExit("macaw: not written yet")
