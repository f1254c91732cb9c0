# SPDX-License-Identifier: BSD-2-Clause
"""What macaw's speed, its hardware and its arithmetic come to. Scripts measure; docs/ shows it."""

import sys
from collections.abc import Callable

from macaw.golden.errors import MacawError


def start(main: Callable[[], int]) -> None:
    """Run a script's ``main`` as this process; what is wrong is said in a line."""
    try:
        sys.exit(main())
    except MacawError as error:
        sys.exit(f"macaw: {error}")
