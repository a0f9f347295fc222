# SPDX-License-Identifier: Apache-2.0
"""What a piece of work uses, without what looking at it takes."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from penstock.lab.usage import Usage, io


def test_bytes_are_those_of_the_work(tmp_path: Path) -> None:
    if io() is None:
        pytest.skip("this kernel tells no bytes")
    file = tmp_path / "file"
    with Usage() as used:
        file.write_bytes(b"x" * 1000)
        assert len(file.read_bytes()) == 1000
        time.sleep(0.05)
    told = used.facts()["io"]
    assert (told["wchar"], told["rchar"]) == (1000, 1000)


def test_looking_is_no_work() -> None:
    with Usage() as used:
        time.sleep(0.3)
    facts = used.facts()
    assert facts["wall_seconds"] >= 0.3
    assert facts["cpus_used"] < 0.1
    assert facts["memory_peak"] >= facts["memory_before"] > 1 << 20
