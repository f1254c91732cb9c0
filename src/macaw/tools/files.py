# SPDX-License-Identifier: BSD-2-Clause
"""Files that appear whole or not at all, and the folder where results are kept."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

import platformdirs

from macaw.golden.errors import ToolError

from . import processes


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file to write instead of ``path``, whose place it takes when this ends without error.

    A link stays one; a device or a pipe is written itself. Raises OSError that names ``path``.
    """
    path = Path(os.path.realpath(path))
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            yield path
            return
        with processes.leftover(_draft(path)) as draft:
            yield draft
            if path.is_dir():
                raise IsADirectoryError(21, os.strerror(21), str(path))
            with draft.open("rb+") as file:
                os.fsync(file.fileno())
            draft.replace(path)
    except OSError as error:
        if error.errno is None:
            raise
        raise type(error)(error.errno, error.strerror or str(error), str(path)) from error


def write(path: Path, text: str | bytes) -> None:
    """Write a file, text as UTF-8, with the folders above it, whole or not at all.

    ToolError when it cannot be written.
    """
    # What stood for bytes that are no UTF-8, in the name of a file say, becomes them again.
    data = text.encode(errors="surrogateescape") if isinstance(text, str) else text
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as draft:
            draft.write_bytes(data)
    except OSError as error:
        raise ToolError(f"{path} cannot be written: {error.strerror or error}") from error


def check(path: Path) -> None:
    """Make the folders above ``path``, before there is anything to write in it.

    ToolError when :func:`write` could not: a folder in its place, a file above it, no permission.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(21, os.strerror(21), str(path))
        if path.is_file() or not path.exists():
            with processes.leftover(_draft(Path(os.path.realpath(path)))) as draft:
                draft.touch()
    except OSError as error:
        raise ToolError(f"{path} cannot be written: {error.strerror or error}") from error


def _draft(path: Path) -> Path:
    """A name beside ``path``."""
    return path.with_name(f".macaw-{secrets.token_hex(6)}.part")


def cache_folder() -> Path:
    """Where results are kept: ``$MACAW_CACHE``, else the user's cache folder of this platform.

    Raises OSError when there is neither, as for a user without a home.
    """
    chosen = os.environ.get("MACAW_CACHE")
    return Path(chosen).absolute() if chosen else user_cache("macaw")


def user_cache(program: str) -> Path:
    """The cache folder of ``program``; OSError when the user has none."""
    try:
        folder = platformdirs.user_cache_path(program, False)
    except RuntimeError:
        folder = Path("~", ".cache", program)
    if not folder.is_absolute():  # what older versions say to that
        raise OSError(2, "this user has no home folder", str(folder))
    return folder


_told: set[str] = set()


def tell(line: str) -> None:
    """Say something on stderr, once in this process."""
    if line not in _told:
        _told.add(line)
        with contextlib.suppress(OSError, ValueError, AttributeError):
            sys.stderr.write(f"macaw: {line}\n")
            sys.stderr.flush()


def go_on_without(error: OSError, variable: str = "MACAW_CACHE") -> None:
    """Say which file of a cache cannot be written, and how to put the cache elsewhere."""
    tell(
        f"{error.filename or 'the cache'} cannot be written: {error.strerror or error}; going on"
        f" without ({variable}=FOLDER puts the cache elsewhere)"
    )
