# SPDX-License-Identifier: Apache-2.0
"""The doctor finds seeded faults, each with a fix, and is quiet where all is well."""

from __future__ import annotations

import fcntl
import json
import os
import re
import resource
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import COMMAND, environment, run

from penstock import disk, doctor


def findings(folder: Path, *arguments: str, **options: Any) -> list[dict[str, Any]]:
    done = run("doctor", folder, "--json", "--no-disk", *arguments, **options)
    rows: list[dict[str, Any]] = json.loads(done.stdout)["findings"]
    return rows


def one(rows: list[dict[str, Any]], check: str, status: str) -> dict[str, Any]:
    return next(each for each in rows if each["check"] == check and each["status"] == status)


def test_every_check_is_made_and_what_is_not_ok_has_a_fix(tmp_path: Path) -> None:
    rows = findings(tmp_path)
    assert {each["check"] for each in rows} >= {
        "versions", "engine", "environment", "processors", "memory", "huge pages", "limits", "floating point",
        "scratch", "directory", "unfinished outputs",
    }  # fmt: skip
    for each in rows:
        assert set(each) == {"check", "status", "text", "fix", "facts"}
        assert each["status"] == "ok" or each["fix"], each
        assert "could not be checked" not in each["text"], each


def test_the_text_names_each_finding_and_ends_in_a_verdict(tmp_path: Path) -> None:
    done = run("doctor", tmp_path, "--no-disk")
    assert done.returncode == 0
    assert re.search(r"^ok +versions: penstock \d", done.stdout, re.MULTILINE)
    assert re.search(r"(all is well|\d warnings?)\n$", done.stdout)


def test_an_unknown_variable_is_found(tmp_path: Path) -> None:
    row = one(findings(tmp_path, variables={"PENSTOCK_MEMROY": "1GiB"}), "environment", "warning")
    assert "PENSTOCK_MEMROY" in row["text"]
    assert "PENSTOCK_MEMORY" in row["fix"]


def test_a_forced_target_is_found(tmp_path: Path) -> None:
    row = one(findings(tmp_path, variables={"PENSTOCK_SIMD": "scalar"}), "engine", "warning")
    assert "PENSTOCK_SIMD" in row["fix"]


def test_a_budget_beyond_the_machine_is_found(tmp_path: Path) -> None:
    row = one(findings(tmp_path, variables={"PENSTOCK_MEMORY": "1000TiB"}), "memory", "warning")
    assert "PENSTOCK_MEMORY=" in row["fix"]


@pytest.mark.parametrize(("which", "value"), [(resource.RLIMIT_FSIZE, 1 << 30), (resource.RLIMIT_NOFILE, 64)])
def test_a_limit_is_found(tmp_path: Path, which: int, value: int) -> None:
    row = one(findings(tmp_path, preexec_fn=lambda: resource.setrlimit(which, (value, value))), "limits", "warning")
    assert row["fix"].startswith("ulimit")


def test_a_missing_directory_fails(tmp_path: Path) -> None:
    done = run("doctor", tmp_path / "nowhere", "--json", "--no-disk")
    assert done.returncode == 1
    assert "mkdir" in one(json.loads(done.stdout)["findings"], "directory", "failure")["fix"]


def test_a_missing_scratch_folder_fails(tmp_path: Path) -> None:
    rows = findings(tmp_path, variables={"PENSTOCK_SCRATCH": str(tmp_path / "nowhere")})
    assert "PENSTOCK_SCRATCH" in one(rows, "scratch", "failure")["fix"]


def test_an_unfinished_output_is_listed_and_removed_on_request(tmp_path: Path) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    left = tmp_path / f".out.npy.penstock-{dead.pid}-0123456789abcdef.partial"
    mine = tmp_path / f".out.npy.penstock-{os.getpid()}-0123456789abcdef.partial"
    other = tmp_path / "notes.partial"
    for path in (left, mine, other):
        path.write_bytes(b"x" * 10)
    row = one(findings(tmp_path), "unfinished outputs", "warning")
    assert row["facts"]["files"] == [str(left)]
    assert left.exists()
    one(findings(tmp_path, "--clean"), "unfinished outputs", "ok")
    assert not left.exists()
    assert mine.exists()
    assert other.exists()


def test_the_lock_tells_whether_an_unfinished_output_is_in_use(tmp_path: Path) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    names = [f".out.npy.penstock-{pid}-0123456789abcdef.partial" for pid in (dead.pid, os.getpid())]
    for path in (tmp_path / name for name in names):
        path.write_bytes(b"x")
        with path.open("r+b") as writer:
            fcntl.flock(writer, fcntl.LOCK_EX)
            os.utime(path, (1, 1))
            assert disk.partial_files(str(tmp_path)) == []
        # Another process may have the writer's number by now: it counts for as long as a writer takes to lock.
        assert disk.partial_files(str(tmp_path)) == [str(path)]
        os.utime(path)
        assert disk.partial_files(str(tmp_path)) == ([] if str(os.getpid()) in path.name else [str(path)])
        path.unlink()


def test_what_a_killed_run_leaves_is_recognised(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros(20_000_000))
    slow = "sin(" * 120 + "a" + ")" * 120
    process = subprocess.Popen([*COMMAND, "eval", slow, "a=a.npy", "-o", "out.npy"], cwd=tmp_path, env=environment())
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(".*.partial")) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert disk.partial_files(str(tmp_path)) == []  # in use
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert len(disk.partial_files(str(tmp_path))) == 1
    assert not (tmp_path / "out.npy").exists()


def test_the_disk_is_measured_with_a_bounded_file_that_does_not_stay(tmp_path: Path) -> None:
    facts = disk.measure_speed(str(tmp_path), 8 << 20)
    assert facts["bytes"] == 8 << 20
    assert facts["write_bytes_per_second"] > 0
    assert facts["read_bytes_per_second"] > 0
    assert list(tmp_path.iterdir()) == []


def test_the_file_system_of_a_path_is_that_of_the_deepest_mount() -> None:
    assert disk.file_system("/proc/self") == "proc"
    assert disk.file_system("/") != "unknown"


def test_a_check_that_breaks_is_a_finding(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken() -> Any:
        raise RuntimeError("no such file")
        yield

    monkeypatch.setattr(doctor, "_huge_pages", broken)
    rows = [each for each in doctor.examine(str(tmp_path), measure_disk=False) if "no such file" in each.text]
    assert [each.status for each in rows] == ["warning"]
