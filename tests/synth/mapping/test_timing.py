# SPDX-License-Identifier: BSD-2-Clause
import pytest
from netlists import cell, module

from macaw.synth.mapping import library
from macaw.synth.mapping.liberty import LibertyError, Library
from macaw.synth.mapping.timing import longest_path

LIBRARY = Library(library.liberty())
FF = next(ff for ff in library.FLIP_FLOPS if ff.name == "DFF")
TAU = library.PS_PER_TAU


def test_a_chain_of_two_inverters_by_hand():
    path = longest_path(
        module({"a": cell("INV_X1", A=2, Y=3), "b": cell("INV_X1", A=3, Y=4)}, [2], [4]), LIBRARY
    )
    launch = FF.clock_to_output + 1 + 1 / FF.drive
    assert path.logic_picoseconds == pytest.approx(TAU * (2 + 2))
    assert path.picoseconds == pytest.approx(TAU * (launch + 4 + FF.setup))
    assert path.cells == ("INV_X1", "INV_X1")


def test_flip_flops_cut_paths():
    cells = {
        "a": cell("XOR2_X1", A=2, B=3, Y=4),
        "ff": cell("DFF", D=4, CK=9, Q=5),
        "b": cell("INV_X1", A=5, Y=6),
    }
    assert longest_path(module(cells, [2, 3, 9], [6]), LIBRARY).cells == ("XOR2_X1",)


def test_the_rising_and_the_falling_edge_are_followed_apart():
    # Through an inverter the late edge changes sign; both are equal here, so only depth counts.
    cells = {"a": cell("NAND2_X1", A=2, B=3, Y=4), "b": cell("NAND2_X1", A=4, B=2, Y=5)}
    assert longest_path(module(cells, [2, 3], [5]), LIBRARY).cells == ("NAND2_X1", "NAND2_X1")


def test_constants_are_no_sources():
    cells = {"a": cell("NAND2_X1", A="1", B=2, Y=4)}
    assert longest_path(module(cells, [2], [4]), LIBRARY).cells == ("NAND2_X1",)


def test_a_buffered_constant_is_there_from_the_start():
    cells = {"a": cell("BUF_X1", A="1", Y=3), "b": cell("NAND2_X1", A=3, B=2, Y=4)}
    assert longest_path(module(cells, [2], [4]), LIBRARY).cells == ("NAND2_X1",)


def test_nothing_to_time():
    assert longest_path(module({}, [2], []), LIBRARY).picoseconds == 0.0


def test_a_loop_is_refused():
    cells = {"a": cell("INV_X1", A=3, Y=4), "b": cell("INV_X1", A=4, Y=3)}
    with pytest.raises(LibertyError, match="loop"):
        longest_path(module(cells, [2], [4]), LIBRARY)


def test_an_unknown_cell_is_named():
    with pytest.raises(LibertyError, match="FROB_X1"):
        longest_path(module({"a": cell("FROB_X1", A=2, Y=3)}, [2], [3]), LIBRARY)
