# SPDX-License-Identifier: BSD-2-Clause
"""Generated modules against the golden model: a sample of ``make prove``."""

import pytest
from click.testing import CliRunner

from macaw.golden.units import unit
from macaw.hdl import generate
from macaw.hdl.options.implementation import Implementation
from macaw.hdl.units.registry import DATAPATHS
from macaw.sim import verify
from macaw.sim.proof import prove
from macaw.sim.proof.cases.case import Case
from macaw.sim.proof.cases.catalogue import cases
from macaw.sim.proof.lint import complaints
from macaw.sim.proof.outsiders.layers import JUDGES
from macaw.tools import simulators, sources

TEN = [
    (unit("mul", a="e4m3"), {"stages": 1}),
    (unit("add", a="bf16"), {"stages": 2, "flow": "valid"}),
    (unit("fma", a="fp16", out="fp16"), {"stages": 3, "flow": "stream"}),
    (unit("fma", a="e4m3", b="e5m2", out="fp32"), {"frequency": 100.0, "bus": "axis"}),
    (unit("fma", a="e5m2", out="e5m2", rounding="dynamic", flags=True), {"stages": 0}),
    (unit("cast", a="fp32", out="e4m3", rounding="sr"), {"stages": 1, "flow": "stream"}),
    (unit("dot", a="int4", b="fp16", out="fp16", lanes=8), {"stages": 3}),
    (unit("dot", a="bf16", out="fp32", accumulation="aligned(24)"), {"stages": 2}),
    (unit("dot", a="e4m3", b="e5m2", out="fp32", product="lmul(literal)"), {"stages": 1}),
    (unit("mac", a="e4m3", out="fp32", lanes=4), {"stages": 2, "flow": "stream"}),
    (unit("mac", a="int8", acc="int32", out="int32"), {"stages": 1, "reset": "async"}),
    (unit("mac", a="bf16", acc="fp32", out="fp32"), {"stages": 1, "flow": "valid"}),
]


def ids(value):
    return value.name if hasattr(value, "kind") else "_".join(map(str, value.values()))


@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
@pytest.mark.parametrize(("spec", "options"), TEN, ids=ids)
def test_cocotb(spec, options, simulator):
    if simulator not in simulators.available():
        pytest.skip(f"{simulator} is missing")
    report = verify(spec, simulator=simulator, vectors=800, seed=1, **options)
    assert report.passed, str(report)


def test_lint():
    if not {"icarus", "verilator"} <= set(simulators.available()):
        pytest.skip("icarus or verilator is missing")
    assert complaints([generate(spec, **options) for spec, options in TEN]) == []


SAMPLE = [
    case
    for number, case in enumerate(case for case in cases(sample=True) if case.simulator == "bulk")
    if isinstance(case, Case)  # those drawn at random have tests of their own
    and (number % 3 == 0 or "large" in case.name)
]


@pytest.mark.parametrize("case", SAMPLE, ids=lambda case: case.name)
def test_bulk(case):
    if "bulk" not in simulators.available():
        pytest.skip("verilator is missing")
    _, entry = prove.run_case(case)
    assert entry is not None
    assert entry.passed, entry.detail


def test_no_case_asks_of_gates_what_they_refuse():
    for sample in (False, True):
        for case in cases(sample=sample):
            for options in case.implementations if isinstance(case, Case) else ():
                DATAPATHS[type(case.unit)](case.unit, Implementation(**options))


def test_names_of_checks_are_unique():
    for sample in (False, True):
        names = [case.name for case in cases(sample=sample)]
        assert len(set(names)) == len(names)


def test_a_missing_outsider_fails_the_proof(monkeypatch):
    monkeypatch.setattr(prove, "OUTSIDERS", (*prove.OUTSIDERS, "no-such-judge:no_such_judge"))
    done = CliRunner().invoke(prove.main, ["--only", "golden/layers"])
    assert done.exit_code == 1
    wanted = f"{len(JUDGES)} checks of the golden model need no-such-judge: pip install"
    assert wanted in done.output


PACKAGE = {
    "__init__.py": "",
    "golden.py": "X = 1",
    "sub/__init__.py": "from .. import other",
    "sub/stimulus.py": "from ..golden import X",
    "check.py": "def run():\n    from .sub import stimulus\n    from .families import collected",
    "families/__init__.py": "",
    "families/collected.py": "import pkgutil\nFOUND = [*pkgutil.iter_modules(__path__)]",
    "families/one.py": "from . import shared",
    "families/shared.py": "",
    "other.py": "",
}


@pytest.mark.parametrize("changed", [None, *PACKAGE])
def test_a_key_holds_all_that_decides_a_check(changed, tmp_path, monkeypatch):
    """Sub-packages, imports relative and inside a function, what is walked; and no more."""
    monkeypatch.syspath_prepend(tmp_path)
    package = f"package_{list(PACKAGE).index(changed) if changed else 'whole'}"
    digests = []
    for text in ("", "# changed"):
        for name, content in PACKAGE.items():
            path = tmp_path / package / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content + (text if name == changed else ""))
        names = {path.removesuffix(".py").replace("/", ".") for path in PACKAGE} - {"other"}
        names = {f"{package}.{name}".removesuffix(".__init__") for name in names}
        assert sources.reached([f"{package}.check"], within=package) == names
        digests.append(sources.closure(f"{package}.check", within=package))
        sources.closure.cache_clear()
    assert (digests[0] == digests[1]) is (changed in (None, "other.py"))


def test_the_bench_is_all_that_it_imports_but_what_is_judged():
    """Of macaw: its own modules and the tools; golden and the module have digests of their own."""
    bench = sources.reached(prove.BENCH, within="macaw.sim")
    tools = sources.reached(prove.TOOLS, within="macaw.tools")
    used = set[str]()
    for name in bench | tools:
        path = sources._origin(name)
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        used |= sources.imported(path, package)
    modules = {name if sources._origin(name) else name.rpartition(".")[0] for name in used}
    mine = {name for name in modules if name.startswith(("macaw.sim.", "macaw.tools."))}
    assert "macaw.tools.simulators" in mine
    assert mine <= bench | tools


def test_keys_change_with_the_check_and_the_bench(monkeypatch):
    case = next(iter(cases(sample=True)))
    check = prove.golden_checks()[0]
    before = prove.key_of(case), prove.sources_of(case), prove.key_of_golden(check)
    assert before == (prove.key_of(case), prove.sources_of(case), prove.key_of_golden(check))
    monkeypatch.setattr(prove, "closure", lambda *_, **__: "changed")
    prove._bench.cache_clear()
    after = prove.key_of(case), prove.sources_of(case), prove.key_of_golden(check)
    prove._bench.cache_clear()
    assert all(old != new for old, new in zip(before, after))


def test_ledger_keeps_what_passed(tmp_path):
    ledger = prove.Ledger(tmp_path / "new" / "ledger.json")
    entry = prove.Entry(name="rtl/x", passed=True, vectors=5, seconds=1.0, detail="x")
    ledger.add("key", entry)
    again = prove.Ledger(tmp_path / "new" / "ledger.json")
    assert again.find("key") == entry
    assert again.find("other") is None
