# SPDX-License-Identifier: Apache-2.0
"""A profile names the lines that take the time, also inside C functions, and says plainly what it cannot know."""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from command import run

from penstock.lab import counters, instructions, profile, profile_report
from penstock.lab.profile import Options, ProfileError, Target
from penstock.lab.profile_child import allocation_pass
from penstock.lab.profile_dumps import parsed, refined
from penstock.lab.profile_sampler import Frame, Sampler, Weight, line_of, short

PROGRAM = """
import time

import numpy as np

def sleeps():
    time.sleep(0.3)

def reads(path):
    return open(path, "rb").read()

def run():
    kept = bytearray(8 << 20)
    sleeps()
    reads(__file__)
    reads(__file__)
    return kept

def fails():
    raise KeyError("nothing here")

def never():
    while True:
        time.sleep(0.01)

def arithmetic():
    x = np.arange(100.0)
    n = 0
    for _ in range(20_000):
        x = x * 1.5 - x * 0.5 + 0.0 * x
        n += 1

def calls_back():
    sorted(range(200_000), key=lambda each: -each)

def ends_by_sigsegv(times):
    # As often as there are fewer files beside this one.
    import os, pathlib, signal
    ends = pathlib.Path(__file__).with_name(f"ended-{times}")
    ends.mkdir(exist_ok=True)
    if (n := len(list(ends.iterdir()))) < times:
        (ends / str(n)).touch()
        os.kill(os.getpid(), signal.SIGSEGV)

def ends_once():
    ends_by_sigsegv(1)

def ends_always():
    ends_by_sigsegv(100)

limit = 3
if __name__ == "__main__":
    import sys
    print("printed by the script", sys.argv[1:])
    run()
    sys.exit(0)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("profiled")
    (found / "sim_profiled.py").write_text(PROGRAM)
    return found


@pytest.fixture(scope="module")
def found(folder: Path) -> profile.Profile:
    return profile.profile(Target("sim_profiled:run", folder=str(folder)), Options(seconds=0.5, apart=0.005))


def line_with(text: str) -> int:
    return 1 + next(number for number, line in enumerate(PROGRAM.split("\n")) if text in line)


def test_the_line_that_takes_the_time_is_hot(found: profile.Profile) -> None:
    first = found["lines"][0]
    assert (first["file"], first["line"]) == ("sim_profiled.py", line_with("time.sleep(0.3)"))
    assert first["code"] == "time.sleep(0.3)"
    assert first["hot"]
    assert first["own"] > 0.5
    caller = next(row for row in found["lines"] if row["line"] == line_with("    sleeps()"))
    assert caller["total"] >= first["own"]
    assert caller["own"] < 0.2


def test_a_line_of_arithmetic_is_hot_and_not_the_loop_around_it(folder: Path) -> None:
    told = profile.profile(Target("sim_profiled:arithmetic", folder=str(folder)), Options(1.0, allocations=False))
    assert told["lines"][0]["line"] == line_with("x = x * 1.5")
    assert told["lines"][0]["own"] > 0.8


def test_sleeping_is_waiting_and_takes_no_processor(found: profile.Profile) -> None:
    assert found["time"]["wait_share"] > 0.5
    assert found["time"]["cpus_used"] < 0.5
    assert found["time"]["calls"] >= 1
    assert found["time"]["samples"] > 3


def test_functions_and_stacks_lead_from_the_caller_to_the_sleeper(found: profile.Profile) -> None:
    assert found["functions"][0]["function"] == "sleeps"
    stacks = {tuple(names): seconds for names, seconds in found["stacks"]}
    assert max(stacks, key=lambda each: stacks[each]) == ("run (sim_profiled.py)", "sleeps (sim_profiled.py)")
    assert sum(stacks.values()) == pytest.approx(found["time"]["seconds"], rel=0.2)


def test_allocations_input_and_memory_are_counted(found: profile.Profile) -> None:
    held = found["allocations"]["lines"][0]
    assert held["line"] == line_with("bytearray")
    assert 8 << 20 <= held["bytes"] < 9 << 20
    assert found["allocations"]["peak_bytes"] >= found["allocations"]["seen_bytes"] >= 8 << 20
    assert found["io"]["rchar"] >= 2 * len(PROGRAM)
    assert found["memory"]["peak_bytes"] > 8 << 20
    assert found["memory"]["minor_faults"] > 0


def test_every_counter_has_a_value_or_a_reason(found: profile.Profile) -> None:
    told = found["counters"]
    for name in counters.EVENTS:
        assert (name in told) != (name in told["missing"]), name
    assert all(told["missing"].values())
    assert bool(found["gpu"]["devices"]) != bool(found["gpu"]["missing"])


def test_the_report_has_tables_picture_and_reasons(found: profile.Profile, tmp_path: Path) -> None:
    files = profile_report.write(found, tmp_path / "p")
    assert {each.name for each in files} == {"profile.json", "profile.md", "flamegraph.svg", "profile.html"}
    text = (tmp_path / "p" / "profile.md").read_text()
    assert f"| sim_profiled.py:{line_with('time.sleep(0.3)')} | sleeps |" in text
    assert "8.0 MiB" in text
    page = (tmp_path / "p" / "profile.html").read_text()
    assert "<svg" in page
    assert "<td>time.sleep(0.3)</td>" in page
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert json.loads((tmp_path / "p" / "profile.json").read_text())["target"] == "sim_profiled:run"
    with pytest.raises(FileExistsError):
        profile_report.write(found, tmp_path / "p")


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("sim_profiled:gone", "has no 'gone'"),
        ("no_such_module:run", "cannot be imported from .*: ModuleNotFoundError"),
        ("sim_profiled:limit", "is of type int and cannot be called"),
        ("sim_profiled", "is no MODULE:FUNCTION"),
        ("sim_profiled:fails", r"raised KeyError: 'nothing here' \(.*sim_profiled.py:\d+\)"),
    ],
)
def test_a_target_that_cannot_run_is_told(folder: Path, target: str, message: str) -> None:
    with pytest.raises(ProfileError, match=message):
        profile.profile(Target(target, folder=str(folder)), Options(seconds=0, allocations=False))


def test_a_target_that_never_ends_is_ended(folder: Path) -> None:
    with pytest.raises(ProfileError, match=r"ran longer than 1\.5 s and was ended"):
        profile.profile(Target("sim_profiled:never", folder=str(folder)), Options(seconds=0, limit=1.5))


def test_a_process_that_reading_its_frames_ended_is_run_again_without(folder: Path) -> None:
    options = Options(seconds=0.5, apart=0.0002, allocations=False)
    found = profile.profile(Target("sim_profiled:ends_once", folder=str(folder)), options)
    assert found["time"]["calls"] > 0
    assert len(list((folder / "ended-1").iterdir())) == 1
    # Every call of the key is some instructions in which the stack cannot be read.
    found = profile.profile(Target("sim_profiled:calls_back", folder=str(folder)), options)
    assert any("calls_back" in each["function"] for each in found["lines"])


def test_a_target_that_ends_its_process_is_told(folder: Path) -> None:
    with pytest.raises(ProfileError, match=r"before the profile was written: ended by SIGSEGV$"):
        profile.profile(Target("sim_profiled:ends_always", folder=str(folder)), Options(seconds=0.2))


def test_a_script_is_profiled_with_its_arguments(folder: Path, tmp_path: Path) -> None:
    script = folder / "sim_profiled.py"
    words = f"{shlex.quote(str(script))} --steps 3"
    done = run("lab", "profile", "--script", words, "-o", tmp_path / "out", "--no-allocations")
    assert done.returncode == 0, done.stderr
    assert "printed by the script ['--steps', '3']" in done.stderr
    assert f"sim_profiled.py:{line_with('time.sleep(0.3)')} sleeps: own" in done.stdout
    assert (tmp_path / "out" / "flamegraph.svg").read_text().startswith("<svg")
    again = run("lab", "profile", "--script", script, "-o", tmp_path / "out")
    assert again.returncode == 1
    assert "holds an earlier profile" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "what is to be profiled"),
        (["--target", "a:b", "name"], "exclude each other"),
        (["--target", "a:b", "--time-limit", "0"], "positive"),
        (["--script", "gone.py"], "no file gone.py"),
    ],
)
def test_wrong_usage_is_told(arguments: list[str], message: str) -> None:
    done = run("lab", "profile", *arguments)
    assert done.returncode == 2
    assert message in done.stderr


def test_a_project_is_profiled_on_a_case(tmp_path: Path) -> None:
    (tmp_path / "sim_profiled.py").write_text(PROGRAM)
    made = run("lab", "new", "sleepy", "--target", "sim_profiled:run", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    done = run("lab", "profile", "sleepy", "--seconds", "0", "--no-allocations", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"sim_profiled.py:{line_with('time.sleep(0.3)')} sleeps: own" in done.stdout
    (kept,) = (tmp_path / "perf" / "sleepy" / "profile").iterdir()
    assert json.loads((kept / "profile.json").read_text())["target"] == "sleepy, case default"
    wrong = run("lab", "profile", "sleepy", "--case", "big", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "its cases are default" in wrong.stderr


def test_a_sample_weighs_the_time_since_the_one_before() -> None:
    moments = iter([0.0, 0.25, 1.25])
    sampler = Sampler(clock=lambda: next(moments))
    sampler._main, sampler._native = -1, 0
    sampler._at, sampler._cpu = sampler._clock(), time.process_time() + 1e9
    frame = sys._getframe()
    sampler.sample({-1: frame})
    sampler.sample({-1: frame})
    by_line = {stack[-1].line: weight for stack, weight in sampler.stacks.items()}
    assert sorted(weight.seconds for weight in by_line.values()) == [0.25, 1.0]


def test_other_threads_count_their_processor_time_only() -> None:
    stacks = [
        profile._Sampled((("main", "m.py", 1),), 8.0, 0.0, 8),
        profile._Sampled((("thread w", "", 0), ("work", "m.py", 9)), 4.0, 0.0, 4),
    ]
    rows = {row["line"]: row for row in profile.lines(stacks, "/")}
    assert rows[1]["own"] == 1.0
    assert rows[9]["own"] == 0.5


def test_recursion_counts_a_line_once() -> None:
    stack = (("f", "m.py", 2), ("f", "m.py", 2), ("g", "m.py", 5))
    rows = {row["line"]: row for row in profile.lines([profile._Sampled(stack, 3.0, 1.5, 3)], "/")}
    assert rows[2]["total"] == 1.0
    assert (rows[5]["own"], rows[5]["waited"]) == (1.0, 0.5)


DUMP = """\
Stack (most recent call first):
  File "/p/sim.py", line 12 in step
  File "/p/child.py", line 3 in time_pass
  File "<frozen runpy>", line 88 in _run_code
Stack (most recent call first):
  File "/p/sim.py", line ??? in step
  File "/p/child.py", line 3 in time_pass
Stack (most recent call first):
  File "/p/n\\xe9.py", line 7 in other
"""


def test_what_the_signal_handler_wrote_is_read() -> None:
    found = parsed(DUMP)
    assert len(found) == 2
    outer = (Frame("_run_code", "<frozen runpy>", 88), Frame("time_pass", "/p/child.py", 3))
    assert found[(*outer, Frame("step", "/p/sim.py", 12))] == 1
    assert found[(Frame("other", "/p/n\u00e9.py", 7),)] == 1


def test_dumps_give_the_lines_and_the_sampler_the_time_and_the_waiting() -> None:
    base, step = Frame("time_pass", "/p/child.py", 0), Frame("Sim.step", "/p/sim.py", 10)
    thread = (Frame("thread w", "", 0), Frame("work", "/p/sim.py", 90))
    sampled = {(step,): Weight(3.0, 0.0, 3), (step._replace(line=14),): Weight(1.0, 1.0, 1), thread: Weight(2.0, 0, 2)}
    main = base._replace(line=3)
    plain = Frame("step", "/p/sim.py", 12)
    dumps = Counter({(main, plain): 6, (main, plain._replace(line=14)): 2, (Frame("idle", "/q.py", 1),): 9})
    found = refined(sampled, dumps, base)
    assert found == {
        thread: Weight(2.0, 0, 2),
        (step._replace(line=12),): Weight(3.0, 0.0, 6),
        (step._replace(line=14),): Weight(1.0, 1.0, 2),
    }
    assert refined(sampled, Counter({(main, plain): 1}), base) == sampled, "another has the timer"


def test_a_jump_of_the_compiler_counts_for_the_line_before_it() -> None:
    def work() -> list[int]:
        found = []
        for place in range(3):
            if place != 1:
                found.append(place)
        return found

    lines = {line for _, _, line in work.__code__.co_lines()}
    if None not in lines:
        pytest.skip("this Python's compiler gives every jump a line")
    at = next(start for start, _, line in work.__code__.co_lines() if line is None)
    frame: Any = SimpleNamespace(f_lineno=None, f_lasti=at, f_code=work.__code__)
    assert line_of(frame) > work.__code__.co_firstlineno


def test_the_sampler_leaves_out_its_caller() -> None:
    with Sampler(0.002) as sampler:
        time.sleep(0.1)
    assert sampler.stacks
    assert all(stack == () for stack in sampler.stacks)
    assert isinstance(next(iter(sampler.stacks.values())), Weight)
    assert Frame("f", "file", 1).line == 1


def test_what_the_sampler_does_on_its_callers_thread_is_the_callers_time(monkeypatch: pytest.MonkeyPatch) -> None:
    sampler = Sampler(10.0)

    def join() -> None:
        sampler.sample(sys._current_frames())

    monkeypatch.setattr(sampler._thread, "join", join)
    with sampler:
        pass
    assert set(sampler.stacks) == {()}


def test_nothing_held_is_no_allocation() -> None:
    assert allocation_pass(lambda: 1)["calls"] == 1


def test_counts_are_scaled_where_counters_took_turns() -> None:
    words = [each.to_bytes(8, "little") for each in (100, 4000, 1000)]
    assert counters.scaled(b"".join(words)) == 400
    assert counters.scaled(bytes(24)) is None
    assert len(counters.attribute(3)) == 128
    assert counters.attribute(3)[8] == 3


def test_reasons_name_the_setting() -> None:
    assert "perf_event_paranoid" in counters.reason(13)
    assert "does not pass" in counters.reason(2)
    assert counters.gpus("no-such-program")["missing"] == "no-such-program is not installed"


def test_a_listed_gpu_is_read(tmp_path: Path) -> None:
    program = tmp_path / "smi"
    program.write_text("#!/bin/sh\necho 'Some GPU, 535.1, 7, 1024'\n")
    program.chmod(0o755)
    told = counters.gpus(str(program))
    assert told["devices"] == [{"name": "Some GPU", "driver": "535.1", "busy_percent": "7", "memory_used_mib": "1024"}]
    program.write_text("#!/bin/sh\necho no driver >&2\nexit 9\n")
    assert "failed with status 9: no driver" in counters.gpus(str(program))["missing"]


def test_a_gpu_is_told_before_and_after() -> None:
    device = {"name": "Some GPU", "driver": "535.1", "busy_percent": "0", "memory_used_mib": "3"}
    before: dict[str, Any] = {"devices": [device], "missing": ""}
    after: dict[str, Any] = {"devices": [{**device, "busy_percent": "90", "memory_used_mib": "800"}], "missing": ""}
    text = counters.gpu_text(before, after)
    assert text == "Some GPU, driver 535.1: 0 % busy, 3 MiB used before, 90 % busy, 800 MiB used after"
    assert counters.gpu_text(before) == "Some GPU, driver 535.1: 0 % busy, 3 MiB used"
    assert counters.gpu_text(counters.gpus("no-such")) == "not available (no-such is not installed)"


VALGRIND = """#!/bin/sh
for each in "$@"; do case $each in --callgrind-out-file=*) out=${each#*=};; esac; done
calls=$(sed -n 's/.*"calls": \\([0-9]*\\).*/\\1/p')
echo "events: Ir Dr" > "$out"
echo "summary: $((1000 + 7 * calls)) $((50 + 2 * calls))" >> "$out"
echo '{"seconds": 1}'
"""


def test_what_starting_takes_is_no_instruction_of_the_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "valgrind"
    program.write_text(VALGRIND)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert instructions.of_one_call("server", [{"do": "load"}], cache=True) == {"Ir": 7, "Dr": 2}
    program.write_text(VALGRIND.replace('{"seconds": 1}', '{"error": "lost"}'))
    assert instructions.of_one_call("server", [])["missing"] == "not available: callgrind: lost"
    monkeypatch.setenv("PATH", "/nowhere")
    assert instructions.of_one_call("server", []) == {"missing": "not available: install valgrind"}


def test_simulated_events_are_part_of_the_report(found: profile.Profile) -> None:
    assert "Not asked for: --instructions counts them" in profile_report.markdown(found)
    counted = {**found, "simulated": {"Ir": 1234567, "DLmr": 8}}
    text = profile_report.markdown(counted)
    assert "| instructions | 1,234,567 |" in text
    assert "| read misses, last level | 8 |" in text
    assert profile_report.simulated_lines(counted)[0] == "one call: 1,234,567 instructions"


def test_file_names_are_short() -> None:
    assert short("/x/lib/site-packages/numpy/a.py") == "numpy/a.py"
    assert short("/home/u/p/sim.py", "/home/u/p") == "sim.py"
    assert short("/elsewhere/sim.py", "/home/u/p") == "/elsewhere/sim.py"
