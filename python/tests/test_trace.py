# SPDX-License-Identifier: Apache-2.0
"""Traces: the spans of what ran, by name, thread and time, and a file that is whole or not there."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import run

import penstock as ps


def spans(path: Path) -> list[dict[str, Any]]:
    """The events of a trace that lost none."""
    found = json.loads(path.read_text())
    assert found["dropped"] == 0
    assert all(each["ph"] == "X" and each["pid"] > 0 and each["tid"] > 0 for each in found["traceEvents"])
    return list(found["traceEvents"])


def names(path: Path) -> Counter[str]:
    return Counter(each["name"] for each in spans(path))


def evaluate_once() -> None:
    ps.evaluate(ps.asarray(np.ones((100, 100), dtype=np.float32)).sum())


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that is read ahead in several tiles."""
    monkeypatch.setenv("PENSTOCK_IO", "direct")
    monkeypatch.setenv("PENSTOCK_DURABILITY", "power")
    monkeypatch.setenv("PENSTOCK_DEBUG_OUTER", "64KiB")
    np.save(tmp_path / "x.npy", np.ones(100_000, dtype=np.float32))
    return tmp_path / "x.npy"


def test_a_stream_has_its_spans_on_their_threads(file: Path, tmp_path: Path) -> None:
    tiles = ps.stats()["tiles"]
    with ps.trace(tmp_path / "run.json"):
        ps.save(ps.open(file) + 1, tmp_path / "out.npy")
    tiles = ps.stats()["tiles"] - tiles
    assert tiles > 1
    found = names(tmp_path / "run.json")
    found.pop("worker", None)
    assert found == {"evaluate": 1, "plan": 1, "read": tiles, "compute": tiles, "write": tiles, "sync": 2}
    threads = {name: {each["tid"] for each in spans(tmp_path / "run.json") if each["name"] == name} for name in found}
    assert threads["evaluate"] == threads["plan"] == threads["compute"] == threads["sync"]
    assert not threads["evaluate"] & (threads["read"] | threads["write"])
    assert [each.name for each in tmp_path.iterdir() if each.name.endswith(".partial")] == []


def test_times_are_microseconds_since_the_start_and_spans_nest(tmp_path: Path) -> None:
    polled = []
    ps.on_progress(lambda *_: polled.append(time.sleep(0.2)))
    begun = time.perf_counter()
    try:
        with ps.trace(tmp_path / "run.json"):
            x = ps.linspace(0, 1, 2_000_000)
            for _ in range(10):
                x = ps.sin(x)
            ps.evaluate(x)
    finally:
        ps.on_progress(None)
    elapsed = 1e6 * (time.perf_counter() - begun)
    assert polled
    found = {each["name"]: each for each in spans(tmp_path / "run.json")}
    assert 0.2e6 <= found["compute"]["dur"] <= found["evaluate"]["dur"] <= elapsed
    outer, inner = found["evaluate"], found["compute"]
    assert 0 <= outer["ts"] <= inner["ts"]
    assert inner["ts"] + inner["dur"] <= outer["ts"] + outer["dur"] + 0.002


def test_only_what_runs_inside_is_recorded(tmp_path: Path) -> None:
    evaluate_once()
    with ps.trace(tmp_path / "run.json"):
        pass
    evaluate_once()
    assert spans(tmp_path / "run.json") == []


def test_a_trace_inside_another_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    with ps.trace(tmp_path / "outer.json"):
        with pytest.raises(ps.errors.ArgumentError, match="recorded already"), ps.trace(tmp_path / "inner.json"):
            raise AssertionError
        evaluate_once()
    assert names(tmp_path / "outer.json")["evaluate"] == 1
    assert sorted(each.name for each in tmp_path.iterdir()) == ["outer.json"]
    with ps.trace(tmp_path / "outer.json"):
        pass
    assert spans(tmp_path / "outer.json") == []


def test_a_body_that_raises_leaves_its_trace(tmp_path: Path) -> None:
    def body() -> None:
        with ps.trace(tmp_path / "run.json"):
            evaluate_once()
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        body()
    assert names(tmp_path / "run.json")["evaluate"] == 1
    assert not (tmp_path / "run.json").stat().st_mode & 0o111


def test_a_body_may_change_the_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "below").mkdir()
    with ps.trace("run.json"):
        os.chdir("below")
    assert [each.name for each in tmp_path.iterdir() if each.is_file()] == ["run.json"]


def test_a_file_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("elsewhere")
    for path, error in [
        (tmp_path / "missing" / "run.json", ps.errors.MissingFileError),
        (tmp_path / ("x" * 300), ps.errors.FileError),
        (tmp_path, ps.errors.UnsafePathError),
        (tmp_path / "link", ps.errors.UnsafePathError),
        (Path(os.devnull), ps.errors.UnsafePathError),
    ]:
        with pytest.raises(error, match=str(path)[:40]), ps.trace(path):
            raise AssertionError
    # None of them left a recording behind.
    with ps.trace(tmp_path / "run.json"):
        pass
    assert sorted(each.name for each in tmp_path.iterdir()) == ["link", "run.json"]


def test_a_forked_child_writes_nothing(tmp_path: Path) -> None:
    with ps.trace(tmp_path / "run.json"):
        evaluate_once()
        before = set(tmp_path.iterdir())
        child = os.fork()
        if child == 0:
            status = 1
            try:
                with ps.trace(tmp_path / "child.json"):
                    pass
                status = 0
            finally:
                os._exit(status)
        assert os.waitpid(child, 0)[1] == 0
        assert set(tmp_path.iterdir()) - before == {tmp_path / "child.json"}
    assert names(tmp_path / "run.json")["evaluate"] == 1


@pytest.mark.usefixtures("file")
class TestCommand:
    def test_eval_writes_its_trace(self, tmp_path: Path) -> None:
        done = run("eval", "x + 1", "x=x.npy", "-o", "out.npy", "--trace", "run.json", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        found = names(tmp_path / "run.json")
        assert found["evaluate"] == 1
        assert found["sync"] == 2
        assert found["read"] == found["write"] == found["compute"] > 1

    def test_a_printed_result_has_one_too(self, tmp_path: Path) -> None:
        done = run("eval", "mean(x)", "x=x.npy", "--trace", "run.json", cwd=tmp_path)
        assert (done.returncode, done.stdout) == (0, "1.0\n")
        assert names(tmp_path / "run.json")["evaluate"] == 1

    @pytest.mark.parametrize(
        ("trace", "more", "message"),
        [
            ("x.npy", ["--overwrite"], "is an operand"),
            ("out.npy", ["-o", "out.npy"], "is the output"),
            ("old.json", [], "exists"),
            ("-", [], "names a file"),
            (".", [], "is a directory"),
            ("missing/run.json", [], "does not exist"),
        ],
    )
    def test_files_that_would_be_lost_are_refused(
        self, tmp_path: Path, trace: str, more: list[str], message: str
    ) -> None:
        (tmp_path / "old.json").write_text("mine")
        before = {each: each.read_bytes() for each in tmp_path.iterdir()}
        done = run("eval", "x + 1", "x=x.npy", "--trace", trace, *more, cwd=tmp_path)
        assert done.returncode in (1, 2)
        assert message in done.stderr
        assert {each: each.read_bytes() for each in tmp_path.iterdir()} == before

    def test_an_old_trace_is_replaced_where_that_is_said(self, tmp_path: Path) -> None:
        (tmp_path / "old.json").write_text("mine")
        done = run("eval", "mean(x)", "x=x.npy", "--trace", "old.json", "--overwrite", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert names(tmp_path / "old.json")["evaluate"] == 1
