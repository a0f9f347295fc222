# SPDX-License-Identifier: Apache-2.0
"""Arrays through pipes, and the scripts that complete commands in a shell."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import COMMAND, environment, run

from penstock.cli.commands import COMMANDS
from penstock.cli.completion_command import SHELLS, commands_of, options_of


def stream_of(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def piped(data: bytes, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*COMMAND, *arguments], input=data, capture_output=True, env=environment(), check=False)


@pytest.mark.parametrize("array", [np.arange(12.0).reshape(3, 4), np.float32(3), np.zeros((0, 3), np.int8)])
def test_a_stream_comes_in_and_another_goes_out(array: Any) -> None:
    done = piped(stream_of(array), "eval", "a + a", "a=-", "-o", "-")
    assert done.returncode == 0, done.stderr
    assert done.stdout == stream_of(array + array), "and nothing else"


def test_commands_are_joined(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(1e6))
    one = f"{' '.join(COMMAND)} eval 'a * 2' a=- -o - < a.npy"
    line = f"{one} | {' '.join(COMMAND)} eval 'max(b)' b=- --json"
    done = subprocess.run(line, shell=True, capture_output=True, cwd=tmp_path, env=environment(), check=False)
    assert json.loads(done.stdout)["value"] == 2 * (1e6 - 1)


def test_info_and_raw_data_from_a_pipe() -> None:
    done = piped(stream_of(np.arange(6, dtype=">i4")), "info", "-", "--json", "--stats")
    facts = json.loads(done.stdout)
    assert (facts["path"], facts["byte_order"], facts["stats"]["max"]) == ("-", "big", 5)
    assert piped(np.arange(6, dtype="<i2").tobytes(), "eval", "a", "a=-:int16:2,3").stdout == b"[[0 1 2]\n [3 4 5]]\n"


def test_a_stream_counts_in_the_budget() -> None:
    """Six of eight MiB are the stream: a result of three does not fit beside it, though it fits alone."""
    data = stream_of(np.zeros(6 << 20, np.int8))
    arguments = ("eval", "a[:3145728] + 1", "a=-", "-o", "-", "--memory", "8MiB")
    refused = piped(data, *arguments)
    assert refused.returncode == 4, refused.stderr
    assert b"budget of 2.0 MiB" in refused.stderr
    alone = piped(stream_of(np.zeros(3 << 20, np.int8)), *arguments)
    assert alone.returncode == 0, alone.stderr


def test_a_file_on_standard_input_is_read_from_where_it_stands(tmp_path: Path) -> None:
    for name, value in (("first", 1.0), ("second", 2.0)):
        (tmp_path / name).write_bytes(stream_of(np.full(3, value)))
    (tmp_path / "both").write_bytes((tmp_path / "first").read_bytes() + (tmp_path / "second").read_bytes())
    with (tmp_path / "both").open("rb", buffering=0) as both:
        both.seek((tmp_path / "first").stat().st_size)
        done = run("eval", "a", "a=-", stdin=both)
    assert done.stdout == "[2. 2. 2.]\n", done.stderr


# Runs the command where a write takes a thousand bytes at most.
SHORT_WRITES = """
import os, sys
write = os.write
os.write = lambda descriptor, data: write(descriptor, memoryview(data)[:1000])
from penstock.cli import main
sys.exit(main())
"""


def test_short_writes_lose_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SHORT_WRITES, "eval", "sum(a)", "a=-"],
        input=stream_of(np.arange(1e5)),
        capture_output=True,
        env=environment(),
        check=False,
    )
    assert float(done.stdout) == sum(range(10**5)), done.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (("a + b", "a=-", "b=-"), 2, "a and b are all standard input"),
        (("a", "a=-", "-o", "-", "--json"), 2, "both want standard output"),
        (("a", "a=-", "--memory", "1KiB"), 4, "standard input holds more than the memory budget of 1.0 KiB"),
    ],
)
def test_what_a_stream_can_not_be(arguments: tuple[str, ...], status: int, says: str) -> None:
    done = piped(stream_of(np.arange(1000.0)), "eval", *arguments)
    assert done.returncode == status
    assert says in done.stderr.decode()
    assert done.stdout == b""


def test_a_stream_that_is_cut_off() -> None:
    done = piped(stream_of(np.arange(1000.0))[:500], "eval", "a", "a=-", "-o", "-")
    assert done.returncode == 3
    assert "is standard input" in done.stderr.decode()
    assert done.stdout == b""


def test_a_reader_that_goes_away_ends_the_writer_quietly(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(1e6))
    with subprocess.Popen(
        [*COMMAND, "eval", "a", "a=a.npy", "-o", "-", "-q"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(6) == b"\x93NUMPY"
        process.stdout.close()
        assert process.wait(60) == 1
        assert process.stderr.read() == b""


@pytest.mark.parametrize("shell", SHELLS)
def test_a_completion_script_names_every_command_and_option(shell: str) -> None:
    text = run("completion", shell).stdout
    for command in COMMANDS:
        assert command in text
        for below in ("", *commands_of(command)):
            assert below in text
            for option in options_of(command, below):
                words = f"-l {option.name[2:]} " if shell == "fish" else option.name
                assert words in text, f"{command} {below} {option.name}"
    if shutil.which(shell):
        done = subprocess.run([shell, "-n"], input=text, text=True, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        (("penstock", "ev"), "eval"),
        (("penstock", "eval", "--ov"), "--overwrite"),
        (("penstock", "info", "--st"), "--stats"),
        (("penstock", "doctor", "--ov"), ""),
        (("penstock", "completion", "z"), "zsh"),
        (("penstock", "lab", "comp"), "compare"),
        (("penstock", "lab", "compare", "--js"), "--json"),
        (("penstock", "lab", "compare", "a.n"), ""),
        (("penstock", "eval", "a.n"), ""),
    ],
)
def test_bash_completes(words: tuple[str, ...], completed: str) -> None:
    script = f"{run('completion', 'bash').stdout}\nCOMP_WORDS=({' '.join(words)}) COMP_CWORD={len(words) - 1}\n"
    script += '_penstock; printf %s "${COMPREPLY[*]}"'
    assert subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout == completed
