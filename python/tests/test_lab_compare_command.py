# SPDX-License-Identifier: Apache-2.0
"""`penstock lab compare`: its verdicts over injected sleeps, its JSON, and bad input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import run

SOURCE = """
import time
import numpy as np

def short(): time.sleep(0.01); return np.ones(3)
def long(): time.sleep(0.03); return np.ones(3)
def other(): return np.zeros(3)
def broken(): raise ValueError("no luck")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sim.py").write_text(SOURCE, encoding="utf-8")
    return tmp_path


def test_a_slower_command_is_called_slower_in_json(folder: Path) -> None:
    done = run("lab", "compare", "sleep 0.05", "sleep 0.15", "--seconds", "20", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    fields = json.loads(done.stdout)
    assert fields["verdict"] == "slower"
    assert fields["n"] >= 10
    assert fields["interval"][0] <= fields["ratio"] <= fields["interval"][1]
    assert 1.5 < fields["ratio"] < 4
    assert {"memory copy", "fma"} == set(fields["ceilings"])
    assert fields["machine"]["cpus"] >= 1
    assert len(fields["identity"]) == 12
    assert isinstance(fields["noisy"], bool)


def test_functions_are_compared_in_processes_of_their_own(folder: Path) -> None:
    done = run("lab", "compare", "sim:long", "sim:short", "--seconds", "20", "--check-output", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("B is faster than A: time(B)/time(A) = 0.")
    assert "sim:long" in done.stdout


def test_every_verdict_is_a_success_and_pairs_are_counted(folder: Path) -> None:
    done = run("lab", "compare", "true", "true", "--pairs", "11", "--bytes", "1e6", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    fields = json.loads(done.stdout)
    assert fields["n"] == 11
    assert set(fields["share_of_ceiling"]["memory copy"]) == {"a", "b"}


def test_too_little_time_is_undecided_and_says_how_much_is_needed(folder: Path) -> None:
    done = run("lab", "compare", "sleep 0.1", "sleep 0.3", "--seconds", "0.5", cwd=folder)
    assert done.returncode == 0
    assert done.stdout.startswith("undecided")
    assert "is below 10: some" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["false", "true"], 1, "'false' failed: exit status 1"),
        (["true", "echo alas >&2; exit 4"], 1, "exit status 4\n  alas"),
        (["true", "sleep 60", "--limit", "0.3"], 1, "'sleep 60' did not end within 0.3 s"),
        (["echo a", "echo b", "--check-output"], 1, "the outputs differ"),
        (["sim:short", "sim:other", "--check-output"], 1, "the outputs differ"),
        (["sim:short", "sim:broken"], 1, "raised ValueError: no luck"),
        (["sim:shrt", "sim:short"], 1, "did you mean 'sim:short'?"),
        (["nothing:here", "sim:short"], 1, "No module named 'nothing'"),
        (["", "true"], 1, "an empty command"),
        (["true", "true", "--pairs", "9"], 2, "nothing follows from less than 10"),
        (["true", "true", "--seconds", "0"], 2, "no number of seconds above 0"),
        (["true"], 2, "required: B"),
    ],
)
def test_bad_input_is_told(folder: Path, arguments: list[str], status: int, says: str) -> None:
    done = run("lab", "compare", *arguments, cwd=folder)
    assert done.returncode == status, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_errors_are_json_when_results_are(folder: Path) -> None:
    done = run("lab", "compare", "false", "true", "--json", cwd=folder)
    assert done.returncode == 1
    assert json.loads(done.stderr)["error"]["exit_status"] == 1
