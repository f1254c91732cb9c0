# SPDX-License-Identifier: BSD-2-Clause
"""What a kind of unit has to have to be proven everywhere: the registry, walked."""

import importlib
from dataclasses import dataclass
from pathlib import Path

import pytest

from macaw.golden.units import UNITS, Mul
from macaw.hdl.units import DATAPATHS
from macaw.sim.proof import prove
from macaw.sim.proof.cases.case import ORDER
from macaw.sim.proof.cases.catalogue import families, family_of
from macaw.sim.proof.random.units import check_rules
from macaw.sim.proof.reference import units as reference
from macaw.tools import sources
from macaw.tools.sources import reached

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
REFERENCE = reference.__name__.rpartition(".")[0]


def of_a_specification(kind):
    return UNITS[kind].__module__ == f"macaw.golden.units.{family_of(kind)}"


def of_gates(kind):
    gates = DATAPATHS.get(UNITS[kind])
    return gates is not None and gates.__module__ == f"macaw.hdl.units.{family_of(kind)}"


def of_a_case(kind):
    family = families().get(family_of(kind))
    return family is not None and any(case.unit.kind == kind for case in family.cases())


def of_a_random_draw(kind):
    """By rules of the family's file, and by those that are every family's."""
    try:
        check_rules(kind)
    except LookupError:
        return False
    return kind in ORDER and family_of(kind) in families()


def of_a_reference(kind):
    """In a file of the family's name, which comes to nothing of macaw but what lies beside it."""
    name = f"{REFERENCE}.{family_of(kind)}"
    if sources._origin(name) is None or kind not in reference.REFERENCES:
        return False
    packages = {REFERENCE[:n] for n, letter in enumerate(REFERENCE) if letter == "."}
    modules = reached([name, reference.REFERENCES[kind].__module__], within="macaw") - packages
    beside = all(f"{name}.".startswith(f"{REFERENCE}.") for name in modules)
    return beside and kind in importlib.import_module(name).KINDS


def of_a_golden_check(kind):
    """One that says that it is of this kind, and whose module comes to the reference."""
    for check in prove.golden_checks():
        if check.kind == kind:
            seen = reached([prove._defined(check.run)], within="macaw.sim")
            return f"{REFERENCE}.{family_of(kind)}" in seen
    return False


def of_a_line_in_docs(kind):
    return any(f"`{kind}`" in page.read_text() for page in PAGES)


CONTRACT = {
    "golden/units/FAMILY.py": of_a_specification,
    "hdl/units/FAMILY.py": of_gates,
    "a case in sim/proof/cases/FAMILY.py": of_a_case,
    "a random draw": of_a_random_draw,
    "sim/proof/reference/FAMILY.py": of_a_reference,
    "a golden check": of_a_golden_check,
    "a line in docs": of_a_line_in_docs,
}


def lacks(kind):
    return [what for what, of in CONTRACT.items() if not of(kind)]


@pytest.mark.parametrize("kind", UNITS)
def test_every_kind_is_proven_everywhere(kind):
    assert lacks(kind) == []


def test_a_kind_that_was_forgotten_is_told(monkeypatch):
    @dataclass(frozen=True, kw_only=True)
    class Novel(Mul):
        kind = "novel"
        novelty: complex = 1j

    monkeypatch.setitem(UNITS, "novel", Novel)
    assert lacks("novel") == list(CONTRACT)


@pytest.mark.parametrize("kind", ["mul", "int-softmax", "pipeline"])
def test_whatever_is_taken_away_is_told(kind, monkeypatch, tmp_path):
    family = families()[family_of(kind)]

    def lose(what):
        with monkeypatch.context() as without:
            match what:
                case "golden/units/FAMILY.py":
                    elsewhere = f"macaw.golden.{family_of(kind)}"
                    without.setattr(UNITS[kind], "__module__", elsewhere)
                case "hdl/units/FAMILY.py":
                    without.delitem(DATAPATHS, UNITS[kind])
                case "a case in sim/proof/cases/FAMILY.py":
                    others = [case for case in family.cases() if case.unit.kind != kind]
                    without.setattr(family, "cases", lambda: others)
                case "a random draw":
                    others = tuple(other for other in ORDER if other != kind)
                    without.setattr(f"{__name__}.ORDER", others)
                case "sim/proof/reference/FAMILY.py":
                    without.delitem(reference.REFERENCES, kind)
                case "a golden check":
                    checks = [check for check in prove.golden_checks() if check.kind != kind]
                    without.setattr(prove, "golden_checks", lambda: checks)
                case "a line in docs":
                    page = tmp_path / "page.md"
                    page.write_text(f"{kind} is not `{kind}s`\n")
                    without.setattr(f"{__name__}.PAGES", [page])
            return lacks(kind)

    assert {what: lose(what) for what in CONTRACT} == {what: [what] for what in CONTRACT}


@pytest.mark.parametrize("line", ["import macaw", "from macaw.golden.arithmetic import dyadic"])
def test_a_reference_that_copies_macaw_is_told(line, monkeypatch, tmp_path):
    (tmp_path / "novel.py").write_text(f"{line}\n\ndef evaluate(spec, beats): ...\n")
    monkeypatch.setattr("macaw.tools.sources._origin", origin_with(tmp_path / "novel.py"))

    def evaluate(spec, beats): ...

    evaluate.__module__ = f"{REFERENCE}.novel"
    monkeypatch.setitem(reference.REFERENCES, "mul", evaluate)
    assert lacks("mul") == ["sim/proof/reference/FAMILY.py"]


def origin_with(path):
    usual = sources._origin
    return lambda name: path if name == f"{REFERENCE}.{path.stem}" else usual(name)
