# SPDX-License-Identifier: Apache-2.0
"""Every bad input ends in one clear message and its exit status; inputs stay, and no part of an output does."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from command import COMMAND, environment, run


def npy(header: str, data: bytes = b"") -> bytes:
    """A version 1.0 file with that header, true or not."""
    text = header.encode("latin1") + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Good and bad inputs."""
    np.save(tmp_path / "a.npy", np.arange(12.0).reshape(3, 4))
    np.save(tmp_path / "b.npy", np.arange(5.0))
    np.save(tmp_path / "exists.npy", np.arange(3))
    np.save(tmp_path / "object.npy", np.array([{}, None], object), allow_pickle=True)
    np.save(tmp_path / "text.npy", np.array(["a", "b"]))
    whole = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "cut.npy").write_bytes(whole[:-8])
    (tmp_path / "cut_header.npy").write_bytes(whole[:40])
    (tmp_path / "empty.npy").write_bytes(b"")
    (tmp_path / "not_npy.npy").write_bytes(b"this is no array" * 20)
    lie = "{'descr': '<f8', 'fortran_order': False, 'shape': (65536, 65536), }"
    (tmp_path / "lying.npy").write_bytes(npy(lie, bytes(64)))
    (tmp_path / "negative.npy").write_bytes(
        npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }", bytes(24))
    )
    overflow = "{'descr': '<f8', 'fortran_order': False, 'shape': (4194305, 4194305, 211106198978564), }"
    (tmp_path / "overflow.npy").write_bytes(npy(overflow, bytes(24)))
    (tmp_path / "folder.npy").mkdir()
    return tmp_path


def snapshot(folder: Path) -> dict[str, str]:
    """Every file and its contents."""
    files = sorted(each for each in folder.rglob("*") if each.is_file())
    return {str(each.relative_to(folder)): hashlib.sha256(each.read_bytes()).hexdigest() for each in files}


BAD = [
    (["eval", "a", "a=missing.npy"], 1, "missing.npy"),
    (["eval", "a", "a=folder.npy"], 1, "folder.npy"),
    (["eval", "a", "a=cut.npy"], 3, "cut.npy"),
    (["eval", "a", "a=cut_header.npy"], 3, "cut_header.npy"),
    (["eval", "a", "a=empty.npy"], 3, "empty.npy"),
    (["eval", "a", "a=not_npy.npy"], 3, "not_npy.npy"),
    (["eval", "a", "a=lying.npy"], 3, "lying.npy"),
    (["eval", "a", "a=negative.npy"], 3, "shape"),
    (["eval", "a", "a=overflow.npy"], 3, "overflow.npy"),
    (["eval", "a", "a=object.npy"], 2, "object"),
    (["eval", "a", "a=text.npy"], 2, "text.npy"),
    (["eval", "a + b", "a=a.npy", "b=b.npy"], 2, "^"),
    (["eval", "a + c", "a=a.npy"], 2, "unknown name 'c'"),
    (["eval", "a + bb", "a=a.npy", "b=a.npy"], 2, "did you mean b?"),
    (["eval", "a * pi", "a=a.npy", "b=a.npy"], 2, "'b' is given but not used"),
    (["eval", "men(a)", "a=a.npy"], 2, "did you mean mean?"),
    (["eval", "mean(a, axis=7)", "a=a.npy"], 2, "7"),
    (["eval", "mean(a, axsi=0)", "a=a.npy"], 2, "write mean(x, axis=None, *, dtype=None, keepdims=False)"),
    (["eval", "sin(a, a)", "a=a.npy"], 2, "write sin(x)"),
    (["eval", "a[9]", "a=a.npy"], 2, "9"),
    (["eval", "a & 1", "a=a.npy"], 2, "bitwise_and"),
    (["eval", "__import__('os')", "a=a.npy"], 2, "^"),
    (["eval", "a if a else a", "a=a.npy"], 2, "where"),
    (["eval", "a", "a=a.npy", "--memory", "lots"], 2, "lots"),
    (["info", "missing.npy"], 1, "missing.npy"),
    (["info", "cut.npy", "--stats"], 3, "cut.npy"),
    (["plan", "a + b", "a=a.npy", "b=b.npy"], 2, "^"),
    (["doctor", "missing"], 1, ""),
]


@pytest.mark.parametrize(("arguments", "status", "says"), BAD)
def test_bad_input_is_told_and_changes_nothing(folder: Path, arguments: list[str], status: int, says: str) -> None:
    before = snapshot(folder)
    extra = ["-o", "out.npy"] if arguments[0] == "eval" else ["--no-disk"] if arguments[0] == "doctor" else []
    done = run(*arguments, *extra, cwd=folder)
    assert done.returncode == status, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert snapshot(folder) == before


@pytest.mark.parametrize(("arguments", "status"), [(each[0], each[1]) for each in BAD if each[0][0] != "doctor"])
def test_errors_are_json_when_results_are(folder: Path, arguments: list[str], status: int) -> None:
    done = run(*arguments, "--json", cwd=folder)
    assert done.returncode == status
    fields = json.loads(done.stderr)["error"]
    assert set(fields) == {"class", "code", "message", "exit_status"}
    assert fields["exit_status"] == status
    assert done.stdout == ""


def test_a_complaint_has_the_class_and_code_of_the_table() -> None:
    import penstock as ps

    fields = json.loads(run("eval", "a and b", "--json").stderr)["error"]
    assert fields["class"] == "ExpressionError"
    assert fields["code"] == ps.errors.ExpressionError.code
    assert fields["exit_status"] == ps.errors.ExpressionError.exit_status


def test_an_existing_output_is_kept_unless_overwritten(folder: Path) -> None:
    before = snapshot(folder)
    done = run("eval", "a", "a=a.npy", "-o", "exists.npy", cwd=folder)
    assert done.returncode == 1
    assert "--overwrite" in done.stderr
    assert snapshot(folder) == before
    assert run("eval", "a", "a=a.npy", "-o", "exists.npy", "--overwrite", cwd=folder).returncode == 0
    np.testing.assert_array_equal(np.load(folder / "exists.npy"), np.arange(12.0).reshape(3, 4))


@pytest.mark.parametrize(
    ("output", "status", "says"),
    [
        ("nowhere/out.npy", 1, "mkdir"),
        ("folder.npy", 2, "directory"),
        ("pipe", 1, "no regular file"),
        ("a.npy/out.npy", 1, "a.npy"),
    ],
)
def test_an_output_that_cannot_be(folder: Path, output: str, status: int, says: str) -> None:
    os.mkfifo(folder / "pipe")
    before = snapshot(folder)
    done = run("eval", "a", "a=a.npy", "-o", output, "--overwrite", cwd=folder)
    assert done.returncode == status, done.stderr
    assert says in done.stderr
    assert snapshot(folder) == before


def test_a_device_is_never_replaced(folder: Path) -> None:
    done = run("eval", "a", "a=a.npy", "-o", "/dev/null", "--overwrite", cwd=folder)
    assert done.returncode == 1
    assert not Path("/dev/null").is_file()


def test_an_unwritable_directory(folder: Path) -> None:
    # The super-user may write anywhere but where nothing can be created.
    target = folder / "locked"
    target.mkdir(mode=0o500)
    output = target / "out.npy" if os.geteuid() != 0 else Path("/proc/self/out.npy")
    done = run("eval", "a", "a=a.npy", "-o", output, cwd=folder)
    assert done.returncode == 1, done.stderr
    assert str(output) in done.stderr
    assert list(target.iterdir()) == []


def limited(limit: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))


def test_a_full_disk(folder: Path) -> None:
    np.save(folder / "big.npy", np.zeros(200_000))
    before = snapshot(folder)
    done = run("eval", "big + 1", "big=big.npy", "-o", "out.npy", cwd=folder, preexec_fn=limited(100_000))
    assert done.returncode == 4, done.stderr
    assert "out.npy" in done.stderr
    assert snapshot(folder) == before


def test_a_full_disk_under_an_output_that_is_an_input(folder: Path) -> None:
    np.save(folder / "big.npy", np.zeros(200_000))
    before = snapshot(folder)
    done = run("eval", "big + 1", "big=big.npy", "-o", "big.npy", cwd=folder, preexec_fn=limited(100_000))
    assert done.returncode == 4
    assert snapshot(folder) == before


def test_a_budget_too_small(folder: Path) -> None:
    done = run("eval", "a", "a=a.npy", "--memory", "1KiB", cwd=folder)
    assert done.returncode in (2, 4), done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "command", [["info", "a.npy"], ["--help"], ["eval", "--help"], ["eval", "a", "a=a.npy", "--json"]]
)
def test_standard_output_that_cannot_be_written(folder: Path, command: list[str]) -> None:
    with open("/dev/full", "w") as full:
        done = run(*command, cwd=folder, capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 4
    assert done.stderr.count("\n") == 1


def test_a_closed_pipe_is_quiet(folder: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = run("eval", "a", "a=a.npy", cwd=folder, capture_output=False, stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert done.returncode == 1
    assert done.stderr == ""


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_limit_on_a_redirected_output_is_told(folder: Path, unbuffered: str) -> None:
    """An unbuffered stream would take the short write for a whole one."""
    with (folder / "listing").open("w") as listing:
        done = run("eval", "--functions", cwd=folder, capture_output=False, stdout=listing, stderr=subprocess.PIPE,
                   preexec_fn=limited(64), variables={"PYTHONUNBUFFERED": unbuffered})  # fmt: skip
    assert done.returncode == 4


def test_a_file_name_does_not_move_the_cursor(folder: Path) -> None:
    done = run("info", "a\x1b[2J.npy", cwd=folder)
    assert done.returncode == 1
    assert "\x1b" not in done.stderr


def test_signals_of_the_parent_do_not_stay(folder: Path) -> None:
    """A shell that ignores SIGPIPE hands that on; the command tells the error in both cases."""
    process = subprocess.Popen(
        [*COMMAND, "info", "a.npy"], cwd=folder, env=environment(), stdout=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGPIPE, signal.SIG_IGN),
    )  # fmt: skip
    assert process.wait(timeout=60) == 0


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("MEMORY", "foo", "'foo' is not a size; write it like"),
        ("THREADS", "foo", "'foo' is no number of threads; use 1 to 1024"),
        ("THREADS", "0", "'0' is no number of threads; use 1 to 1024"),
        ("SIMD", "foo", "'foo' is no SIMD target of this machine; use one of scalar"),
        ("LEVEL", "foo", "'foo' is no optimisation level; use none, simd, parallel or full"),
    ],
)
def test_a_wrong_environment_variable_is_named(folder: Path, name: str, value: str, says: str) -> None:
    done = run("eval", "mean(a * 2)", "a=a.npy", "-o", "out.npy", cwd=folder, variables={f"PENSTOCK_{name}": value})
    assert done.returncode == 2
    assert f"PENSTOCK_{name}: {says}" in done.stderr
    assert not (folder / "out.npy").exists()
