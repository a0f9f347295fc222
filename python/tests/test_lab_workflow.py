# SPDX-License-Identifier: Apache-2.0
"""The commands of the lab's workflow: what they print, and their exit statuses. Nothing is measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import run
from lab_project import FAST, SIM, SPEED


def test_from_new_to_a_refused_benchmark(tmp_path: Path) -> None:
    (tmp_path / "sim.py").write_text(SIM)
    made = run("lab", "new", "gravity", "--target", "sim:run", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    project = tmp_path / "perf" / "gravity"
    assert {each.name for each in project.iterdir()} == {
        "baseline.py",
        "cases.toml",
        "physics.toml",
        "speed.toml",
        "README.md",
    }
    (project / "speed.toml").write_text(SPEED)
    frozen = run("lab", "baseline", "gravity", cwd=tmp_path)
    assert frozen.returncode == 0, frozen.stderr
    for word in ("time", "CPU", "memory", "faults", "I/O", "GPU"):
        assert word in frozen.stdout
    assert run("lab", "try", "gravity", "fast", cwd=tmp_path).returncode == 0
    refused = run("lab", "bench", "gravity", "fast", cwd=tmp_path)
    assert refused.returncode == 2
    assert "never validated" in refused.stderr
    assert not (tmp_path / "perf" / "results").exists()
    implementation = project / "optimisations" / "fast" / "implementation.py"
    implementation.write_text(FAST.replace("dict(plain(inputs))", "{'positions': 1.0, 'energies': 2.0}"))
    wrong = run("lab", "validate", "gravity", "fast", "--json", cwd=tmp_path)
    assert wrong.returncode == 1
    assert json.loads(wrong.stdout)["passed"] is False
    assert run("lab", "bench", "gravity", "fast", cwd=tmp_path).returncode == 2
    assert "No figure counts" in _report(tmp_path)


def _report(folder: Path) -> str:
    done = run("lab", "report", "gravity", cwd=folder)
    assert done.returncode == 0, done.stderr
    return (folder / "perf" / "gravity" / "report.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("new", "gravity", "--target", "nowhere:run"), 1, "No module named 'nowhere'"),
        (("new", "gravity", "--target", "nowhere"), 2, "expected 'module:function'"),
        (("new", "gates", "--target", "sim:run"), 2, "no name for a project"),
        (("baseline", "gravity"), 2, "no project 'gravity'"),
        (("validate", "gravity", "fast"), 2, "there is none yet"),
        (("check", "gravity-fast"), 2, "no gate 'gravity-fast'"),
        (("promote", "gravity", "fast"), 2, "--min-speedup"),
    ],
)
def test_what_cannot_be_done_is_told(tmp_path: Path, arguments: tuple[str, ...], code: int, says: str) -> None:
    done = run("lab", *arguments, cwd=tmp_path)
    assert done.returncode == code
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_without_gates_or_results_there_is_nothing_to_fail(tmp_path: Path) -> None:
    done = run("lab", "check", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "0 passed, 0 undecided, 0 failed\n")
    assert "no results of this machine" in run("lab", "history", cwd=tmp_path).stdout
