# SPDX-License-Identifier: Apache-2.0
"""What the clock sees of a function and of a command, and commands that fail or never end."""

from __future__ import annotations

import select
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command import has_ended
from lab_clock import Clock

from penstock.lab import sides
from penstock.lab.sides import Command, SideError, Timed


def test_only_the_call_is_on_the_clock(clock: Clock) -> None:
    seen: list[str] = []

    def call() -> None:
        seen.append("call")
        clock.takes(0.5)()

    def other(name: str) -> Callable[[], None]:
        def work() -> None:
            seen.append(name)
            clock.takes(100.0)()

        return work

    side = Timed(call, before=other("before"), after=other("after"))
    side.calls = 2
    assert side() == 0.5
    assert seen == ["before", "call", "after"] * 2


def test_a_result_is_dropped_off_the_clock(clock: Clock) -> None:
    class Slow:
        def __del__(self) -> None:
            clock.takes(7.0)()

    side = Timed(Slow)
    side.calls = 3
    assert side() == 0.0
    assert clock.now == 21.0


def test_a_sample_is_as_many_calls_as_it_needs(clock: Clock) -> None:
    side = Timed(clock.takes(0.003))
    side.calibrate(0.02)
    assert side.calls == 7
    side.calibrate(0.0)
    assert side.calls == 1
    assert sides.calls_for(1.0, 0.0) == sides.MOST_CALLS


def test_what_takes_long_is_run_once_to_calibrate(clock: Clock) -> None:
    runs: list[int] = []

    def work() -> None:
        runs.append(1)
        clock.takes(0.5)()

    side = Timed(work)
    side.calibrate(0.02)
    assert (side.calls, len(runs)) == (1, 1)


def test_a_command_is_timed_until_it_has_ended() -> None:
    side = Command("sleep 0.1")
    assert 0.1 <= side() < 5
    side.calibrate(0.25)
    assert side.calls in (2, 3)


def test_a_command_reads_nothing_and_runs_in_its_folder(tmp_path: Path) -> None:
    Command("cat > read; exit 0", folder=tmp_path)()
    assert (tmp_path / "read").read_bytes() == b""


def test_the_hash_of_what_a_command_writes() -> None:
    assert Command("echo a").output_hash() == Command("printf 'a\\n'").output_hash() != Command("echo b").output_hash()


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("echo first; echo broken >&2; exit 3", "failed: exit status 3\n  broken"),
        ("kill -SEGV $$", "ended by SIGSEGV"),
        ("no-such-command-anywhere", "exit status 127\n  /bin/sh"),
    ],
)
def test_a_failing_command_is_told_in_its_own_words(line: str, says: str) -> None:
    with pytest.raises(SideError) as caught:
        Command(line)()
    assert says in str(caught.value)
    assert str(caught.value).startswith(f"'{line}' ")


def test_a_command_that_never_ends_is_killed_with_what_it_started(tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(SideError, match=r"did not end within 0.2 s"):
        Command("(sleep 1; touch late) & sleep 60", folder=tmp_path, time_limit=0.2)()
    assert time.monotonic() - started < 30
    time.sleep(1.2)
    assert not (tmp_path / "late").exists()


def test_an_interruption_while_a_command_starts_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[subprocess.Popen[bytes]] = []
    real = subprocess.Popen

    def interrupted(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        made.append(real(*arguments, **options))
        signal.raise_signal(signal.SIGINT)
        return made[0]

    monkeypatch.setattr(subprocess, "Popen", interrupted)
    with pytest.raises(KeyboardInterrupt):
        sides.Command("sleep 30")()
    assert made[0].returncode == -signal.SIGKILL
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_command_that_fails_takes_what_it_started_with_it(tmp_path: Path) -> None:
    with pytest.raises(SideError, match="exit status 3"):
        Command(f"sleep 60 & echo $! > {tmp_path}/pid; exit 3")()
    pid = int((tmp_path / "pid").read_text(encoding="ascii"))
    assert has_ended(pid)


def test_a_limit_of_years_is_one() -> None:
    assert Command("true", time_limit=1e9)() < 60


def test_no_wait_is_deaf_for_longer_than_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    class Poll:
        def register(self, descriptor: int, events: int) -> None:
            assert (descriptor, events) == (7, select.POLLIN)

        def poll(self, milliseconds: int) -> list[int]:
            waited.append(milliseconds / 1e3)
            return [7] if len(waited) == 4 else []

    monkeypatch.setattr(select, "poll", Poll)
    monkeypatch.setattr(time, "monotonic", lambda: sum(waited))
    assert not sides.readable(7, 2.5)
    assert waited == [1, 1, 0.5]
    assert sides.readable(7, 2.5)
    assert waited == [1, 1, 0.5, 1]
