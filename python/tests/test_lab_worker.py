# SPDX-License-Identifier: Apache-2.0
"""A function in a process of its own: what it is asked, and every way in which it can go wrong."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest

from penstock.lab import outputs
from penstock.lab import worker as worker_module
from penstock.lab.sides import SideError
from penstock.lab.worker import Remote, Worker, is_target

SOURCE = """
import os, time
import numpy as np

number = 7

def run(n=3, seed=0):
    print("noise on standard output")
    return {"x": np.arange(n) + seed, "energy": 0.5 * seed}

def sleepy(seconds=0.05):
    time.sleep(seconds)

def broken():
    return 1 // 0

def dies():
    os.write(2, b"last words\\n")
    os.abort()

def noise():
    return np.random.default_rng().random(3)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sim.py").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "wrong.py").write_text("import no_such_module_anywhere", encoding="utf-8")
    return tmp_path


def test_a_sample_is_the_mean_of_its_calls(folder: Path) -> None:
    with Remote(lambda: Worker("sim:sleepy", folder=folder, arguments={"seconds": 0.03})) as side:
        side.calibrate(0.1)
        assert side.calls in (2, 3, 4)
        assert 0.03 <= side() < 1


def test_a_side_goes_on_in_fresh_processes_between_quadruples(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workers: list[Worker] = []

    def begin() -> Worker:
        workers.append(Worker("sim:sleepy", folder=folder, arguments={"seconds": 0.01}))
        return workers[-1]

    monkeypatch.setattr(worker_module, "WORTH", 0.0)
    with Remote(begin) as side:
        side.calibrate(0.0)
        seen = []
        for _ in range(5):
            side()
            seen.append(len(workers))
        assert seen == [1, 1, 2, 2, 3]
        monkeypatch.setattr(worker_module, "WORTH", 1e9)
        for _ in range(4):
            side()
        assert len(workers) == 3
        # The fifth sample in this process is behind it: the quadruple is ended in it.
        monkeypatch.setattr(worker_module, "WORTH", 0.0)
        side()
        assert len(workers) == 3
        side()
        assert len(workers) == 4
    assert len({worker.pid for worker in workers}) == 4
    for worker in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(worker.pid, 0)


def test_outputs_are_saved_and_hashed_with_their_arguments(folder: Path) -> None:
    with Worker("sim:run", folder=folder, arguments={"n": 4, "seed": 2}) as worker:
        assert worker.ask("save", path=str(folder / "out.npz")) == {"names": ["x", "energy"]}
        saved = np.load(folder / "out.npz")
        np.testing.assert_array_equal(saved["x"], [2, 3, 4, 5])
        assert saved["energy"] == 1.0
        expected = outputs.digest({"x": np.arange(4) + 2, "energy": 1.0})
        assert worker.ask("digest")["sha256"] == expected
        with pytest.raises(SideError, match="FileExistsError"):
            worker.ask("save", path=str(folder / "out.npz"))
        assert worker.ask("resources")["peak_memory"] > 1 << 20


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("simm:run", "cannot be imported from .*: ModuleNotFoundError: No module named 'simm'"),
        ("wrong:run", r"No module named 'no_such_module_anywhere' \(.*wrong.py:1\)"),
        ("sim:run_", r"sim.py has no 'run_'; did you mean 'sim:run'\?"),
        ("sim:number", "is of type int and cannot be called"),
        ("no target", "is no MODULE:FUNCTION"),
    ],
)
def test_a_target_that_is_none(folder: Path, target: str, says: str) -> None:
    with pytest.raises(SideError, match=says):
        Worker(target, folder=folder)


def test_an_exception_of_the_function_says_where(folder: Path) -> None:
    with (
        Worker("sim:broken", folder=folder) as worker,
        pytest.raises(SideError, match=r"'sim:broken' raised ZeroDivisionError: .* \(.*sim.py:15\)"),
    ):
        worker.ask("time", calls=1)


def test_arguments_that_the_function_does_not_take(folder: Path) -> None:
    with (
        Worker("sim:run", folder=folder, arguments={"sede": 1}) as worker,
        pytest.raises(SideError, match=r"raised TypeError: .*'sede'"),
    ):
        worker.ask("time", calls=1)


def test_a_process_that_dies_leaves_its_last_words(folder: Path) -> None:
    with (
        Worker("sim:dies", folder=folder) as worker,
        pytest.raises(SideError, match="the process of 'sim:dies' has ended: ended by SIGABRT\n  last words"),
    ):
        worker.ask("time", calls=1)


def test_a_function_that_never_ends_is_killed(folder: Path) -> None:
    started = time.monotonic()
    with Worker("sim:sleepy", folder=folder, arguments={"seconds": 60}, time_limit=5) as worker:
        worker.time_limit = 0.2
        with pytest.raises(SideError, match=r"did not end within 0\.2 s"):
            worker.ask("time", calls=1)
        with pytest.raises(ProcessLookupError):
            os.kill(worker.pid, 0)
    assert time.monotonic() - started < 30


def test_what_is_a_target() -> None:
    assert is_target("sim:run")
    assert is_target("package.sim:run_2")
    for text in ("sleep 1", "sim", "sim:", "sim:run 3", "./a:b", "C:/x", "sim::run"):
        assert not is_target(text)


def test_results_are_named_arrays() -> None:
    found = outputs.named_arrays({"a": (np.zeros(2), [1, 2, 3]), "b": {"c": 2.5}, "none": None})
    assert {name: array.shape for name, array in found.items()} == {"a.0": (2,), "a.1": (3,), "b.c": ()}
    assert list(outputs.named_arrays(np.float32(1))) == ["result"]
    assert list(outputs.named_arrays([np.zeros(2), np.zeros(3)])) == ["0", "1"]
    assert outputs.named_arrays(None) == {}
    with pytest.raises(TypeError, match="b is of type object, which is no array or number"):
        outputs.named_arrays({"b": object()})


def test_a_digest_sees_names_dtypes_shapes_and_bits() -> None:
    zeros = np.zeros(4)
    same = outputs.digest(zeros.copy())
    assert outputs.digest(zeros) == same
    others = [-zeros, zeros.astype(np.float32), zeros.reshape(2, 2), {"x": zeros}, (zeros, zeros)]
    assert len({same, *map(outputs.digest, others)}) == 6
