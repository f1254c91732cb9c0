# SPDX-License-Identifier: BSD-2-Clause
"""Results on disk, found by the content they follow from.

An entry's name is the SHA-256 of everything that decides the result: the Verilog, the target with
its scripts and library text, the tools' versions. Nothing is ever stale, so nothing expires.
Only results are stored, never failures. Entries appear by rename, so that an interrupt or a full
disk leaves either a whole entry or none.
"""

import contextlib
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import platformdirs

from macaw.golden.errors import ToolError


def folder() -> Path:
    """``MACAW_CACHE``, or the user's cache folder of this platform."""
    chosen = os.environ.get("MACAW_CACHE")
    return Path(chosen) if chosen else platformdirs.user_cache_path("macaw", False)


def key(**parts: Any) -> str:
    """Digest of JSON-able ``parts``; the order of their names does not matter."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _path(digest: str) -> Path:
    return folder() / "results" / digest[:2] / f"{digest}.json"


def get(digest: str) -> dict[str, Any] | None:
    """The stored result, or None; an unreadable entry counts as none."""
    try:
        value = json.loads(_path(digest).read_text())
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def put(digest: str, result: dict[str, Any]) -> bool:
    """Store ``result``. False when there is no room or no permission: a cache may fail quietly."""
    path = _path(digest)
    try:
        write(path, json.dumps(result, indent=1))
    except ToolError:
        return False
    return True


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all; :class:`ToolError` when it cannot be written."""
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except OSError as error:
        raise ToolError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
