# SPDX-License-Identifier: Apache-2.0
"""Intermediate results beyond the budget: scratch files, planned, bounded in memory, gone afterwards."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from command import environment, run

# An intermediate of 32 MiB under a budget of 12 MiB: strides cannot flatten a transpose.
EXPRESSION = "reshape(permute_dims(a, (1, 0)), (-1,)) * 2"
SHAPE = (4099, 2047)
BUDGET = "12MiB"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    rng = np.random.default_rng(3)
    np.save(tmp_path / "a.npy", rng.random(SHAPE, np.float32))
    return tmp_path


def test_the_result_is_numpys_and_nothing_is_left(source: Path) -> None:
    done = run("eval", EXPRESSION, "a=a.npy", "-o", "r.npy", "--memory", BUDGET, cwd=source)
    assert done.returncode == 0, done.stderr
    assert np.array_equal(np.load(source / "r.npy"), np.load(source / "a.npy").T.reshape(-1) * np.float32(2))
    assert sorted(os.listdir(source)) == ["a.npy", "r.npy"]


def test_the_plan_names_size_and_directory(source: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("scratch")
    for variables, where in (({}, str(source)), ({"PENSTOCK_SCRATCH": str(elsewhere)}, str(elsewhere))):
        path = str(source / "r.npy")
        done = run("plan", EXPRESSION, "a=a.npy", "-o", path, "--memory", BUDGET, cwd=source, variables=variables)
        assert done.returncode == 0, done.stderr
        assert f"scratch file 32.01 MiB in {where}" in done.stdout
        assert "transposed by tiles" in done.stdout
    assert os.listdir(elsewhere) == []
    roomy = run("plan", EXPRESSION, "a=a.npy", "-o", "r.npy", "--memory", "1GiB", cwd=source)
    assert "scratch" not in roomy.stdout


def test_an_unwritable_directory_fails_before_the_start(source: Path) -> None:
    variables = {"PENSTOCK_SCRATCH": str(source / "nowhere")}
    done = run("eval", EXPRESSION, "a=a.npy", "-o", "r.npy", "--memory", BUDGET, cwd=source, variables=variables)
    assert done.returncode == 1
    assert "PENSTOCK_SCRATCH" in done.stderr
    assert sorted(os.listdir(source)) == ["a.npy"]


def test_a_full_disk_fails_before_the_start(source: Path) -> None:
    """The limit on a file's size stands for a disk without room: the scratch file is what exceeds it."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20 << 20, 20 << 20))

    expression = f"sum({EXPRESSION})"
    done = run("eval", expression, "a=a.npy", "--memory", BUDGET, cwd=source, preexec_fn=limit)
    assert done.returncode == 4, done.stderr
    assert "scratch file" in done.stderr
    assert "PENSTOCK_SCRATCH" in done.stderr


def test_a_killed_run_leaves_nothing(source: Path) -> None:
    program = f"""
import os, signal, penstock as ps
ps.memory_budget({BUDGET!r})
a = ps.open("a.npy")
def kill(*progress):
    if any("scratch" in os.readlink(f"/proc/self/fd/{{n}}") for n in os.listdir("/proc/self/fd")[:-1]):
        os.kill(os.getpid(), signal.SIGKILL)
ps.on_progress(kill)
while True:
    ps.evaluate(ps.sum(ps.reshape(a.T, (-1,)) * 2))
"""
    (source / "scratch").mkdir()
    variables = environment(PENSTOCK_SCRATCH=str(source / "scratch"), PENSTOCK_DEBUG_OUTER="65536")
    done = subprocess.run([sys.executable, "-c", program], cwd=source, env=variables, timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL
    assert os.listdir(source / "scratch") == []
