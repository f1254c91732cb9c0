# SPDX-License-Identifier: BSD-2-Clause
import os
from pathlib import Path

import pytest

from macaw.golden.errors import ToolError
from macaw.tools import files, store


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MACAW_CACHE", str(tmp_path))
    return tmp_path


def test_what_is_put_is_got():
    name = store.key(verilog="module x;", target="ecp5")
    assert store.get(name, dict) is None
    assert store.put(name, {"luts": 3})
    assert store.get(name, dict) == {"luts": 3}


def test_keys_follow_the_content():
    assert store.key(a=1, b="x") == store.key(b="x", a=1)
    assert store.key(a=1, b="x") != store.key(a=1, b="y")


def test_an_unreadable_entry_is_a_miss(folder):
    name = store.key(a=1)
    store.put(name, {"luts": 3})
    (path,) = folder.rglob("*.json")
    path.write_text('{"luts": ')
    assert store.get(name, dict) is None


def test_an_interrupted_write_leaves_the_old_file_and_no_other(folder, monkeypatch):
    path = folder / "report.json"
    files.write(path, "old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ToolError, match="No space left"):
        files.write(path, "new")
    assert [p.name for p in folder.iterdir()] == ["report.json"]
    assert path.read_text() == "old"
    assert not store.put(store.key(a=2), {"luts": 1})


def test_a_folder_that_is_a_file(folder):
    (folder / "results").write_text("in the way")
    assert not store.put(store.key(a=3), {})
    with pytest.raises(ToolError, match="cannot be written"):
        files.write(Path(folder / "results" / "x"), "text")
