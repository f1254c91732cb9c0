# SPDX-License-Identifier: BSD-2-Clause
"""What macaw's speed, its hardware and its arithmetic come to. Scripts measure; docs/ shows it."""

import argparse
import sys
from collections.abc import Callable

from macaw.golden.errors import MacawError


def start(main: Callable[[], int]) -> None:
    """Run a script's ``main`` as this process; what is wrong is said in a line."""
    try:
        sys.exit(main())
    except MacawError as error:
        sys.exit(f"macaw: {error}")


def positive(text: str) -> int:
    """A count as an option of a script has it: ``type=positive``."""
    try:
        count = int(text)
    except ValueError:
        count = 0
    if count < 1:
        raise argparse.ArgumentTypeError(f"{text!r:.60} must be a whole number from 1 on")
    return count
