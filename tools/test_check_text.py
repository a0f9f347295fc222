# SPDX-License-Identifier: Apache-2.0
"""The text checker finds each kind of fault, and nothing in good text."""

from __future__ import annotations

import pytest

import check_text

HEAD = f"// {check_text.SPDX}\n"


def test_good_text() -> None:
    assert check_text.faults_of("penstock/base/text.h", HEAD + "int f();\n") == []
    assert check_text.faults_of("README.md", "# Title\n") == []


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.cc", "int f();\n", "no 'SPDX"),
        ("a.cc", HEAD + "// TO" + "DO: later\n", "do it now"),
        ("README.md", "FIX" + "ME\n", "do it now"),
        ("a.cc", HEAD + "x" * 121 + "\n", "121 columns"),
        ("a.cc", HEAD + "int f(); \n", "white space"),
        ("a.cc", HEAD + "int f();", "no newline"),
        ("a.cc", HEAD + "\n" * 1000, "1001 lines"),
    ],
)
def test_fault_is_found(name: str, text: str, words: str) -> None:
    faults = check_text.faults_of(name, text)
    assert len(faults) == 1
    assert words in faults[0]
