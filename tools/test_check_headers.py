# SPDX-License-Identifier: Apache-2.0
"""The headers checker finds a header that leans on another's includes, one without a guard, and one that warns."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import check_headers

GOOD = "#pragma once\n#include <string>\ninline std::string name() { return {}; }\n"

pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="needs g++")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "penstock/base").mkdir(parents=True)
    (tmp_path / "penstock/base/name.h").write_text(GOOD)
    (tmp_path / "penstock/base/loop-inl.h").write_text("no header alone\n")
    commands = [
        {"file": f"{tmp_path}/penstock/base/name.cc", "command": "ccache g++ -I. -Wall -Wextra -o name.o -c name.cc"},
        {"file": "/elsewhere/other.cc", "command": "g++ -o other.o -c other.cc"},
    ]
    (tmp_path / "compile_commands.json").write_text(json.dumps(commands))
    return tmp_path


def test_a_header_that_compiles_alone_passes(tree: Path) -> None:
    assert check_headers.check(tree, tree) == (1, [])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("#pragma once\ninline std::string name() { return {}; }\n", "string"),
        (GOOD.replace("#pragma once\n", ""), "redefinition"),
        ("#pragma once\ninline int name(int unused) { return 1; }\n", "unused"),
    ],
)
def test_a_bad_header_is_named_with_what_the_compiler_says(tree: Path, text: str, said: str) -> None:
    (tree / "penstock/base/bad.h").write_text(text)
    count, (fault,) = check_headers.check(tree, tree)
    assert count == 2
    assert fault.startswith("penstock/base/bad.h: does not compile alone")
    assert said in fault
