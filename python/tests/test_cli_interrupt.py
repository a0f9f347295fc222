# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C at a random time, and other signals to end, leave neither output nor temporary file."""

from __future__ import annotations

import json
import math
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from command import COMMAND, environment, has_ended

FULL = bool(os.environ.get("PENSTOCK_TEST_FULL"))
TRIES = 100 if FULL else 20
# Minutes of work: every try is interrupted long before the end.
SLOW = "sin(" * 120 + "a" + ")" * 120


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("interrupt")
    np.save(path / "a.npy", np.linspace(0, 1000, 50_000_000, dtype=np.float64))
    return path


@pytest.fixture(scope="module", autouse=True)
def figures(request: pytest.FixtureRequest) -> Iterator[list[float]]:
    """Seconds from Ctrl-C to the end of the process; told at the end in one line of JSON."""
    latencies: list[float] = []
    yield latencies
    if latencies:
        ordered = sorted(1e3 * each for each in latencies)
        # By nearest rank: of a hundred tries all but the slowest are within the 99th percentile.
        shares = {"median_ms": 0.5, "p90_ms": 0.9, "p99_ms": 0.99, "longest_ms": 1.0}
        told = {name: round(ordered[math.ceil(share * len(ordered)) - 1], 1) for name, share in shares.items()}
        capture = request.config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled():
            print("\n" + json.dumps({"measured": "Ctrl-C to exit", "tries": len(ordered), **told}), file=sys.stderr)


def interruptible() -> None:
    """In the child: what runs in the background of a script has Ctrl-C ignored, and so would its children."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def started(
    folder: Path, *arguments: str, expression: str = SLOW, before: Callable[[], object] = interruptible
) -> subprocess.Popen[str]:
    command = [*COMMAND, "eval", expression, "a=a.npy", *arguments]
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=before,
    )


def wait_for_output(process: subprocess.Popen[str], folder: Path) -> None:
    """Returns once the evaluation has begun: its temporary file is there."""
    deadline = time.monotonic() + 60
    while not list(folder.glob(".*.partial")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.002)


@pytest.mark.parametrize("attempt", range(TRIES))
def test_ctrl_c_leaves_nothing_behind(folder: Path, figures: list[float], attempt: int) -> None:
    before = {each.name for each in folder.iterdir()}
    process = started(folder, "-o", "out.npy", *(["--threads", "1"] if attempt % 2 else []))
    wait_for_output(process, folder)
    time.sleep(random.Random(attempt).uniform(0, 0.4))
    sent = time.perf_counter()
    process.send_signal(signal.SIGINT)
    process.wait(timeout=60)
    figures.append(time.perf_counter() - sent)
    output, errors = process.communicate()
    assert process.returncode == 130, errors
    assert "interrupted" in errors
    assert "Traceback" not in errors
    assert output == ""
    assert {each.name for each in folder.iterdir()} == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_end_leaves_nothing_behind(folder: Path, number: signal.Signals) -> None:
    before = {each.name for each in folder.iterdir()}
    process = started(folder, "-o", "out.npy")
    wait_for_output(process, folder)
    process.send_signal(number)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + number, errors
    assert errors == f"penstock: stopped by {number.name}; unfinished output was removed\n"
    assert output == ""
    assert {each.name for each in folder.iterdir()} == before


def test_an_ignored_hang_up_stays_ignored(folder: Path) -> None:
    """As nohup leaves it."""
    process = started(folder, "-o", "out.npy", before=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    wait_for_output(process, folder)
    process.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM


def test_ctrl_c_while_a_result_is_to_be_printed(folder: Path) -> None:
    process = started(folder, expression=f"mean({SLOW})")
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert output == ""


def test_an_output_that_is_an_input_survives_ctrl_c(folder: Path) -> None:
    size = (folder / "a.npy").stat().st_size
    process = started(folder, "-o", "a.npy")
    wait_for_output(process, folder)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert (folder / "a.npy").stat().st_size == size
    assert float(np.load(folder / "a.npy", mmap_mode="r")[-1]) == 1000.0


# Runs the command with a Ctrl-C that comes once the output has its name.
LATE = """
import os, signal, sys
import penstock as ps
save = ps.save
def saved(*arguments, **options):
    save(*arguments, **options)
    os.kill(os.getpid(), signal.SIGINT)
ps.save = saved
from penstock.cli import main
sys.exit(main())
"""


@pytest.mark.parametrize("output", ["out.npy", "old.npy"])
def test_ctrl_c_after_the_output_is_complete_says_so(tmp_path: Path, output: str) -> None:
    for name in ("a.npy", "old.npy"):
        np.save(tmp_path / name, np.arange(3.0))
    done = subprocess.run(
        [sys.executable, "-c", LATE, "eval", "a + 1", "a=a.npy", "-o", output, "--overwrite"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=interruptible,
    )
    assert done.returncode == 130, done.stderr
    assert done.stderr == f"penstock: interrupted; {output} was already complete\n"
    assert np.load(tmp_path / output).tolist() == [1, 2, 3]


def test_ctrl_c_ends_a_comparison_and_what_it_runs(tmp_path: Path) -> None:
    line = f"echo $$ >> {tmp_path}/pids; exec sleep 30"
    process = subprocess.Popen(
        [*COMMAND, "lab", "compare", line, line],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=interruptible,
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "pids").exists() or not (tmp_path / "pids").read_text(encoding="ascii").strip():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=20)
    assert (process.returncode, output) == (130, "")
    assert errors == "penstock: interrupted; nothing was concluded\n"
    for pid in (tmp_path / "pids").read_text(encoding="ascii").split():
        assert has_ended(int(pid))


LOST = """
import sys, time
from importlib import import_module
from penstock.cli import status

class Lost:
    def __del__(self):
        raise {0}

def dispatch(arguments):
    Lost()
    for _ in range(500):
        time.sleep(0.01)
    return 0

main = import_module("penstock.cli.main")
main._dispatch = dispatch
sys.exit(main.main([]))
"""


@pytest.mark.parametrize(("raised", "code"), [("KeyboardInterrupt", 130), ("status.Stopped(15)", 143)])
def test_an_interruption_that_python_loses_comes_again(raised: str, code: int) -> None:
    command = [sys.executable, "-c", LOST.format(raised)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done.stderr
    assert done.stderr.startswith("penstock: ")
    assert "Traceback" not in done.stderr
