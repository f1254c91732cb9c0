# SPDX-License-Identifier: BSD-2-Clause
"""What passed, so that an interrupted proof goes on where it was."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from macaw.tools import files


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One line of the ledger.

    Attributes
    ----------
    name : str
        The check, ``golden/…``, ``rtl/…``, ``formal/…``.
    passed : bool
    vectors : int
        Compared results of all implementations; for golden checks, cases; for lint, modules; for
        formal ones, proofs.
    seconds : float
    detail : str
        Modules and simulator; or the first mismatch; or the error.
    sources : str
        Digest of the case and of the Python that made it: unchanged, nothing is generated again.
    open : bool
        Nothing was found that is wrong, and not all that was claimed is proven.
    """

    name: str
    passed: bool
    vectors: int
    seconds: float
    detail: str
    sources: str = ""
    open: bool = False

    @property
    def counted(self) -> str:
        """What ``vectors`` counts: of proofs for all inputs these."""
        return "proofs" if self.name.startswith("formal/") else "vectors"

    @property
    def failed(self) -> bool:
        """Whether something is wrong."""
        return not (self.passed or self.open)


class Ledger:
    """Checks that passed, by a digest of all that they depend on; kept in one JSON file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: dict[str, dict[str, Any]] = {}
        try:
            for key, entry in json.loads(path.read_text(encoding="utf-8")).items():
                with contextlib.suppress(TypeError):
                    self.entries[key] = asdict(Entry(**entry))
        except (OSError, ValueError, AttributeError):
            pass  # not there, or damaged: it is proven again

    def find(self, key: str) -> Entry | None:
        """The entry of a check that passed with the same content."""
        entry = self.entries.get(key)
        return Entry(**entry) if entry is not None else None

    def find_sources(self, name: str, sources: str) -> Entry | None:
        """The entry of a check that passed and whose generator has not changed since."""
        for entry in self.entries.values():
            if entry["name"] == name and entry["sources"] == sources:
                return Entry(**entry)
        return None

    def keys(self, name: str) -> frozenset[str]:
        """Keys under which a check passed."""
        return frozenset(key for key, entry in self.entries.items() if entry["name"] == name)

    def add(self, key: str, entry: Entry) -> None:
        """Write an entry; the file is whole at every moment.

        Raises
        ------
        ToolError
            It cannot be written.
        """
        self.entries[key] = asdict(entry)
        files.write(self.path, json.dumps(self.entries, indent=1))
