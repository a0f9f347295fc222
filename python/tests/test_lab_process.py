# SPDX-License-Identifier: Apache-2.0
"""A function in a process of its own: what it is asked, and every way in which it can go wrong."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import has_ended

from penstock.lab import outputs, targets
from penstock.lab import remote as remote_module
from penstock.lab.errors import LabError
from penstock.lab.process import Process, of_target
from penstock.lab.remote import Remote
from penstock.lab.target import is_target

SOURCE = """
import os, time
import numpy as np

number = 7

def run(n=3, seed=0):
    print("noise on standard output")
    return {"x": np.arange(n) + seed, "energy": 0.5 * seed}

def sleepy(seconds=0.05):
    time.sleep(seconds)

def slow_once(seen=[]):
    if not seen:
        seen.append(time.sleep(0.5))

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


def held(folder: Path, target: str, limit: float = 60.0, **arguments: Any) -> Process:
    return of_target(target, folder=folder, arguments=arguments, limit=limit)


def test_a_sample_is_the_mean_of_its_calls(folder: Path) -> None:
    with Remote(lambda _: held(folder, "sim:sleepy", seconds=0.03)) as side:
        side.calibrate(0.1)
        assert side.calls in (2, 3, 4)
        assert 0.03 <= side() < 1


def is_gone(process: Process) -> bool:
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_side_goes_on_in_fresh_processes_between_quadruples(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    processes: list[Process] = []

    def begin(turn: int) -> Process:
        assert turn == len(processes)
        processes.append(held(folder, "sim:sleepy", seconds=0.001))
        return processes[-1]

    monkeypatch.setattr(remote_module, "WORTH", 0.0)
    with Remote(begin) as side:
        side.calibrate(0.0)
        seen = []
        for _ in range(5):
            side()
            seen.append(len(processes))
        assert seen == [1, 1, 2, 2, 3]
        monkeypatch.setattr(remote_module, "WORTH", 1e9)
        for _ in range(4):
            side()
        assert len(processes) == 3
        # The fifth sample in this process is behind it: the quadruple is ended in it.
        monkeypatch.setattr(remote_module, "WORTH", 0.0)
        side()
        assert len(processes) == 3
        side()
        assert len(processes) == 4
    assert len({each.pid for each in processes}) == 4
    assert all(is_gone(each) for each in processes)


class Counted:
    """A process that answers with the turn in which it was begun."""

    def __init__(self, turn: int) -> None:
        self.turn = turn
        self.closed = False

    def ask(self, do: str, calls: int) -> dict[str, float]:
        assert (do, self.closed) == ("time", False)
        return {"seconds": self.turn * calls / calls}

    def close(self) -> None:
        self.closed = True


def test_each_process_has_as_many_quadruples_as_it_is_told() -> None:
    for every, expected in ((1, [0, 0, 1, 1, 2, 2]), (2, [0, 0, 0, 0, 1, 1])):
        begun: list[Counted] = []

        def begin(turn: int, begun: list[Counted] = begun) -> Any:
            begun.append(Counted(turn))
            return begun[-1]

        with Remote(begin, every) as side:
            side.calibrate(1.0)
            assert [side() for _ in range(6)] == expected
        assert all(each.closed for each in begun)


def test_the_first_call_of_a_later_process_is_off_the_clock(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_module, "WORTH", 0.0)
    with targets.opened("sim:slow_once", folder=folder) as side:
        side()
        side()
        assert side() < 0.3, "in a fresh process"


def test_outputs_are_hashed_with_their_arguments(folder: Path) -> None:
    with held(folder, "sim:run", n=4, seed=2) as process:
        expected = outputs.digest({"x": np.arange(4) + 2, "energy": 1.0})
        assert process.ask("digest")["sha256"] == expected


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("sim:os.path.nowhere", "has no 'os.path.nowhere'"),
        ("simm:run", "cannot be imported from .*: ModuleNotFoundError: No module named 'simm'"),
        ("wrong:run", r"No module named 'no_such_module_anywhere' \(.*wrong.py:1\)"),
        ("sim:run_", r"sim.py has no 'run_'; did you mean 'sim:run'\?"),
        ("sim:number", "is of type int and cannot be called"),
        ("no target", "is no MODULE:FUNCTION"),
    ],
)
def test_a_target_that_is_none(folder: Path, target: str, says: str) -> None:
    with pytest.raises(LabError, match=says):
        held(folder, target)


def test_an_exception_of_the_function_says_where(folder: Path) -> None:
    with (
        held(folder, "sim:broken") as process,
        pytest.raises(LabError, match=r"'sim:broken' raised ZeroDivisionError: .* \(.*sim.py:19\)"),
    ):
        process.ask("time", calls=1)


def test_arguments_that_the_function_does_not_take(folder: Path) -> None:
    with (
        held(folder, "sim:run", sede=1) as process,
        pytest.raises(LabError, match=r"raised TypeError: .*'sede'"),
    ):
        process.ask("time", calls=1)


def test_a_process_that_dies_leaves_its_last_words(folder: Path) -> None:
    with (
        held(folder, "sim:dies") as process,
        pytest.raises(LabError, match="'sim:dies': its process has ended: ended by SIGABRT\n  last words"),
    ):
        process.ask("time", calls=1)


def test_what_a_process_started_ends_with_it(folder: Path) -> None:
    source = "import os, subprocess\n"
    source += "def leaves(): open('pid', 'w').write(str(subprocess.Popen(['sleep', '60']).pid)); {}\n"
    for last in ("return 1", "os._exit(3)"):
        (folder / "leaving.py").write_text(source.format(last), encoding="utf-8")
        with contextlib.suppress(LabError), of_target("leaving:leaves", folder=folder, limit=30) as process:
            process.ask("time", calls=1)
        pid = int((folder / "pid").read_text(encoding="ascii"))
        assert has_ended(pid), last


def test_a_function_that_never_ends_is_killed(folder: Path) -> None:
    started = time.monotonic()
    with held(folder, "sim:sleepy", limit=0.2, seconds=60) as process:
        with pytest.raises(LabError, match=r"did not end within 0\.2 s"):
            process.ask("time", calls=1)
        assert is_gone(process)
    assert time.monotonic() - started < 30


def test_what_is_a_target() -> None:
    assert is_target("sim:run")
    assert is_target("package.sim:run_2")
    assert is_target("sim:Class.run")
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
