# SPDX-License-Identifier: Apache-2.0
"""Ceilings are medians with intervals, kernels of this machine lie where their work and time put them."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
from command import run

from penstock import _core
from penstock.lab import machine, roofline, roofline_picture
from penstock.lab.errors import LabError
from penstock.lab.roofline import Effort, Kernel

SPEEDS = {"read": 1e10, "copy": 2e10, "add": 1.5e10, "triad": 1.5e10, "fma_f32": 1e11, "fma_f64": 5e10}


def rates(name: str, size: int, threads: int, seconds: float, samples: int) -> list[float]:
    """A machine whose caches are four times as fast as its memory and whose threads add up."""
    near = 4 if name == "read" and size < 64 << 20 else 1
    middle = SPEEDS.get(name, 2e11) * threads * near
    assert seconds > 0
    return [middle * (0.9 + 0.2 * each / (samples - 1)) for each in range(samples)]


@pytest.fixture(scope="module")
def line() -> dict[str, Any]:
    return roofline.measure(Effort(11, 0.01), threads=2, directory=None, rates=rates)


def test_each_ceiling_is_a_median_with_its_interval(line: dict[str, Any]) -> None:
    found = roofline.of(line, "triad", "DRAM", 2)
    assert found["median"] == pytest.approx(3e10)
    assert 2.7e10 <= found["low"] <= found["median"] <= found["high"] <= 3.3e10
    assert found["n"] == 11
    assert found["unit"] == "B/s"
    assert len(line["ceilings"]) == 2 * 11
    assert json.loads(json.dumps(line)) == line


def test_sizes_lie_in_their_level_and_in_none_below() -> None:
    for threads in (1, 2, 8):
        found = roofline.sizes(32 << 10, 1 << 20, 64 << 20, threads)
        assert found["L1"] < 32 * 1024 * threads < found["L2"] < 1024 * 1024 * threads < found["L3"]
        assert found["L3"] <= 64 << 20 < found["DRAM"]
    assert roofline.sizes(32 << 10, 1 << 20, 1 << 30, 1)["DRAM"] == roofline.MOST_BYTES


def test_the_roof_is_the_lower_of_memory_and_arithmetic(line: dict[str, Any]) -> None:
    # The fastest loop over memory is the copy: 40 GB/s on two threads; arithmetic does 200 Gop/s.
    assert roofline.attainable(line, 0.5) == pytest.approx(2e10)
    assert roofline.attainable(line, 100) == pytest.approx(2e11)
    assert roofline.attainable(line, 0.5, "L1") == pytest.approx(4e10)
    with pytest.raises(LabError, match="holds no read L9 on 2 threads"):
        roofline.of(line, "read", "L9")


def test_kernels_are_those_of_this_machine_that_say_what_they_do(line: dict[str, Any]) -> None:
    mine = line["identity"]
    work = {"bytes": 12e7, "operations": 1e7, "identity": mine}
    lines = [
        {**work, "row": "add", "medians": {"penstock": 0.01, "numpy": 0.02, "copy": 0.005}},
        {**work, "row": "sum", "median": 0.03},
        {**work, "row": "sum", "median": 0.04},
        {**work, "row": "elsewhere", "median": 0.01, "identity": "another"},
        {**work, "row": "none", "median": None},
        {"row": "silent", "median": 0.01, "identity": mine},
        {**work, "row": "nothing", "bytes": 0, "median": 0.01},
    ]
    found = {each.name: each for each in roofline.kernels(lines, mine)}
    assert set(found) == {"add, penstock", "add, numpy", "sum"}
    assert found["sum"].seconds == 0.04
    assert found["add, penstock"].intensity == pytest.approx(1 / 12)
    assert found["add, penstock"].rate == pytest.approx(1e9)
    assert roofline_picture.share(line, found["add, penstock"]) == pytest.approx(1e9 / (4e10 / 12))


def test_the_picture_has_slopes_roofs_and_dots(line: dict[str, Any]) -> None:
    kernels = [Kernel("a<b", 1e6, 1e6, 1e-3), Kernel("c", 1e6, 1e9, 1e-1)]
    root = ElementTree.fromstring(roofline_picture.draw(line, kernels))
    space = "{http://www.w3.org/2000/svg}"
    assert len(list(root.iter(f"{space}polyline"))) == 4
    titles = [each.findtext(f"{space}title") for each in root.iter(f"{space}circle")]
    assert titles == ["a<b: 1 Gop/s, 1 GB/s, 2% of DRAM's roof", "c: 10 Gop/s, 10 MB/s, 5% of DRAM's roof"]
    assert all(f"L{n}" in "".join(root.itertext()) for n in (1, 2, 3))
    ElementTree.fromstring(roofline_picture.draw(line, []))
    ElementTree.fromstring(roofline_picture.draw_memories(line))


def test_the_tables_name_every_ceiling_and_kernel(line: dict[str, Any]) -> None:
    text = roofline_picture.markdown(line, [Kernel("sum", 1e6, 1e6, 1e-3)])
    assert "| read L1 | 2 | 80 GB/s |" in text
    assert "| sum | 1 | 1 Gop/s | 1 GB/s | 2% |" in text
    assert "disk: not available (not asked for)" in text
    page = roofline_picture.html(line, [])
    assert page.count("<svg xmlns") == 2
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")


def test_a_roofline_of_another_machine_is_never_taken(line: dict[str, Any]) -> None:
    assert roofline.newest([{"kind": "try"}, line], line["identity"]) == line
    with pytest.raises(LabError, match="no roofline of this machine is recorded; 1 of other machines"):
        roofline.newest([{**line, "identity": "another"}], line["identity"])
    with pytest.raises(LabError, match="penstock lab roofline measures one"):
        roofline.newest([], "x")


def test_the_engine_measures_every_loop() -> None:
    for name, _, _ in roofline.loops(roofline.sizes(1 << 14, 1 << 16, 1 << 18, 1)):
        found = _core.ceiling_rates(name, 1 << 16, 1, 0.001, 3)
        assert len(found) == 3
        assert all(1e5 < each < 1e14 for each in found), name
    with pytest.raises(ValueError, match="no ceiling is named 'speed'"):
        _core.ceiling_rates("speed", 1, 1, 1.0, 1)


def test_the_command_measures_draws_and_records(tmp_path: Path, line: dict[str, Any]) -> None:
    done = run("lab", "roofline", "--quick", "--no-disk", "--threads", "1", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert {each["name"] for each in told["ceilings"]} == {each["name"] for each in line["ceilings"]}
    assert not (tmp_path / "perf" / "results").exists()
    assert (tmp_path / "perf" / "roofline.svg").read_text().startswith("<svg")
    missing = run("lab", "roofline", "--draw", cwd=tmp_path)
    assert missing.returncode == 1
    assert "no roofline of this machine" in missing.stderr
    here = {**line, "identity": machine.identity(machine.record())}
    (tmp_path / "perf" / "results").mkdir()
    (tmp_path / "perf" / "results" / "2026-01-01.jsonl").write_text(json.dumps(here) + "\n")
    drawn = run("lab", "roofline", "--draw", "-o", tmp_path / "out", cwd=tmp_path)
    assert drawn.returncode == 0, drawn.stderr
    assert "80 GB/s" in drawn.stdout
    assert {each.name for each in (tmp_path / "out").iterdir()} == {"roofline.svg", "roofline.md", "roofline.html"}
    assert run("lab", "roofline", "--draw", "--quick", cwd=tmp_path).returncode == 2


def test_a_disk_without_room_or_rights_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from penstock import disk

    monkeypatch.setattr(disk, "free_bytes", lambda _: 0)
    assert roofline.disk_speed(".") == {"missing": "too little free space"}
