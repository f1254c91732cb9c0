# SPDX-License-Identifier: BSD-2-Clause
"""A sweep's table as a file: CSV, or Parquet with units beside the columns."""

from __future__ import annotations

import csv
import importlib.util
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from macaw.golden.errors import SpecError, ToolError
from macaw.tools import files

from ..page import page
from ..page.sheet import Column


def _csv(columns: Sequence[Column], rows: Sequence[dict[str, Any]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, [column.name for column in columns], lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _plain(value) for name, value in row.items()})
    return text.getvalue().encode(errors="surrogateescape")


def _plain(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _parquet(columns: Sequence[Column], rows: Sequence[dict[str, Any]]) -> bytes:
    import pyarrow
    import pyarrow.parquet

    kinds = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float64()}
    kinds[bool] = pyarrow.bool_()
    schema = pyarrow.schema(
        [
            pyarrow.field(
                column.name,
                kinds[column.kind],
                metadata={"unit": column.unit, "meaning": column.meaning, "better": column.better},
            )
            for column in columns
        ]
    )
    made = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(rows), schema=schema), made)
    return made.getvalue().to_pybytes()


_WRITERS: dict[str, Callable[..., bytes]] = {".csv": _csv, ".parquet": _parquet}


PAGE = ".html"
"""The ending of a page, which is no table."""


def check(path: str | Path) -> Path:
    """The file that is to be written; before there is anything to write in it.

    SpecError for an ending that is none of ``.csv``, ``.parquet`` and ``.html``, ToolError for
    Parquet without pyarrow.
    """
    path = Path(path)
    if path.suffix not in (*_WRITERS, PAGE):
        raise SpecError(f"output={path}: must end in {', '.join(_WRITERS)} or {PAGE}")
    if path.suffix == ".parquet" and importlib.util.find_spec("pyarrow") is None:
        raise ToolError(f"output={path}: `pip install macaw[sweep]` brings what Parquet needs")
    return path


def make_way(path: Path) -> None:
    """Make the folders above the file; ToolError where it, or a plot of it, cannot be written."""
    if path.suffix == PAGE:
        page.check(path)
    else:
        files.check(path)


def encoded(path: Path, columns: Sequence[Column], rows: Sequence[dict[str, Any]]) -> bytes:
    """The table as the ending of ``path`` says."""
    return _WRITERS[path.suffix](columns, rows)
