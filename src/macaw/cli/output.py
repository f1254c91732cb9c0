# SPDX-License-Identifier: BSD-2-Clause
"""What verbs print: tables and JSON on stdout, on stderr how far they are."""

from __future__ import annotations

import codecs
import json
import math
import os
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from typing import Any

import click


class Progress:
    """Tells on stderr how far long work is.

    On a terminal one line that is rewritten, elsewhere plain lines, at most one in ``interval``
    seconds. Called with a text, or with what is done of how much. What has said nothing after
    ``patience`` seconds, on a terminal, or else after ``interval``, is said to go on.
    """

    interval = 10.0
    patience = 2.0

    def __init__(self, label: str) -> None:
        self.label = label
        self.live = sys.stderr.isatty()
        self.last = time.monotonic()
        self._silence = threading.Timer(self.patience if self.live else self.interval, self, ("…",))
        self._silence.daemon = True

    def __call__(self, *news: Any) -> None:
        """Show ``news``: the count done and the whole, or a text."""
        self._silence.cancel()
        now = time.monotonic()
        if len(news) == 2:
            done, total = news
            text = f"{self.label}: {done:,} of {total:,}"
            if done < total and now - self.last < (0.1 if self.live else self.interval):
                return
        else:
            text = f"{self.label}: {' '.join(map(str, news))}"
        self.last = now
        if self.live:
            sys.stderr.write(f"\r\x1b[K{text[: os.get_terminal_size(2).columns - 1]}")
        else:
            sys.stderr.write(f"{text}\n")
        sys.stderr.flush()

    def close(self) -> None:
        """Clear the terminal's line."""
        self._silence.cancel()
        if self.live:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def __enter__(self) -> Progress:
        self._silence.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Bar(Progress):
    """Progress of many small pieces: on a terminal with a bar, and the time that is left."""

    def __init__(self, label: str) -> None:
        super().__init__(label)
        from rich import progress

        self._bar = progress.Progress(
            progress.TextColumn("{task.description}"),
            progress.BarColumn(30),
            progress.MofNCompleteColumn(),
            progress.TimeRemainingColumn(),
            auto_refresh=False,
        )
        self._task = self._bar.add_task(label, total=None)

    def __call__(self, *news: Any) -> None:
        """Show ``news``: the count done and the whole, or a text."""
        if not self.live or len(news) != 2:
            super().__call__(*news)
            return
        from rich.console import Console

        self._silence.cancel()
        done, total = news
        self._bar.update(self._task, completed=done, total=total)
        width = os.get_terminal_size(2).columns - 1
        console = Console(force_terminal=True, width=width, no_color="NO_COLOR" in os.environ)
        with console.capture() as captured:
            console.print(self._bar.get_renderable(), end="")
        sys.stderr.write(f"\r\x1b[K{captured.get().strip()}")
        sys.stderr.flush()


def print_json(value: Any) -> None:
    """Print ``value`` as JSON; in a terminal without UTF-8 all ASCII."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    ascii_ = codecs.lookup(encoding).name != "utf-8"
    click.echo(json.dumps(_finite(value), indent=2, allow_nan=False, ensure_ascii=ascii_))


def _finite(value: Any) -> Any:
    """JSON has no infinities and NaNs: they go as text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> None:
    """Print a table whose first ``left`` columns are text and the others numbers."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for index, heading in enumerate(headings):
        table.add_column(heading, justify="left" if index < left else "right", no_wrap=index < left)
    for row in rows:
        table.add_row(*map(Text, row))
    console = Console(width=None if sys.stdout.isatty() else 1000, highlight=False)
    with console.capture() as captured:
        console.print(table)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))
