# SPDX-License-Identifier: BSD-2-Clause
"""Gates for functions of few bits: a table, in logic or in a memory."""

from macaw.golden import units

from ..schedule.scheduler import Scheduler
from ..schedule.table import lookup
from ..schedule.wire import Wire
from .datapath import Datapath

__all__ = ["DATAPATHS", "TableDatapath"]


class TableDatapath(Datapath):
    """Gates for :class:`macaw.golden.units.Table`. One result a clock."""

    spec: units.Table
    wraps = True

    def build(self, p: Scheduler, *, a: Wire) -> dict[str, Wire]:
        return {"r": lookup(p, a, self.spec.contents.tolist()).bits(self.spec.out.width)}


DATAPATHS = {units.Table: TableDatapath}
