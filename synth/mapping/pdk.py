# SPDX-License-Identifier: BSD-2-Clause
"""Liberty files of process design kits, as ciel and open_pdks lay them out below ``$PDK_ROOT``."""

from __future__ import annotations

import os
import re
from pathlib import Path

from macaw.golden.errors import SpecError

KITS = {
    "sky130": ("sky130[AB]", "sky130_fd_sc_hd", "*__tt_025C_1v80.lib"),
    "gf180": ("gf180mcu[A-D]", "gf180mcu_fd_sc_mcu7t5v0", "*__tt_025C_5v00.lib"),
    "ihp": ("ihp-sg13g2", "sg13g2_stdcell", "*_typ_1p20V_25C.lib"),
}
"""Name -> folder of the kit, its standard cells, and their file of the typical corner."""

_TYPICAL = re.compile(r"(^|_)(tt|typ|nom)[^a-z].*25c", re.IGNORECASE)


def find(liberty: str | Path) -> Path:
    """The Liberty file that is meant: a file, a folder with one of a typical corner, or a kit.

    A kit is a name of :data:`KITS`, below ``$PDK_ROOT``. SpecError where there is none, or several.
    """
    name = str(liberty)
    path = Path(liberty)
    if name in KITS and not path.exists():
        return _of_kit(name)
    if not path.is_dir():
        return path
    found = [file for file in sorted(path.rglob("*.lib")) if _TYPICAL.search(file.stem)]
    known = {
        file
        for _, cells, corner in KITS.values()
        for file in path.rglob(corner)
        if file.name.startswith(cells)
    }
    chosen = sorted(known) or found
    if len(chosen) != 1:
        some = ", ".join(file.name for file in chosen[:3]) or "none"
        raise SpecError(
            f"liberty: {path} has {len(chosen)} files of a typical corner ({some}): name one file"
        )
    return chosen[0]


def _of_kit(name: str) -> Path:
    root = os.environ.get("PDK_ROOT")
    if not root:
        raise SpecError(f"liberty: {name} is looked for below PDK_ROOT, which is not set")
    kit, cells, corner = KITS[name]
    found = sorted(Path(root).glob(f"{kit}/libs.ref/{cells}/lib*/{corner}"))
    if not found:
        wanted = f"{kit}/libs.ref/{cells}/lib/{corner}"
        raise SpecError(f"liberty: {name}: PDK_ROOT={root} has no {wanted}")
    return found[0]
