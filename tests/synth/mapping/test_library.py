# SPDX-License-Identifier: BSD-2-Clause
from itertools import pairwise

import pytest

from macaw.synth.mapping import library
from macaw.synth.mapping.liberty import LibertyError, Library, parse, truth_table

LIBRARY = Library(library.liberty())
BY_NAME = {cell.name: cell for cell in library.cells()}


def test_an_inverter_that_drives_four_of_itself_takes_one_fo4():
    assert LIBRARY.fo4_ps == library.PS_PER_FO4


def test_a_nand2_is_one_gate_equivalent():
    assert LIBRARY.nand2.name == "NAND2_X1"
    assert LIBRARY.nand2.area == 1.0


# Widths of the open 45 nm library in NAND2 widths: the rule must come near them.
@pytest.mark.parametrize(
    ("cell", "area"),
    [("INV_X1", 0.67), ("NAND3_X1", 1.33), ("AOI21_X1", 1.33), ("NAND2_X2", 1.67),
     ("AND2_X1", 1.33), ("XOR2_X1", 2.0), ("MUX2_X1", 2.33), ("INV_X4", 1.67)],
)  # fmt: skip
def test_areas_are_near_published_ones(cell, area):
    assert LIBRARY.cells[cell].area == pytest.approx(area, abs=0.01)


def test_a_stronger_cell_is_larger_and_faster_under_load():
    stems = {name.rpartition("_X")[0] for name in BY_NAME}
    for stem in stems:
        family = sorted(
            (cell for cell in BY_NAME.values() if cell.name.rpartition("_X")[0] == stem),
            key=lambda cell: cell.drive,
        )
        for weak, strong in pairwise(family):
            assert weak.area < strong.area

            def slowest(cell, load=40.0):
                return max(cell.parasitic.values()) + load / cell.drive

            assert slowest(strong) < slowest(weak)


def test_flip_flops_with_more_pins_are_larger():
    areas = {ff.name: ff.area for ff in library.FLIP_FLOPS}
    assert areas["DFF"] == 5.0
    assert areas["DFF"] < areas["DFFR"] < areas["DFFE"]


@pytest.mark.parametrize(
    ("function", "inputs", "table"),
    [("!(A&B)", "AB", "1110"), ("(A B)'", "AB", "1110"), ("!A + !B", "AB", "1110"),
     ("A^B", "AB", "0110"), ("(S&B)|(!S&A)", "ABS", "by S"), ("A'", "A", "10"),
     ("IQ", "D", None)],
)  # fmt: skip
def test_liberty_functions(function, inputs, table):
    if function.startswith("(S&B)"):
        # rows count A, B, S with S fastest
        table = "".join(str(b if s else a) for a in (0, 1) for b in (0, 1) for s in (0, 1))
    assert truth_table(function, list(inputs)) == table


def test_a_truncated_liberty_file_is_refused():
    with pytest.raises(LibertyError, match="no complete library"):
        parse(library.liberty()[:2000])


def test_a_library_without_nand2_says_so():
    text = library.liberty()
    start = text.index("    cell (NAND2_X1)")
    end = text.index("    cell (NAND3_X1)")
    with pytest.raises(LibertyError, match="truth table 1110"):
        _ = Library(text[:start] + text[end:]).nand2
