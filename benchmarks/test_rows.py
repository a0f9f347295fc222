# SPDX-License-Identifier: Apache-2.0
"""The rows and the runner, on small inputs: they work, wrong results are refused, a stopped run goes on."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import data
import disk
import env
import kernels
import peers
import report
import run
import timing
from bench import Bench
from calculations import CALCULATIONS
from penstock.lab import roofline
from penstock.lab.results import identity_of
from rows import BY_NAME, ROWS

pytest.importorskip("penstock._core", reason="the rows need the built package")
HERE = Path(__file__).resolve().parent


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder; there is always room in it."""
    monkeypatch.setattr(data, "MARGIN", 0)
    return tmp_path / "data"


@pytest.fixture
def bench(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """One quadruple a row, the smallest sizes, no peer's environment: starting PyTorch takes longer than all rows."""
    monkeypatch.setattr(Bench, "file_count", data.CHUNK)
    monkeypatch.setattr(env, "FOLDER", folder / "none")
    monkeypatch.setattr(Bench, "count", lambda _, n: int(min(n, 40_000)))
    monkeypatch.setattr(timing, "rest", lambda: None)
    folder.mkdir()
    made = Bench(scale=1e-9, quick=True, folder=folder, threads=2, quadruples=1)
    standing = made.ps.threads(), made.ps.memory_budget()
    with made:
        yield made
    made.ps.threads(standing[0])
    made.ps.memory_budget(standing[1])


def line_of(bench: Bench, name: str) -> dict[str, Any]:
    return run.run_row(bench, BY_NAME[name], run.facts_of_machine())


def test_names_are_unique_and_every_row_has_a_comparison() -> None:
    assert len(BY_NAME) == len(ROWS)
    assert all(row.bars for row in ROWS)


# Of the many rows of one kind a few: test_calculations.py has every calculation.
TRIED = [
    row for row in ROWS if row.group != "All sizes and dtypes" or row.name.endswith(("-bool-plain", "-uint8-strided"))
]


@pytest.mark.parametrize("row", TRIED, ids=lambda row: row.name)
def test_each_row_gives_a_line_that_the_report_shows(bench: Bench, row: Any) -> None:
    if row.name in ("sum-file-cold", "save") and not disk.supports_direct(bench.folder):
        pytest.skip("this file system has no O_DIRECT")
    line = json.loads(json.dumps(line_of(bench, row.name)))
    if "refused" in line:
        assert line["refused"].startswith("penstock has no"), line["refused"]
        return
    assert [each["peer"] for each in line["comparisons"]] == [bar.peer for bar in row.bars]
    for each in line["comparisons"]:
        if each["verdict"] != "refused":
            assert each["low"] <= each["value"] <= each["high"]
    assert line["n"] >= 1
    assert line["on"]["versions"]["numpy"] == np.__version__
    assert line["title"] in report.body([line])
    assert not list(bench.folder.glob("*output*"))


@pytest.mark.parametrize("name", ["chain-1e7", "add-1e7", "sum-1e6", "max-1e6"])
def test_a_wrong_result_is_refused(bench: Bench, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right = peers.PEERS["penstock"]

    def wrong(*arguments: Any) -> Any:
        call = right.prepare(*arguments)
        return lambda: peers.as_numpy(call()) * np.float32(1.001)

    monkeypatch.setitem(peers.PEERS, "penstock", replace(right, prepare=wrong))
    assert "penstock and NumPy disagree" in line_of(bench, name)["refused"]


def test_a_wrong_sum_of_a_file_is_refused(bench: Bench) -> None:
    file = data.file(bench.folder, bench.file_count)
    note = file.path.with_suffix(".json")
    note.write_text(
        json.dumps({"total": file.total * 1.01, "column_total": file.column_total * 1.01}), encoding="utf-8"
    )
    for name in ("sum-file-warm", "peak-sum", "peak-mean-axis-0", "peak-several"):
        assert "refused" in line_of(bench, name), name


def test_results_that_depend_on_threads_are_found(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    right = bench.ps.sum
    monkeypatch.setattr(bench.ps, "sum", lambda array: np.float32(right(array)) + np.float32(bench.ps.threads()))
    (found,) = line_of(bench, "bits")["comparisons"]
    assert (found["value"], found["verdict"]) == (2, "missed")


def test_settings_are_as_before_after_a_row(bench: Bench) -> None:
    ps = bench.ps
    ps.simd_target("scalar")
    ps.opt_level("simd")
    before = ps.opt_level(), ps.simd_target(), ps.memory_budget(), ps.threads()
    for name in ("levels-sin", "bits", "sum-file-warm"):
        line_of(bench, name)
    after = ps.opt_level(), ps.simd_target(), ps.memory_budget(), ps.threads()
    ps.simd_target("auto")
    ps.opt_level("full")
    assert after == before


def test_a_peer_that_was_not_installed_is_a_comparison_that_says_so(bench: Bench) -> None:
    newest, old, torch = line_of(bench, "sum-1e6")["comparisons"]
    assert newest["value"] > 0
    assert (old["value"], old["verdict"]) == (None, "refused")
    assert "make bench-env PEER=numpy-1.24" in old["note"]
    assert "make bench-env PEER=torch" in torch["note"]


def test_inputs_have_the_same_bits_everywhere() -> None:
    values = kernels.values(100_000, seed=2)
    assert values.dtype == np.float32
    assert 0 <= values.min() < 0.01
    assert 0.99 < values.max() < 1
    assert hashlib.sha256(values.tobytes()).hexdigest().startswith("bba561b83cff250e")


def test_a_roofline_can_place_what_runs_over_memory(bench: Bench) -> None:
    line = line_of(bench, "chain-1e7")
    n = bench.count(1e7)
    assert (line["bytes"], line["operations"]) == (16 * n, 6 * n)
    # The ceilings that run beside a kernel are none.
    sides = {each.name for each in roofline.kernels([line], identity_of(line))}
    assert {"chain-1e7, penstock", "chain-1e7, numpy"} <= sides
    assert "chain-1e7, copy" not in sides


def test_a_worker_calculates_the_same_and_tells_what_it_cannot() -> None:
    worker = env.Worker(Path(sys.executable), "numpy", 1)
    try:
        assert worker.versions["numpy"] == np.__version__
        made = CALCULATIONS["chain"]
        call = peers.numpy(made, made.arrays(1000), 1)
        assert kernels.difference(worker.ask("prepare", calculation="chain", n=1000), kernels.digest(call()), 0) == ""
        side = env.Remote(worker)
        side.calibrate(0.0)
        assert side() > 0
        with pytest.raises(RuntimeError, match="could not prepare: KeyError"):
            worker.ask("prepare", calculation="nothing", n=1)
        assert worker.ask("forget") == {}
        with pytest.raises(RuntimeError, match="nothing prepared"):
            worker.ask("time", calls=1)
    finally:
        worker.close()


def test_a_worker_that_ends_is_an_error(tmp_path: Path) -> None:
    false = tmp_path / "python"
    false.write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    false.chmod(0o755)
    with pytest.raises(RuntimeError, match="ended with status 3"):
        env.Worker(false, "numpy", 1)


def test_a_worker_that_ended_is_started_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(env, "python_of", lambda _: Path(sys.executable))
    first = bench.worker("numpy")
    assert first is not None
    assert bench.worker("numpy") is first
    first.close()
    second = bench.worker("numpy")
    assert second is not None
    assert second is not first
    assert second.ask("versions")["numpy"] == np.__version__


def test_an_environment_counts_only_with_the_packages_of_today(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(env, "FOLDER", tmp_path)
    (tmp_path / "numpy-1.24").mkdir()
    assert env.python_of("numpy-1.24") is None
    ready = tmp_path / "numpy-1.24" / env.READY
    ready.write_text("numpy==1.24.4", encoding="utf-8")
    assert env.python_of("numpy-1.24") == tmp_path / "numpy-1.24" / "bin" / "python"
    ready.write_text("numpy==1.23.0", encoding="utf-8")
    assert env.python_of("numpy-1.24") is None


def test_a_data_file_is_what_it_says_and_is_kept(folder: Path) -> None:
    file = data.file(folder, data.CHUNK * 2)
    loaded = np.load(file.path)
    assert loaded.shape == (data.CHUNK * 2,)
    assert loaded.sum(dtype=np.float64) == pytest.approx(file.total)
    assert loaded.reshape(-1, data.COLUMNS)[:, 0].sum(dtype=np.float64) == pytest.approx(file.column_total)
    written = file.path.stat().st_mtime_ns
    assert data.file(folder, data.CHUNK * 2) == file
    assert file.path.stat().st_mtime_ns == written


def test_clean_removes_what_the_benchmarks_made_and_nothing_else(folder: Path) -> None:
    data.file(folder, data.CHUNK)
    (folder / "mine.npy").write_bytes(b"mine")
    assert data.clean(folder) > data.CHUNK * 4
    assert [each.name for each in folder.iterdir()] == ["mine.npy"]
    (folder / "mine.npy").unlink()
    assert data.clean(folder) == 0
    assert not folder.exists()


def test_too_little_room_is_said_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(data.NoRoomError, match="GiB are free; free some space"):
        data.need_room(tmp_path, 1 << 60)


def test_raw_readers_and_writers_and_the_page_cache(tmp_path: Path) -> None:
    path = tmp_path / "raw"
    size = disk.BLOCK * 2 + disk.PAGE
    direct = disk.supports_direct(tmp_path)
    disk.write_new(path, size, direct=direct)
    assert path.stat().st_size == size
    assert disk.read_all(path, direct=direct) == size
    disk.warm(path)
    assert disk.residency(path) > 0.99
    if direct:
        disk.cool(path)
        assert disk.residency(path) <= 0.01
    with pytest.raises(disk.DiskError, match="no whole number of pages"):
        disk.write_new(tmp_path / "odd", 5, direct=False)
    disk.remove(path)
    assert not path.exists()


def command(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    places = ["--data", str(tmp_path / "data"), "--results", str(tmp_path / "results.jsonl")]
    line = [sys.executable, str(HERE / "run.py"), "--quick", "--quadruples", "1", *places, *arguments]
    return subprocess.run(line, capture_output=True, text=True, check=False, timeout=300)


def test_a_run_resumes_by_row(tmp_path: Path) -> None:
    first = command(tmp_path, "--only", "bits")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "1 rows measured, 0 refused" in first.stdout
    second = command(tmp_path, "--only", "bits", "levels-sin", "--resume")
    assert second.returncode == 0, second.stdout + second.stderr
    assert "levels-sin" in second.stdout
    assert "one result" not in second.stdout
    lines = report.read(tmp_path / "results.jsonl")
    assert {line["row"] for line in lines} == {"bits", "levels-sin"}
    last = json.loads((tmp_path / "results.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    assert last["kind"] == "summary"
    assert {each["verdict"] for each in last["claims"]} == {"not measured"}
    assert last["no row below"] == {"of NumPy's speed": 0.95, "comparisons": 0, "below": []}


def test_a_refused_row_is_measured_again_and_fails_the_run(tmp_path: Path) -> None:
    results = tmp_path / "results.jsonl"
    line = {"row": "bits", "scale": run.QUICK_SCALE, "refused": "no", "on": run.facts_of_machine()}
    results.write_text(json.dumps(line) + "\n", encoding="utf-8")
    again = command(tmp_path, "--only", "bits", "--resume")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "one result" in again.stdout


def test_what_another_machine_measured_is_measured_again(tmp_path: Path) -> None:
    results = tmp_path / "results.jsonl"
    line = {"row": "bits", "scale": run.QUICK_SCALE, "on": {**run.facts_of_machine(), "machine": "another"}}
    results.write_text(json.dumps(line) + "\n", encoding="utf-8")
    again = command(tmp_path, "--only", "bits", "--resume")
    assert "one result" in again.stdout, again.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--only", "chian-1e7"], "no row is named chian-1e7; did you mean chain-1e7?"),
        (["--scale", "2"], "not above 0 and at most 1"),
        (["--quadruples", "0"], "not positive"),
    ],
)
def test_bad_arguments_are_refused(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        run.read_arguments(arguments)
    assert stopped.value.code == 2
    assert says in capsys.readouterr().err


def test_small_runs_never_mix_with_full_ones() -> None:
    assert run.results_file(run.read_arguments(["--quick"])).name == "quick.jsonl"
    assert run.results_file(run.read_arguments(["--scale", "0.5"])).name == "quick.jsonl"
    assert run.results_file(run.read_arguments([])).name.startswith("2")
