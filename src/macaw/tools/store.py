# SPDX-License-Identifier: BSD-2-Clause
"""Results on disk, found by the content they follow from.

An entry's name is the SHA-256 of everything that decides the result: the Verilog, the target with
its scripts and library text, the tools' versions. Nothing is ever stale, so nothing expires.
Only results are stored, never failures. Entries appear by rename, so that an interrupt or a full
disk leaves either a whole entry or none.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from macaw.golden.errors import ToolError

from . import files

T = TypeVar("T")


def key(**parts: Any) -> str:
    """Digest of JSON-able ``parts``; the order of their names does not matter."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _path(digest: str) -> Path:
    return files.cache_folder() / "results" / digest[:2] / f"{digest}.json"


def get(digest: str, read: Callable[[Any], T]) -> T | None:
    """What ``read`` makes of the stored result, or None.

    An entry that cannot be read, or of which ``read`` can make nothing (a KeyError, TypeError or
    ValueError), counts as none.
    """
    try:
        return read(json.loads(_path(digest).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def keep(digest: str, result: dict[str, Any]) -> None:
    """Store ``result``; ToolError when it cannot be."""
    try:
        path = _path(digest)
    except OSError as error:
        raise ToolError(f"{error.strerror or error}: results cannot be kept") from error
    files.write(path, json.dumps(result, indent=1))


def put(digest: str, result: dict[str, Any]) -> bool:
    """Store ``result``. False, said once, when there is no room or no permission."""
    try:
        keep(digest, result)
    except ToolError as error:
        cause = error.__cause__
        files.go_on_without(cause if isinstance(cause, OSError) else OSError(0, str(error)))
        return False
    return True
