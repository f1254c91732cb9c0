# SPDX-License-Identifier: BSD-2-Clause
"""The tables of what units cost by part."""

import pytest

from benchmarks import results
from benchmarks.cost.optimise import PARTED, PARTED_FOR
from docs.pages.synthesis import optimise
from macaw.synth.breakdown import Share


@pytest.mark.parametrize("unit", PARTED)
@pytest.mark.parametrize("how", PARTED_FOR)
def test_parts_add_up_to_the_whole_that_is_recorded(unit: str, how: str) -> None:
    made = results.read("optimise")[f"parts of {unit} --optimise {how}"]["asic"]
    for figure in ("cost", "delay"):
        parts = sum(share[figure] or 0 for share in made["shares"])
        assert parts == pytest.approx(made["whole"][figure])


def test_a_part_that_one_way_of_mapping_has_alone_costs_nothing_in_the_other() -> None:
    rest = [Share(part=name, cost=1) for name in ("outside", "clock", "across", "whole")]
    first = [Share(part="add", cost=3), Share(part="order", cost=2), *rest]
    other = [Share(part="add", cost=4), Share(part="count", cost=5), *rest]
    found = {n: [share.cost for share in each] for n, each in optimise._aligned([first, other])}
    assert list(found) == ["add", "order", "count", "outside", "clock", "across", "whole"]
    assert (found["add"], found["order"], found["count"]) == ([3, 4], [2, 0], [0, 5])
