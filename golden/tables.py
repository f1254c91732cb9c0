# SPDX-License-Identifier: BSD-2-Clause
"""Tables of results: who has one, and how many there are at a time."""

from __future__ import annotations

from collections import deque
from typing import Protocol


class Owner(Protocol):
    """Who looks results up in a table, and computes them while there is none."""

    def drop(self) -> None:
        """Forget the table."""
        ...


class Shelf:
    """The owners of the ``most`` tables that were made last; those of older ones drop theirs."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.owners: deque[Owner] = deque()

    def put(self, owner: Owner) -> None:
        """Take in an owner that has made its table."""
        self.owners.append(owner)
        if len(self.owners) > self.most:
            self.owners.popleft().drop()
