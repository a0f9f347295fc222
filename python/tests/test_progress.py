# SPDX-License-Identifier: Apache-2.0
"""The progress bar: what it says, when it is drawn, and that nothing of it stays."""

from __future__ import annotations

import io
import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from command import COMMAND, environment, run

from penstock import progress


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1536, "1.5 KiB"),
        (200 << 20, "200 MiB"),
        (3 << 30, "3.0 GiB"),
        (5 << 50, "5.0 PiB"),
    ],
)
def test_sizes(count: int, text: str) -> None:
    assert progress.size_text(count) == text


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (75, "1:15"), (3661, "1:01:01"), (-1, "0:00")])
def test_durations(seconds: float, text: str) -> None:
    assert progress.duration_text(seconds) == text


def test_the_line_says_share_bytes_speed_time_left_and_memory() -> None:
    text = progress.line(1 << 30, 4 << 30, 2.0, 128 << 20, 200)
    for part in (" 25%", "1.0 GiB of 4.0 GiB", "0.54 GB/s", "0:06 left", "memory 128 MiB"):
        assert part in text
    bar = text[: text.index("]") + 1]
    assert bar.count("#") / (bar.count("#") + bar.count(".")) == pytest.approx(0.25, abs=0.04)


@pytest.mark.parametrize("columns", [1, 10, 40, 79, 120])
@pytest.mark.parametrize(
    ("done", "total", "seconds"), [(0, 0, 0.0), (0, 5, 1.0), (9, 5, 1.0), (5 << 40, 6 << 40, 9999.0)]
)
def test_the_line_fits_any_terminal(columns: int, done: int, total: int, seconds: float) -> None:
    assert len(progress.line(done, total, seconds, 1 << 40, columns)) <= columns


def test_nothing_is_drawn_in_the_first_half_second() -> None:
    stream = io.StringIO()
    bar = progress.Bar(stream, 80)
    bar.update(1, 2, 0.49, 3)
    bar.erase()
    assert stream.getvalue() == ""
    bar.update(1, 2, 0.5, 3)
    assert " 50%" in stream.getvalue()


def test_a_terminal_that_goes_away_does_not_end_the_calculation() -> None:
    class Gone(io.StringIO):
        def flush(self) -> None:
            raise OSError(5, "Input/output error")

    bar = progress.Bar(Gone(), 80)
    bar.update(1, 2, 1.0, 3)
    bar.update(1, 2, 2.0, 3)
    bar.erase()


SLOW = "sin(" * 130 + "a" + ")" * 130


@pytest.fixture(scope="module")
def slow_input(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An array that takes well over half a second to send through SLOW on one thread."""
    path = tmp_path_factory.mktemp("slow") / "a.npy"
    np.save(path, np.linspace(0, 1000, 12_000_000))
    return path


def seen_on_a_terminal(arguments: list[str], **variables: str) -> tuple[int, str]:
    """Exit status and everything written to a terminal on standard error."""
    here, there = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.DEVNULL, stderr=there, stdin=there, env=environment(**variables)
    )
    os.close(there)
    seen = b""
    deadline = time.monotonic() + 120
    try:
        while time.monotonic() < deadline:
            ready, _, _ = select.select([here], [], [], 0.1)
            if ready:
                try:
                    seen += os.read(here, 65536)
                except OSError:  # every writer has closed the terminal
                    break
            elif process.poll() is not None:
                break
        return process.wait(timeout=30), seen.decode()
    finally:
        process.kill()
        os.close(here)


def as_a_terminal_shows_it(text: str) -> str:
    """What stays on the last line after carriage returns and erasures."""
    line = ""
    for part in re.split(r"(\r|\x1b\[K|\n)", text):
        if part in ("\r", "\x1b[K", "\n"):
            line = ""
        else:
            line += part
    return line


def test_a_bar_is_drawn_on_a_terminal_and_erased(slow_input: Path, tmp_path: Path) -> None:
    status, seen = seen_on_a_terminal(
        ["eval", SLOW, f"a={slow_input}", "-o", str(tmp_path / "out.npy"), "--threads", "1"]
    )
    assert status == 0, seen
    shares = [int(each) for each in re.findall(r"(\d+)%", seen)]
    assert len(shares) >= 2, seen
    assert shares == sorted(shares)
    assert "GB/s" in seen
    assert "memory" in seen
    assert seen.rindex("\x1b[K") > seen.rindex("GB/s")
    assert "%" not in as_a_terminal_shows_it(seen)


@pytest.mark.parametrize(
    ("extra", "variables"), [([], {"PENSTOCK_PROGRESS": "off"}), (["-q"], {}), ([], {"TERM": "dumb"})]
)
def test_no_bar_when_it_is_not_wanted(
    slow_input: Path, tmp_path: Path, extra: list[str], variables: dict[str, str]
) -> None:
    arguments = ["eval", SLOW, f"a={slow_input}", "-o", str(tmp_path / "out.npy"), "--threads", "1", *extra]
    status, seen = seen_on_a_terminal(arguments, **variables)
    assert status == 0
    assert "%" not in seen


def test_a_comparison_tells_its_pairs_on_a_terminal() -> None:
    status, seen = seen_on_a_terminal(["lab", "compare", "sleep 0.05", "sleep 0.05", "--pairs", "10"])
    assert status == 0, seen
    assert re.findall(r"(\d+) of 10 pairs", seen) == [str(n) for n in range(1, 11)]
    assert "pairs" not in as_a_terminal_shows_it(seen)
    status, seen = seen_on_a_terminal(["lab", "compare", "sleep 0.05", "sleep 0.1", "--seconds", "20"])
    assert "10 pairs, " in seen
    assert " s of at most " in seen


def test_no_bar_in_a_pipe(slow_input: Path, tmp_path: Path) -> None:
    done = run("eval", SLOW, f"a={slow_input}", "-o", tmp_path / "out.npy", "--threads", "1")
    assert done.returncode == 0
    assert "%" not in done.stderr
    assert "\x1b" not in done.stderr


def test_the_bar_can_be_used_from_python(slow_input: Path) -> None:
    code = """
import sys
import penstock as ps
from penstock.progress import bar
with bar():
    print(float(ps.open(sys.argv[1])[0]))
"""
    done = subprocess.run([sys.executable, "-c", code, str(slow_input)], capture_output=True, text=True, check=True)
    assert done.stdout == "0.0\n"
