# SPDX-License-Identifier: BSD-2-Clause
import hashlib
from pathlib import Path

import pytest

import macaw
from macaw.golden.errors import SpecError
from macaw.synth.mapping import library, pdk

LIBRARY = library.liberty(power=True)
FILES = {
    "sky130": "sky130A/libs.ref/sky130_fd_sc_hd/lib/sky130_fd_sc_hd__tt_025C_1v80.lib",
    "gf180": "gf180mcuD/libs.ref/gf180mcu_fd_sc_mcu7t5v0/lib/"
    "gf180mcu_fd_sc_mcu7t5v0__tt_025C_5v00.lib",
    "ihp": "ihp-sg13g2/libs.ref/sg13g2_stdcell/lib/sg13g2_stdcell_typ_1p20V_25C.lib",
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch) -> Path:
    for name in FILES.values():
        for other in (name, name.replace("025C", "100C").replace("typ", "slow")):
            path = tmp_path / other
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("")
    monkeypatch.setenv("PDK_ROOT", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("kit", FILES)
def test_a_kit_has_its_typical_corner(kit, root):
    assert pdk.find(kit) == root / FILES[kit]
    assert pdk.find(root / FILES[kit]).name == Path(FILES[kit]).name
    assert pdk.find(root / Path(FILES[kit]).parts[0]) == root / FILES[kit]


def test_what_is_not_there_is_said(root, tmp_path, monkeypatch):
    with pytest.raises(SpecError, match="has 3 files of a typical corner"):
        pdk.find(root)
    (tmp_path / "empty").mkdir()
    with pytest.raises(SpecError, match=r"has 0 files of a typical corner \(none\)"):
        pdk.find(tmp_path / "empty")
    monkeypatch.setenv("PDK_ROOT", str(tmp_path / "nowhere"))
    with pytest.raises(SpecError, match=r"ihp: PDK_ROOT=.*nowhere has no ihp-sg13g2/libs.ref"):
        pdk.find("ihp")
    monkeypatch.delenv("PDK_ROOT")
    with pytest.raises(SpecError, match="PDK_ROOT, which is not set"):
        pdk.find("sky130")


def test_results_tell_of_the_process_and_the_file(tmp_path, monkeypatch):
    monkeypatch.setenv("MACAW_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "process__tt_025C.lib"
    path.write_text(LIBRARY)
    result = macaw.synthesize(macaw.unit("mul", a="int2", out="int4"), "asic", liberty=tmp_path)
    assert result.library == path.name
    assert result.library_digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert result.area_um2 == pytest.approx(result.gate_equivalents, abs=0.1)  # a NAND2 has 1
    assert result.delay_ps
    assert result.delay_fo4
    assert result.leakage_power is None  # not every cell says what it leaks
    neutral = macaw.synthesize(macaw.unit("mul", a="int2", out="int4"), "asic")
    assert neutral.library is neutral.library_digest is neutral.area_um2 is None
