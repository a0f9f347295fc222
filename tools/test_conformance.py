# SPDX-License-Identifier: Apache-2.0
"""The page of conformance is what the kept results give, and every known failure has its reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import conformance

LISTED = """# a remark

all test_a::test_one[x -> 0] -- the standard leaves it open
2024.12 test_a::test_two -- changed in 2025.12
"""


def test_the_page_is_what_the_results_give() -> None:
    text = conformance.PAGE.read_text(encoding="utf-8")
    results = json.loads(conformance.RESULTS.read_text(encoding="utf-8"))
    assert text == conformance.page(text, results, conformance.KNOWN.read_text(encoding="utf-8"))


def test_what_is_kept_is_what_is_listed() -> None:
    results = json.loads(conformance.RESULTS.read_text(encoding="utf-8"))
    assert results["suite"] == conformance.COMMIT
    assert tuple(results["versions"]) == conformance.VERSIONS
    for version, outcome in results["versions"].items():
        listed = conformance.known(conformance.KNOWN.read_text(encoding="utf-8"), version)
        assert conformance.disagreements(version, outcome["failures"], listed) == []
        assert len(outcome["failures"]) <= 10


def test_known_failures_are_read_by_version() -> None:
    both = {"test_a::test_one[x -> 0]": "the standard leaves it open", "test_a::test_two": "changed in 2025.12"}
    assert conformance.known(LISTED, "2024.12") == both
    assert list(conformance.known(LISTED, "2025.12")) == ["test_a::test_one[x -> 0]"]


@pytest.mark.parametrize("line", ["all test_a::test_one", "all test_a::test_one -- ", "2019.1 test_a -- b"])
def test_a_line_without_reason_or_version_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="VERSION TEST -- REASON"):
        conformance.known(line, "2025.12")


def test_new_and_mended_failures_are_both_told() -> None:
    assert conformance.disagreements("2025.12", ["a", "b"], {"b": "known", "c": "known"}) == [
        "2025.12: a failed and is not listed",
        "2025.12: c is listed and did not fail",
    ]


def test_a_report_of_the_suite_is_read(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(
        """<testsuites><testsuite><testcase classname="array_api_tests.test_a" name="test_one[1 &gt; 0]"/>
        <testcase classname="array_api_tests.test_a" name="test_two"><failure/></testcase>
        <testcase classname="array_api_tests.test_b" name="test_three"><skipped message="why"/></testcase>
        </testsuite></testsuites>"""
    )
    outcome = {"passed": 1, "failures": ["test_a::test_two"], "skips": {"test_b::test_three: why": 1}}
    assert conformance.read_report(report) == outcome
