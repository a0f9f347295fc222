# SPDX-License-Identifier: Apache-2.0
"""Programs of Google Benchmark: their JSON, and everything that is no such program."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from penstock.lab import google_benchmark, targets
from penstock.lab.google_benchmark import Benchmark
from penstock.lab.sides import SideError


def line(name: str, real: float, **changed: Any) -> dict[str, Any]:
    given = {
        "name": name, "run_name": name, "run_type": "iteration", "repetitions": 2, "repetition_index": 0, "threads": 1,
        "iterations": 100, "real_time": real, "cpu_time": real * 2, "time_unit": "ns",
    }  # fmt: skip
    return {**given, **changed}


def program(folder: Path, *lines: dict[str, Any], code: str = "") -> Path:
    """A program that answers as Google Benchmark does: the lines whose names match the filter."""
    file = folder / "bench"
    source = f"""#!{sys.executable}
import json, re, sys
{code}
options = dict(each.split("=", 1) for each in sys.argv[1:])
assert options["--benchmark_format"] == "json"
lines = [each for each in {list(lines)!r} if re.search(options["--benchmark_filter"], each["name"])]
print(json.dumps({{"context": options, "benchmarks": lines}}))
"""
    file.write_text(source, encoding="utf-8")
    file.chmod(0o755)
    return file


def test_repetitions_are_samples_in_seconds_and_aggregates_are_left_out(tmp_path: Path) -> None:
    lines = [
        line("copy/8", 1500.0, bytes_per_second=2e9),
        line("copy/8", 2500.0, repetition_index=1, bytes_per_second=1e9),
        line("copy/8_mean", 2000.0, run_name="copy/8", run_type="aggregate", aggregate_name="mean"),
        line("add", 3.0, time_unit="ms", iterations=7),
    ]
    found = google_benchmark.run(program(tmp_path, *lines), min_time=0.01, repetitions=2)
    assert list(found) == ["copy/8", "add"]
    assert found["copy/8"].seconds == pytest.approx([1.5e-6, 2.5e-6])
    assert found["copy/8"].cpu_seconds == pytest.approx([3e-6, 5e-6])
    assert found["copy/8"].counters == {"bytes_per_second": [2e9, 1e9]}
    assert (found["add"].seconds, found["add"].iterations) == (pytest.approx([3e-3]), [7])


def test_one_benchmark_is_a_side(tmp_path: Path) -> None:
    file = program(tmp_path, line("add/1+2", 3.0), line("add/1+20", 5.0))
    side = Benchmark(file, "add/1+2")
    side.calibrate(0.05)
    assert side() == pytest.approx(3e-9)
    assert side.calls == 100
    with pytest.raises(SideError, match="has no benchmark 'sub'"):
        Benchmark(file, "sub")()


def test_the_command_line_names_a_benchmark_by_its_program(tmp_path: Path) -> None:
    program(tmp_path, line("add", 3.0))
    with targets.opened("./bench::add", folder=tmp_path) as side:
        assert isinstance(side, Benchmark)
        assert side() == pytest.approx(3e-9)
        with pytest.raises(SideError, match="no output to compare"):
            targets.output_hash(side)


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("sys.exit('no such option')", "failed: exit status 1\n  no such option"),
        ("print('hello'); sys.exit()", "gave no JSON of Google Benchmark"),
        ("print(json.dumps({'benchmarks': None and 1, 'x': 1}).replace('benchmarks', 'b')); sys.exit()", "no JSON"),
        ("import time; time.sleep(60)", "did not end within 0.5 s"),
    ],
)
def test_what_is_no_such_program(tmp_path: Path, code: str, says: str) -> None:
    with pytest.raises(SideError) as caught:
        google_benchmark.run(program(tmp_path, code=code), time_limit=0.5 if "sleep" in code else 60)
    assert says in str(caught.value)


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SideError, match="cannot be run: No such file"):
        google_benchmark.run(tmp_path / "none")


def test_a_benchmark_that_reports_an_error() -> None:
    text = json.dumps({"benchmarks": [line("add", 0.0, error_occurred=True, error_message="no memory")]})
    with pytest.raises(SideError, match="add reports an error: no memory"):
        google_benchmark.read(text, "bench")
