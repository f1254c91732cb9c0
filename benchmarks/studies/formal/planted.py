# SPDX-License-Identifier: BSD-2-Clause
"""Bugs that are planted in gates, each with the method that must refute it, and whether it did.

A bug that is not chosen by ``--only`` keeps what was recorded of it; one that is no longer listed
loses it.

Example: python -m benchmarks.studies.formal.planted --only 'symfpu*'
"""

import argparse
import fnmatch

from macaw.sim.proof.mutants.planted import LIMIT, listed, tried

from ... import positive, results

COMMAND = "python -m benchmarks.studies.formal.planted"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", metavar="PATTERN", default="*", help="bugs whose name matches")
    parser.add_argument("--limit", type=float, default=LIMIT, help="seconds for each, at most")
    parser.add_argument("--jobs", type=positive, default=1, help="cases of a proof at a time")
    results.add_output(parser)
    options = parser.parse_args()
    bugs = listed()
    if not any(fnmatch.fnmatchcase(bug.name, options.only) for bug in bugs):
        parser.error(f"--only {options.only}: no bug has such a name, as '{bugs[0].name}'")
    before = results.read("planted", options.output, {"rows": []})
    rows = {row["bug"]: row for row in before["rows"]}
    for bug in bugs:
        if not fnmatch.fnmatchcase(bug.name, options.only):
            continue
        found = tried(bug, limit=options.limit, jobs=options.jobs)
        rows[bug.name] = {
            "bug": bug.name,
            "by": bug.by,
            "refuted": found.refuted,
            "seconds": round(found.seconds, 1),
            "said": "" if found.refuted else found.said,
        }
        word = "refuted" if found.refuted else "NOT REFUTED"
        print(f"{word} {bug.name} ({found.seconds:.1f} s)", flush=True)
        made = [rows[each.name] for each in bugs if each.name in rows]
        results.write("planted", {"rows": made}, options.output)


if __name__ == "__main__":
    main()
