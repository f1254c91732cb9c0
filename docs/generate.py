# SPDX-License-Identifier: BSD-2-Clause
"""Rewrites what README.md and docs/*.md quote of macaw's own output.

``python docs/generate.py`` replaces the text between ``<!-- begin: macaw … -->`` and
``<!-- end -->`` by what that command prints, and docs/images/compare.svg by the picture that
``macaw compare -o build`` drew, if it has run.
"""

import contextlib
import io
import re
import shlex
import shutil
import sys
from pathlib import Path

from macaw import cli

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"(<!-- begin: macaw (?P<command>.+?) -->\n).*?(?=<!-- end -->)", re.DOTALL)


def output(command: str) -> str:
    """What ``macaw command`` prints; code unless it is a Markdown table."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        code = cli.main(shlex.split(command))
    if code:
        raise SystemExit(f"macaw {command}: exit code {code}")
    text = printed.getvalue().strip()
    return f"{text}\n" if text.startswith("|") else f"```text\n{text}\n```\n"


def refreshed(page: str) -> str:
    """``page`` with its quotations as the commands print them now."""
    return _BLOCK.sub(lambda match: match[1] + output(match["command"]), page)


def main() -> None:
    """Rewrite what has changed."""
    drawn = ROOT / "build" / "compare.svg"
    if drawn.exists():
        shutil.copyfile(drawn, ROOT / "docs" / "images" / "compare.svg")
    for path in PAGES:
        old = path.read_text(encoding="utf-8")
        new = refreshed(old)
        if new != old:
            path.write_text(new, encoding="utf-8")
            sys.stdout.write(f"rewrote {path.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
