# SPDX-License-Identifier: Apache-2.0
"""The closing line never looks better than what the runners reported."""

from __future__ import annotations

from pathlib import Path

import pytest

import run_tests

CASE = '<testcase name="t"/>'
FAILED = '<testcase name="t"><failure/></testcase>'
BROKEN = '<testcase name="t"><error/></testcase>'
SKIPPED = '<testcase name="t"><skipped/></testcase>'


@pytest.mark.parametrize(
    ("cases", "status", "line", "well"),
    [
        (CASE + CASE, 0, "2 passed, 0 failed", True),
        (CASE + FAILED, 8, "1 passed, 1 failed", False),
        (CASE + BROKEN, 1, "1 passed, 1 failed", False),
        (CASE + SKIPPED, 0, "1 passed, 0 failed", True),
        (CASE, 3, "1 passed, 1 failed", False),
        ("", 0, "0 passed, 1 failed", False),
        (SKIPPED, 0, "0 passed, 1 failed", False),
    ],
)
def test_report(tmp_path: Path, cases: str, status: int, line: str, well: bool) -> None:
    report = tmp_path / "report.xml"
    report.write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")
    tally = run_tests.read_report(run_tests.Tally("C++"), report, status)
    lines, outcome = run_tests.summary([tally])
    assert lines[-1] == line
    assert outcome is well


def test_missing_report_counts_as_a_failure(tmp_path: Path) -> None:
    tally = run_tests.read_report(run_tests.Tally("C++"), tmp_path / "none.xml", 0)
    assert run_tests.summary([tally])[0][-1] == "0 passed, 1 failed"
    assert "no report" in tally.broken
