# SPDX-License-Identifier: BSD-2-Clause
"""Files that appear whole or not at all, whatever is in their place; where the cache is."""

import os
import pwd
import stat
import threading
from pathlib import Path

import pytest

from macaw.golden.errors import ToolError
from macaw.tools import files


def test_text_is_utf8_whatever_the_locale(tmp_path):
    files.write(tmp_path / "deep" / "x.txt", "≤ µ\n")
    assert (tmp_path / "deep" / "x.txt").read_bytes() == b"\xe2\x89\xa4 \xc2\xb5\n"


def test_bytes_that_are_no_text_stay(tmp_path):
    name = os.fsdecode(b"caf\xe9")
    files.write(tmp_path / "x", f"# {name}\n")
    assert (tmp_path / "x").read_bytes() == b"# caf\xe9\n"


def test_permissions_are_the_users(tmp_path):
    old = os.umask(0o027)
    try:
        files.write(tmp_path / "x", "")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o640


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there" / "x")
    files.write(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there" / "x").read_text(encoding="utf-8") == "new"


def test_a_pipe_is_written_and_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()), daemon=True)
    reader.start()
    files.write(pipe, "through")
    reader.join(10)
    assert got == [b"through"]
    assert pipe.is_fifo()


@pytest.mark.parametrize("what", ["folder in its place", "file above"])
def test_what_is_in_the_way_is_named(tmp_path, what):
    path = tmp_path / "x"
    if what == "file above":
        path.write_bytes(b"")
        path = path / "y"
    else:
        path.mkdir()
    with pytest.raises(ToolError, match=rf"{path} cannot be written: "):
        files.write(path, "text")
    with pytest.raises(ToolError, match=rf"{path} cannot be written: "):
        files.check(path)
    assert [each.name for each in tmp_path.iterdir()] == ["x"]


def test_what_can_be_written_is_left_as_it_is(tmp_path):
    there, pipe = tmp_path / "there", tmp_path / "pipe"
    there.write_text("old")
    os.mkfifo(pipe)
    for path in (there, pipe, tmp_path / "below" / "x"):
        files.check(path)
    assert there.read_text() == "old"
    assert {each.name for each in tmp_path.rglob("*")} == {"there", "pipe", "below"}


def test_a_relative_cache_is_one_for_all_tools(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MACAW_CACHE", "cache")
    assert files.cache_folder() == Path(tmp_path / "cache")


def test_a_user_without_a_home_has_no_cache(monkeypatch):
    def nobody(_):
        raise KeyError("no such user")

    for name in ("MACAW_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    with pytest.raises(OSError, match="no home"):
        files.cache_folder()
