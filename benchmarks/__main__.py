# SPDX-License-Identifier: BSD-2-Clause
"""Runs benchmarks and studies, one after another: those that are named, or all.

Example: python -m benchmarks speed cost.fma
"""

import argparse
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
GROUPS = ("speed", "cost", "errors", "studies")
MISSING = 2
"""Exit code of a script that has not what it compares with."""


def scripts() -> list[str]:
    """Every script, as ``group.name``."""
    return [
        ".".join(path.relative_to(FOLDER).with_suffix("").parts)
        for group in GROUPS
        for path in sorted((FOLDER / group).rglob("[a-z]*.py"))
        if '__name__ == "__main__"' in path.read_text(encoding="utf-8")
    ]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="a group, or group.script")
    parser.add_argument("--list", action="store_true", help="only say which there are")
    options = parser.parse_args()
    every = scripts()
    unknown = {*options.names} - {*every, *GROUPS}
    if unknown:
        parser.error(f"{sorted(unknown)[0]}: must be of {', '.join([*GROUPS, *every])}")
    for name in every:
        if options.names and not {name, name.partition(".")[0]} & {*options.names}:
            continue
        print(f"benchmarks.{name}", flush=True)
        if options.list:
            continue
        command = [sys.executable, "-m", f"benchmarks.{name}"]
        code = subprocess.run(command, cwd=FOLDER.parent, check=False).returncode
        if code not in (0, MISSING):
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
