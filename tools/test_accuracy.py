# SPDX-License-Identifier: Apache-2.0
"""The page of errors is what the kept results give, and these keep to the stated bounds."""

from __future__ import annotations

import json
from pathlib import Path

import accuracy


def test_the_page_is_what_the_results_give() -> None:
    text = accuracy.PAGE.read_text(encoding="utf-8")
    assert text == accuracy.page(text, json.loads(accuracy.RESULTS.read_text()))


def test_every_function_is_measured_and_within_its_bound() -> None:
    errors = json.loads(accuracy.RESULTS.read_text())["errors"]
    assert errors.keys() == accuracy.bounds().keys()
    for name, stated in accuracy.bounds().items():
        for dtype, bound in stated.items():
            assert 0 <= max(errors[name][dtype].values()) <= bound, (name, dtype)


def test_a_report_of_the_tests_is_read(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(
        """<testsuites><testsuite name="Table/Maths">
        <testcase name="Float32WithinBound/exp"><properties><property name="avx2" value="0.81234"/>
        <property name="sse4" value="0.9"/></properties></testcase>
        <testcase name="Float64WithinBound/exp"><properties><property name="avx2" value="0.5"/></properties></testcase>
        <testcase name="Float64SpecialValues/exp"/></testsuite></testsuites>"""
    )
    assert accuracy.found(report) == {"exp": {"float32": {"avx2": 0.812, "sse4": 0.9}, "float64": {"avx2": 0.5}}}
