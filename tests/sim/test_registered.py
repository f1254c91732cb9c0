# SPDX-License-Identifier: BSD-2-Clause
"""Every registered format through the gates: ``cast`` in both directions, and ``mul``."""

import pytest
from in_bulk import differing

from macaw.golden import SpecError, format, unit
from macaw.golden.formats import BOOKS, FORMATS, POWERS
from macaw.hdl import build
from macaw.sim.mismatch import position
from macaw.sim.proof.cases.elementwise import REGISTERED, p3109, registered

BITS = 20
VECTORS = 20_000
UNITS = registered() | p3109()
# The products of two codes are proven in the one format alone, and those of wide formats with all
# codes of one operand and corners of the other; casts from fp16 where bf16 has too few digits.
GROUPS = {
    "operand": [f"cast_{name}_fp32" for name in REGISTERED],
    "result": [f"cast_bf16_{name}" for name in REGISTERED],
    "flags": [f"cast_e5m2_{name}_dynamic_flags" for name in REGISTERED],
    "product": [f"mul_{name}" for name in REGISTERED],
    "p3109": [
        *(f"cast_fp16_{name}_propagate" for name in ("binary8p3se", "binary8p3ue")),
        *(
            f"cast_fp16_{name}_directed"
            for name in ("binary8p3se", "binary8p3ue", "binary8p4sf", "binary8p4uf", "binary3p3ue")
        ),
        *(f"cast_{name}_fp32" for name in ("binary8p1se", "binary8p1ue", "binary8p8ue")),
        *(f"mul_{name}" for name in ("binary8p1ue", "binary8p7se", "binary3p1se", "binary5p2se")),
    ],
    "wide": [
        wide
        for name in REGISTERED
        if format(name).width > 8
        for wide in (f"cast_fp16_{name}", f"cast_fp32_{name}", f"mul_{name}_e2m1")
    ],
}


def test_all_that_gates_take_are_there():
    for name in FORMATS | POWERS | BOOKS:
        if name in REGISTERED:
            assert build(unit("cast", a=name, out=name)).port_list
        else:
            with pytest.raises(SpecError, match=f"{name}: gates take"):
                build(unit("cast", a=name, out=name))


@pytest.mark.slow
@pytest.mark.parametrize("group", GROUPS)
def test_registered(group: str):
    wrong = differing([UNITS[name] for name in GROUPS[group]], bits=BITS, vectors=VECTORS, seed=1)
    assert [name for name in GROUPS[group] if UNITS[name] in wrong] == []


def test_distances_count_neighbours():
    """Also between the least values of a format without zero, and those of two signs."""
    shift4 = format("shift4")
    order = [0xF, 0xE, 0xD, 0xC, 0xB, 0xA, 9, 8, 0, 1, 2, 3, 4, 5, 6, 7]
    values = [float(shift4.decode(code)) for code in order]
    assert values == sorted(set(values))
    places = [position(shift4, code) for code in order]
    assert places == list(range(-8, 8))
    assert position(format("e4m3fnuz"), 0x80) is None
    assert position(format("e4m3"), 0x80) == position(format("e4m3"), 0) == 0
    assert position(format("e3m1fnnosubnozero"), 0x10) == -1
