# SPDX-License-Identifier: Apache-2.0
"""Hostile headers against NumPy's reader, and files that others truncate or replace while they are read."""

from __future__ import annotations

import io
import os
import random
import subprocess
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sweep import FULL, assert_same_bits, computed

import penstock as ps


def write_header(path: Path, header: str | bytes, data: bytes = b"", version: tuple[int, int] = (1, 0)) -> None:
    raw = header if isinstance(header, bytes) else header.encode("utf-8" if version[0] == 3 else "latin1")
    size = len(raw).to_bytes(2 if version[0] == 1 else 4, "little")
    path.write_bytes(b"\x93NUMPY" + bytes(version) + size + raw + data)


GOOD = "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }"
BAD_HEADERS = {
    # name: (header, error, words of the message)
    "object": ("{'descr': '|O', 'fortran_order': False, 'shape': (3,)}", "DTypeError", "descr.*object"),
    "structure": (
        "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (3,)}",
        "DTypeError",
        "descr.*structured",
    ),
    "date": ("{'descr': '<M8[ns]', 'fortran_order': False, 'shape': (3,)}", "DTypeError", "descr"),
    "duration": ("{'descr': '<m8[s]', 'fortran_order': False, 'shape': (3,)}", "DTypeError", "descr"),
    "text": ("{'descr': '<U8', 'fortran_order': False, 'shape': (3,)}", "DTypeError", "descr"),
    "bytes": ("{'descr': '|S8', 'fortran_order': False, 'shape': (3,)}", "DTypeError", "descr"),
    "void": ("{'descr': '|V0', 'fortran_order': False, 'shape': (1000000000,)}", "DTypeError", "descr"),
    "long double": ("{'descr': '<f16', 'fortran_order': False, 'shape': (3,)}", "DTypeError", "descr"),
    "unknown": ("{'descr': '<q9', 'fortran_order': False, 'shape': (3,)}", "FormatError", "descr.*expected.*got"),
    "no dtype": ("{'fortran_order': False, 'shape': (3,)}", "FormatError", "descr"),
    "no order": ("{'descr': '<f8', 'shape': (3,)}", "FormatError", "fortran_order"),
    "no shape": ("{'descr': '<f8', 'fortran_order': False}", "FormatError", "shape"),
    "twice": ("{'descr': '<f8', 'descr': '<f4', 'fortran_order': False, 'shape': (3,)}", "FormatError", "descr.*twice"),
    "more": ("{'descr': '<f8', 'fortran_order': False, 'shape': (3,), 'x': 1}", "FormatError", "x"),
    "number as order": ("{'descr': '<f8', 'fortran_order': 0, 'shape': (3,)}", "FormatError", "fortran_order"),
    "list as shape": ("{'descr': '<f8', 'fortran_order': False, 'shape': [3]}", "FormatError", "shape"),
    "number as shape": ("{'descr': '<f8', 'fortran_order': False, 'shape': 3}", "FormatError", "shape"),
    "number in brackets": ("{'descr': '<f8', 'fortran_order': False, 'shape': (3)}", "FormatError", "shape"),
    "negative": ("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}", "FormatError", "shape"),
    "bool in shape": ("{'descr': '<f8', 'fortran_order': False, 'shape': (True, 3)}", "FormatError", "shape"),
    "float in shape": ("{'descr': '<f8', 'fortran_order': False, 'shape': (3.0,)}", "FormatError", "shape"),
    "too large": (
        "{'descr': '<f8', 'fortran_order': False, 'shape': (65536, 65536)}",
        "TruncatedFileError",
        "34359738368",
    ),
    "overflow": ("{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", "FormatError", "shape"),
    "overflow to little": (
        "{'descr': '<f8', 'fortran_order': False, 'shape': (4194305, 4194305, 211106198978564)}",
        "FormatError",
        "shape",
    ),
    "overflow behind nothing": (
        "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 9223372036854775807)}",
        "FormatError",
        "shape",
    ),
    "beyond 64 bits": (
        "{'descr': '<f8', 'fortran_order': False, 'shape': (18446744073709551616,)}",
        "FormatError",
        "shape",
    ),
    "65 dimensions": (f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({'1, ' * 65})}}", "FormatError", "64"),
    "code": ("__import__('os').system('true')", "FormatError", "header"),
    "call": ("{'descr': str('<f8'), 'fortran_order': False, 'shape': (3,)}", "FormatError", "descr|header"),
    "nothing": ("", "FormatError", "header"),
    "open": ("{'descr': '<f8', 'fortran_order': False, 'shape': (3,)", "FormatError", "header"),
    "rest": (GOOD + " x", "FormatError", "header"),
    "nested": ("(" * 5000, "FormatError", "header"),
    "not ASCII": ("{'descr': '<f8\xe9', 'fortran_order': False, 'shape': (3,)}", "FormatError", "descr"),
}


class TestWrongFiles:
    """Each fault has its class, and a message with file, field, expected, got."""

    @pytest.mark.parametrize("name", BAD_HEADERS)
    @pytest.mark.parametrize("version", [(1, 0), (2, 0)])
    def test_headers(self, tmp_path: Path, name: str, version: tuple[int, int]) -> None:
        header, error, words = BAD_HEADERS[name]
        path = tmp_path / "bad.npy"
        write_header(path, header, bytes(24), version)
        with pytest.raises(getattr(ps.errors, error), match=words) as caught:
            ps.open(path)
        assert str(path) in str(caught.value)
        assert type(caught.value).code.startswith("PS")  # type: ignore[attr-defined]
        assert type(caught.value).__name__ == error

    def test_preambles(self, tmp_path: Path) -> None:
        path = tmp_path / "bad.npy"
        for data, error, words in (
            (b"", "TruncatedFileError|FormatError", "bad"),
            (b"\x93NUMP", "TruncatedFileError|FormatError", "bad"),
            (b"\x93NUMPY\x01\x00", "TruncatedFileError", "header"),
            (b"PK\x03\x04" + bytes(100), "FormatError", "npz|zip|expected"),
            (b"\x89HDF\r\n\x1a\n" + bytes(100), "FormatError", "expected"),
            (b"text, with, commas\n" * 20, "FormatError", "expected"),
            (b"\x93NUMPY\x04\x00" + bytes(100), "FormatError", "version.*4.0"),
            (b"\x93NUMPY\x00\x00" + bytes(100), "FormatError", "version"),
            (b"\x93NUMPY\x01\x01" + bytes(100), "FormatError", "version.*1.1"),
            (b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + bytes(100), "FormatError|TruncatedFileError", "length"),
            (b"\x93NUMPY\x01\x00\xff\xff" + bytes(100), "TruncatedFileError", "header"),
        ):
            path.write_bytes(data)
            with pytest.raises(ps.errors.PenstockError, match=words) as caught:
                ps.open(path)
            assert type(caught.value).__name__ in error.split("|"), data[:12]
            assert str(path) in str(caught.value)

    def test_every_truncation(self, tmp_path: Path) -> None:
        path = tmp_path / "a.npy"
        np.save(path, np.arange(24, dtype=np.int16).reshape(4, 6))
        whole = path.read_bytes()
        for size in range(len(whole)):
            path.write_bytes(whole[:size])
            with pytest.raises((ps.errors.TruncatedFileError, ps.errors.FormatError), match=r"a\.npy"):
                ps.open(path)

    def test_bytes_behind_the_data(self, tmp_path: Path) -> None:
        path = tmp_path / "a.npy"
        np.save(path, np.arange(3))
        path.write_bytes(path.read_bytes() + b"junk")
        with pytest.warns(UserWarning, match="4 bytes"):
            assert np.asarray(ps.open(path)).tolist() == [0, 1, 2]
        with pytest.raises(ps.errors.FormatError, match="4 bytes"):
            ps.open(path, strict=True)

    def test_what_is_no_file(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        for path, error in (
            (tmp_path / "pipe", "UnsafePathError"),
            (tmp_path, "UnsafePathError"),
            (Path("/dev/null"), "UnsafePathError"),
        ):
            for arguments in ({}, {"dtype": "int8"}):  # type: dict[str, Any]
                with pytest.raises(getattr(ps.errors, error)):
                    ps.open(path, **arguments)
        with pytest.raises(ps.errors.MissingFileError, match=r"none\.npy") as caught:
            ps.open(tmp_path / "none.npy")
        assert isinstance(caught.value, FileNotFoundError)
        assert caught.value.errno == 2
        with pytest.raises(TypeError):
            ps.open(3)  # type: ignore[arg-type]
        with pytest.raises((ps.errors.PenstockError, ValueError)):
            ps.open("nul\0byte.npy")

    def test_a_message_shows_no_control_characters(self, tmp_path: Path) -> None:
        path = tmp_path / "a.npy"
        write_header(path, b"{'descr': '\x1b[31m<f8\x07', 'fortran_order': False, 'shape': (3,)}", bytes(24))
        with pytest.raises(ps.errors.FormatError) as caught:
            ps.open(path)
        assert "\x1b" not in str(caught.value)
        assert "\x07" not in str(caught.value)


def random_header(rng: random.Random) -> tuple[bytes, bytes]:
    """A header that may be right, and the bytes behind it."""
    descr = rng.choice(
        [
            "<f8",
            ">f4",
            "|b1",
            "<i2",
            ">u4",
            "|u1",
            "<c8",
            "<f2",
            "|i1",
            "=f8",
            "f8",
            "<M8[s]",
            "<U3",
            "O",
            "|V4",
            "<f3",
            ">c16",
            "b1",
            "?",
        ]
    )
    shape = [rng.choice([0, 1, 2, 3, 5, 7]) for _ in range(rng.choice([0, 1, 1, 2, 2, 3]))]
    text = "(" + ", ".join(str(n) + rng.choice(["", "", "", "L"] if rng.random() < 0.05 else [""]) for n in shape)
    text += rng.choice([",", ""]) if len(shape) > 1 else "," if len(shape) == 1 and rng.random() < 0.95 else ""
    text += ")"
    fields = [f"'descr': '{descr}'", f"'fortran_order': {rng.choice(['False', 'True'])}", f"'shape': {text}"]
    if rng.random() < 0.3:
        rng.shuffle(fields)
    if rng.random() < 0.05:
        fields.pop(rng.randrange(3))
    header = "{" + rng.choice([", ", ",", " , "]).join(fields) + rng.choice([", ", "", ","]) + "}"
    if rng.random() < 0.1:
        header = header.replace("'", '"')
    raw = bytearray((header + " " * rng.choice([0, 1, 30]) + rng.choice(["\n", "\n", ""])).encode())
    if rng.random() < 0.2:
        raw[rng.randrange(len(raw))] = rng.choice(b" (),:'{}[]x0-9\x00\xff")
    count = 1
    for n in shape:
        count *= n
    return bytes(raw), rng.randbytes(max(0, count * 16 + rng.choice([0, 0, 0, -1, -count * 16])))


# What NumPy reads and Penstock refuses, by what is said.
REFUSALS = ("holds", "structured", "is the", "too short", "expected")


def test_generated_headers_are_read_as_numpy_reads_them(tmp_path: Path) -> None:
    rng = random.Random(20)
    path = tmp_path / "a.npy"
    accepted = refused = 0
    for number in range(1_000_000 if FULL else 2000):
        version = rng.choice([(1, 0), (2, 0), (3, 0)])
        header, data = random_header(rng)
        write_header(path, header, data, version)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                want: Any = np.load(io.BytesIO(path.read_bytes()), allow_pickle=False)
        except Exception as error:
            want = error
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                got: Any = np.asarray(ps.open(path))
        except ps.errors.PenstockError as error:
            got = error
        if isinstance(got, np.ndarray):
            accepted += 1
            assert isinstance(want, np.ndarray), f"{number}: NumPy refuses {header!r}: {want}"
            a, b = computed(want), got
            assert a.dtype == b.dtype
            if a.dtype.kind == "b":
                a = want.view(np.uint8) != 0  # a bool may be any byte
            assert_same_bits(b, np.ascontiguousarray(a).reshape(want.shape), str(header))
        elif isinstance(want, np.ndarray):
            refused += 1
            assert want.dtype.kind in "USVMmO" or any(word in str(got) for word in REFUSALS), f"{header!r}: {got}"
    assert accepted > 200
    assert refused > 5


TRUNCATION = """
import os, random, sys, threading
import numpy as np, penstock as ps

rounds, seed = int(sys.argv[1]), int(sys.argv[2])
rng = random.Random(seed)
a = np.arange(400_000, dtype=np.float64)
np.save("whole.npy", a)
whole = open("whole.npy", "rb").read()
outcomes = {}
for number in range(rounds):
    with open("a.npy", "wb") as file:
        file.write(whole)
    x = ps.open("a.npy")
    jobs = [lambda: float(ps.sum(x)), lambda: np.asarray(x * 2), lambda: ps.save(x + 1, "r.npy")]
    work = rng.choice([*jobs, lambda: np.asarray(x[::7])])
    cut = threading.Thread(target=os.truncate, args=("a.npy", rng.choice([0, 100, 4096, 100_000, 3_199_000])))
    if number % 3 == 0:
        cut.start(); cut.join()
    try:
        if number % 3:
            cut.start()
        work()
        outcome = "whole"
    except (ps.errors.TruncatedFileError, ps.errors.FileChangedError) as error:
        assert "a.npy" in str(error), error
        outcome = type(error).__name__
    if number % 3:
        cut.join()
    assert number % 3 or outcome != "whole", "a file cut before the start is noticed"
    outcomes[outcome] = outcomes.get(outcome, 0) + 1
print(outcomes)
"""


class TestChangingFiles:
    """Files that others truncate or replace: an error, never mixed data, never a signal."""

    @pytest.mark.parametrize("io_mode", ["mmap", "pread", "direct"])
    def test_truncated_while_in_use(self, tmp_path: Path, io_mode: str) -> None:
        script = tmp_path / "cut.py"
        script.write_text(TRUNCATION)
        rounds = "1000" if FULL else "60"
        command = [sys.executable, str(script), rounds, "7"]
        environment = {**os.environ, "PENSTOCK_IO": io_mode, "PENSTOCK_DURABILITY": "none"}
        result = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600, check=False
        )
        assert result.returncode == 0, f"status {result.returncode}\n{result.stdout}\n{result.stderr}"
        assert "TruncatedFileError" in result.stdout

    def test_rewritten_between_opening_and_evaluation(self, tmp_path: Path) -> None:
        path = tmp_path / "a.npy"
        np.save(path, np.zeros(1000))
        x = ps.open(path)
        with path.open("r+b") as file:
            file.seek(128)
            file.write(b"\xff" * 16)
        os.utime(path, ns=(1, 1))
        with pytest.raises(ps.errors.FileChangedError, match=r"a\.npy"):
            np.asarray(x + 1)

    def test_replaced_by_another_file(self, tmp_path: Path) -> None:
        path = tmp_path / "a.npy"
        np.save(path, np.zeros(1000))
        x = ps.open(path)
        np.save(tmp_path / "b.npy", np.ones(1000))
        (tmp_path / "b.npy").rename(path)
        assert float(ps.sum(x)) == 0, "an array reads the file it opened"
        assert float(ps.sum(ps.open(path))) == 1000

    def test_grown(self, tmp_path: Path) -> None:
        path = tmp_path / "a.npy"
        np.save(path, np.zeros(1000))
        x = ps.open(path)
        with path.open("ab") as file:
            file.write(b"more")
        with pytest.raises(ps.errors.FileChangedError, match=r"a\.npy"):
            np.asarray(x + 1)

    def test_an_error_leaves_the_array_as_it_was(self, tmp_path: Path) -> None:
        path = tmp_path / "a.npy"
        np.save(path, np.arange(100_000.0))
        whole = path.read_bytes()
        x = ps.open(path) * 2
        os.truncate(path, 1000)
        with pytest.raises(ps.errors.TruncatedFileError):
            np.asarray(x)
        assert not x.evaluated
        assert x.shape == (100_000,)
        with pytest.raises((ps.errors.TruncatedFileError, ps.errors.FileChangedError)):
            np.asarray(x)
        path.write_bytes(whole)
        assert np.asarray(ps.open(path) * 2)[-1] == 199_998

    def test_many_threads_read_a_file_that_is_cut(self, tmp_path: Path) -> None:
        path = tmp_path / "a.npy"
        np.save(path, np.arange(1_000_000.0))
        arrays = [ps.open(path) for _ in range(8)]
        seen: list[str] = []

        def read(x: ps.Array) -> None:
            try:
                np.asarray(x * 2)
                seen.append("whole")
            except (ps.errors.TruncatedFileError, ps.errors.FileChangedError):
                seen.append("cut")

        threads = [threading.Thread(target=read, args=(x,)) for x in arrays]
        for thread in threads[:4]:
            thread.start()
        os.truncate(path, 4096)
        for thread in threads[4:]:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(seen) == 8
        assert seen.count("cut") >= 4
