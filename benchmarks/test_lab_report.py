# SPDX-License-Identifier: Apache-2.0
"""The table about the lab is what its results give."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import lab_bars
import lab_report
import report


def line(bar: str, **changed: Any) -> dict[str, Any]:
    on = {"machine": "Linux, a CPU", "cpus": 2, "commit": "abc", "changed": True}
    given = {"bar": bar, "value": 0.125, "low": 0.1, "high": 0.15, "limit": 0.2, "at_most": True, "unit": "of it"}
    rest = {"n": 60, "verdict": "met", "when": "2030-01-02T03:04:05", "on": on, "beside": {"noisy": False}}
    return {**given, **rest, **changed}


def test_the_page_is_what_the_newest_results_give() -> None:
    text = lab_report.PAGE.read_text(encoding="utf-8")
    given = report.replaced(text, "lab_report.py", lab_report.body(lab_report.read(lab_report.newest())))
    assert text == given, "run benchmarks/lab_report.py"


def test_every_bar_has_a_title() -> None:
    assert set(lab_report.TITLES) == {*lab_bars.BARS, "ceilings"}


def test_bars_are_lines_of_the_table() -> None:
    p95, lasted = {"lab": 0.005, "compare.py": 0.04}, {"lab": 10.4, "compare.py": 17.4}
    text = lab_report.body(
        [line("aa", facts={"p95": p95, "seconds": lasted}), line("usage", unit="seconds", beside={"noisy": True})]
    )
    assert "| 12.5% | 10.0% to 15.0% | 60 | <= 20.0% | met |" in text
    assert "them \\* | 125 ms | 100 ms to 150 ms | 60 | <= 200 ms | met |" in text
    assert "0.50% here, 4.00% of `compare.py`; a run took 10.4 s and 17.4 s." in text
    assert "Commit abc with changes; measured 2030-01-02." in text
    assert text.endswith("\\* Measured while others used the machine.\n")
    assert "refused: no compiler" in lab_report.body([line("aa", refused="no compiler")])


def test_the_last_line_of_a_bar_counts(tmp_path: Path) -> None:
    file = tmp_path / "lab.jsonl"
    lines = [line("usage", n=1), line("aa"), line("usage", n=2)]
    file.write_text("".join(json.dumps(each) + "\n" for each in lines), encoding="utf-8")
    assert [(each["bar"], each["n"]) for each in lab_report.read(file)] == [("aa", 60), ("usage", 2)]
    assert lab_report.body(lab_report.read(None)).startswith("There are no results yet")
