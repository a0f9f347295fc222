# SPDX-License-Identifier: Apache-2.0
"""The record of a machine, what makes figures comparable, and what runs beside a measurement."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.lab import machine
from penstock.lab.machine import Moment


def test_a_record_can_be_written_and_names_versions_and_target(tmp_path: Path) -> None:
    found = json.loads(json.dumps(machine.record(tmp_path, packages=("numpy", "no-such-package"))))
    assert found["cpus"] >= 1
    assert found["versions"]["python"] == ".".join(map(str, sys.version_info[:3]))
    assert "numpy" in found["versions"]
    assert "no-such-package" not in found["versions"]
    assert (found["commit"], found["changed"]) == ("unknown", False)


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def test_the_commit_and_whether_its_files_changed(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "a.py").write_text("a = 1")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    commit, changed = machine.revision(tmp_path)
    assert (len(commit), changed) == (12, False)
    (tmp_path / "results").write_text("new")
    assert machine.revision(tmp_path) == machine.revision(tmp_path, ["source"]) == (commit, False)
    (tmp_path / "source" / "b.py").write_text("b = 1")
    assert machine.revision(tmp_path, ["source"]) == (commit, True)
    (tmp_path / "source" / "a.py").write_text("a = 2")
    assert machine.revision(tmp_path) == (commit, True)


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"commit": "other", "versions": {}, "compiler": "clang"}, True),
        ({"memory": 24 * 2**30 - 4096}, True),
        ({"memory": 12 * 2**30}, False),
        ({"cpus": 4}, False),
        ({"machine": "Linux, another CPU"}, False),
        ({"caches": [1, 2, 4]}, False),
        ({"target": "sse4"}, False),
    ],
)
def test_what_makes_figures_comparable(change: dict[str, object], same: bool) -> None:
    here = {"machine": "Linux, a CPU", "cpus": 2, "memory": 24 << 30, "caches": [1, 2, 3], "target": "avx2"}
    assert len(machine.identity(here)) == 12
    assert (machine.identity({**here, **change}) == machine.identity(here)) is same


def test_what_a_row_is_disturbed_by() -> None:
    start = Moment(0.0, 10.0, 0.0, 5.0, {7: ("cc1plus", 1.0), 8: ("idle", 2.0)})
    end = Moment(10.0, 24.0, 0.1, 15.0, {7: ("cc1plus", 5.0), 8: ("idle", 2.0), 9: ("new", 1.0)})
    found = machine.beside(start, end)
    assert (found["others"], found["steal"], found["noisy"]) == (0.4, 0.01, True)
    assert found["processes"] == ["cc1plus 40 %"]
    quiet = machine.beside(start, Moment(10.0, 20.5, 0.1, 15.0, end.each))
    assert not quiet["noisy"]
    assert machine.beside(start, Moment(10.0, 20.0, 2.0, 15.0, end.each))["noisy"]


def test_own_time_is_that_of_this_process_and_what_it_started() -> None:
    start = machine.now()
    subprocess.run([sys.executable, "-c", "sum(range(10**7))"], check=True)
    end = machine.now()
    assert end.own > start.own
    assert os.getpid() not in end.each
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert child.pid not in machine.now().each
        assert child.pid in machine._processes()
        child.communicate(b"\n")


def test_the_frequency_is_told_where_the_machine_does() -> None:
    now = machine.now()
    assert now.frequency is None or 100 < now.frequency < 10_000
    assert len(machine.beside(now, machine.now())["mhz"]) == (0 if now.frequency is None else 2)
