# SPDX-License-Identifier: Apache-2.0
"""The floors checker finds each kind of bad include, and nothing in a good tree."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import floors

FLOORS = "# order\nbase:\nthread: base\nsimd: base\nkernel: simd base\nrun: kernel thread base\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "FLOORS").write_text(FLOORS)
    files = {
        "penstock/base/text.h": "#include <string>\n",
        "penstock/thread/executor.cc": '#include <thread>\n#include "penstock/base/text.h"\n',
        "penstock/simd/target.cc": "#include <hwy/highway.h>\n",
        "penstock/kernel/maths-inl.h": "#include <sleef.h>\n#include <hwy/highway.h>\n",
        "penstock/run/plan.cc": '#include "penstock/run/plan.h"\n#include "penstock/kernel/table.h"\n',
        "python/bind/array.cc": "#include <nanobind/nanobind.h>\n",
        "penstock/penstock.h": '#include "penstock/run/plan.h"\n',
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_good_tree_has_no_faults(tree: Path) -> None:
    assert floors.check(tree) == []


@pytest.mark.parametrize(
    ("name", "line", "words"),
    [
        ("penstock/base/bad.h", '#include "penstock/run/plan.h"', "floor 'base' may not include 'run'"),
        ("penstock/run/bad.cc", '#include "penstock/simd/target.h"', "floor 'run' may not include 'simd'"),
        ("penstock/run/bad.cc", "  #  include <penstock/simd/target.h>", "floor 'run' may not include 'simd'"),
        ("penstock/run/bad.cc", '#include "penstock/util/text.h"', "'util' is no floor"),
        ("penstock/run/bad.cc", "#include <hwy/highway.h>", "Highway"),
        ("penstock/kernel/table.h", "#include <hwy/highway.h>", "Highway"),
        ("penstock/run/bad.cc", "#include <sleef.h>", "SLEEF"),
        ("penstock/run/bad.cc", "#include <nanobind/nanobind.h>", "nanobind"),
        ("fuzz/bad.cc", "#include <nanobind/nanobind.h>", "nanobind"),
        ("penstock/util/bad.h", "#include <string>", "not in FLOORS"),
    ],
)
def test_bad_include_is_found(tree: Path, name: str, line: str, words: str) -> None:
    path = tree / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"// first\n{line}\n")
    faults = floors.check(tree)
    assert len(faults) == 1
    assert words in faults[0]
    if "not in FLOORS" not in words:
        assert faults[0].startswith(f"{name}:2: ")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("base: run\nrun: base\n", "not listed above"),
        ("base:\nbase:\n", "listed twice"),
        ("base\n", "expected 'floor:"),
    ],
)
def test_bad_order_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        floors.read_floors(text)


def test_exit_status(tree: Path) -> None:
    command = [sys.executable, floors.__file__, str(tree)]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    (tree / "penstock/base/bad.h").write_text("#include <sleef.h>\n")
    result = subprocess.run(command, check=False, capture_output=True, text=True)
    assert result.returncode == 1
    assert "penstock/base/bad.h:1:" in result.stdout


def test_this_repository() -> None:
    assert floors.check(Path(__file__).resolve().parent.parent) == []
