# SPDX-License-Identifier: BSD-2-Clause
"""Progress of scripts that take long."""

import sys
import time
from collections.abc import Callable


def stopwatch() -> Callable[[str], None]:
    """A function that says something on stderr, with the seconds since this call."""
    started = time.monotonic()

    def progress(text: str) -> None:
        print(f"{time.monotonic() - started:6.0f} s  {text}", file=sys.stderr, flush=True)

    return progress
