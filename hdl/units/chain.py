# SPDX-License-Identifier: BSD-2-Clause
"""Gates for units in a row: one scheduler for all, so that they have one latency."""

from macaw.golden import units
from macaw.golden.units import Unit

from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire, cat
from .datapath import Datapath

__all__ = ["DATAPATHS", "ChainDatapath"]


class ChainDatapath(Datapath):
    """Gates for :class:`macaw.golden.units.Chain`. One result, or beat, a clock."""

    spec: units.Chain

    def build(self, p: Scheduler, **operands: Wire) -> dict[str, Wire]:
        spec = self.spec
        operands |= self._stored(p, operands)
        first = spec.chain[0]
        with p.scope(f"{first.kind.replace('-', '_')}0"):
            results = self._part(p, first, {name: operands[name] for name in first.ports.inputs})
        done = results.pop("done", None)
        for number, (stage, linked, names) in enumerate(spec.links, start=1):
            rest = {name: operands[port] for name, port in names.items()}
            with p.scope(f"{stage.kind.replace('-', '_')}{number}"):
                results = self._part(p, stage, {linked: results["r"], **rest})
        return results if done is None else {**results, "done": done}

    @classmethod
    def limits(cls, kind: type[Unit]) -> list[str]:
        """Those of the stages."""
        return ["what they refuse of a stage"]

    @classmethod
    def check(cls, spec: Unit) -> None:
        """Each stage by its own gates."""
        from .registry import DATAPATHS

        assert isinstance(spec, units.Chain)
        for stage in spec.chain:
            DATAPATHS[type(stage)].check(stage)

    def _part(self, p: Scheduler, stage: Unit, operands: dict[str, Wire]) -> dict[str, Wire]:
        from .registry import DATAPATHS

        return DATAPATHS[type(stage)](stage, self.implementation).complete(p, **operands)

    def _stored(self, p: Scheduler, operands: dict[str, Wire]) -> dict[str, Wire]:
        """What the memory has for this beat; all operands of a channel are one word."""
        held = self.spec.held
        if not held:
            return {}
        word = cat(*(operands[name] for name in held))
        word = p.memory(
            self.spec.channels, operands["write"], operands["channel"], word, "parameters"
        )
        found, position = {}, 0
        for name in held:
            width = self.spec.ports.inputs[name].width
            found[name] = word[position : position + width]
            position += width
        return found


DATAPATHS = {
    units.Chain: ChainDatapath,
}
