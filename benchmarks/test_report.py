# SPDX-License-Identifier: Apache-2.0
"""The page and the chart are what the results give."""

from __future__ import annotations

import fnmatch
import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

import claims
import pictures
import report
import report_summary
from penstock.lab import roofline, svg_bars
from rows import ROWS


def comparison(peer: str, value: float | None = 4.125, **changed: Any) -> dict[str, Any]:
    low, high = (None, None) if value is None else (value * 0.9, value * 1.1)
    given = {"peer": peer, "unit": "x", "value": value, "low": low, "high": high, "spread": 0.034, "bar": 3.0}
    return {**given, "at_most": False, "verdict": "met", "note": "", **changed}


def line(row: str, *comparisons: dict[str, Any], **changed: Any) -> dict[str, Any]:
    on = {
        "machine": "Linux, a CPU", "cpus": 2, "memory": 24 << 30, "caches": [1, 2, 32 << 20], "huge_pages": "madvise",
        "target": "avx2", "compiler": "GCC: 12", "commit": "abc", "changed": False, "versions": {"numpy": "2.0"},
    }  # fmt: skip
    beside = {"load": [0.1], "others": 0.0, "steal": 0.0, "processes": [], "noisy": False}
    given: dict[str, Any] = {"claim": claims.of_row(row)}
    given |= {"row": row, "group": "Elementwise", "title": f"`{row}` < &", "when": "2030-01-02T03:04:05", "scale": 1}
    outcome = {"setup": "1e7 float32", "n": 15, "checked": "bits", "share_of_ceiling": 0.5, "ceiling": "copy"}
    return {**given, **outcome, "threads": 2, "comparisons": list(comparisons), "beside": beside, "on": on, **changed}


def test_the_page_and_the_chart_are_what_the_newest_results_give() -> None:
    lines = report.read(report.newest())
    hint = "run benchmarks/report.py"
    assert report.PAGE.read_text(encoding="utf-8") == report.page(report.PAGE.read_text(encoding="utf-8"), lines), hint
    texts = report.pictures(lines)
    assert {file: file.read_text(encoding="utf-8") for file in report.PICTURES.glob("performance-*.svg")} == texts, hint


def test_a_comparison_is_a_line_of_its_table() -> None:
    text = report.body(
        [line("a", comparison("numpy"), comparison("numexpr", None, verdict="refused", note="none | here"))]
    )
    assert "| `a` < & | numpy | 4.12x | 3.71 to 4.54 | 3.4% | >= 3.00 | met |" in text
    assert "| `a` < & | numexpr | - | - | 3.4% | >= 3.00 | refused: none / here |" in text
    assert "n = 15; checked: bits; 50% of the bytes a second of a copy" in text
    assert "Commit abc; measured 2030-01-02." in text
    assert "Nothing else of weight ran beside any row." in text


def test_units_and_bars_the_other_way_round() -> None:
    text = report.body([line("a", comparison("import numpy", 32.25, unit="ms more", bar=150.0, at_most=True))])
    assert "| 32.2 ms more | 29.0 to 35.5 | 0.03 | <= 150 | met |" in text


def test_a_disturbed_row_bears_a_star_and_says_by_what() -> None:
    beside = {"load": [3.0], "others": 0.5, "steal": 0.01, "processes": ["cc1plus 40 %"], "noisy": True}
    text = report.body([line("a", comparison("numpy"), beside=beside), line("b", comparison("numpy"))])
    assert "| `a` < & \\* | numpy |" in text
    assert "| `b` < & | numpy |" in text
    assert "others took 0.50 CPUs (cc1plus 40 %), the host 0.01" in text


def test_a_refused_row_says_why() -> None:
    text = report.body([line("a", comparison("numpy")), line("b", refused="no disk | at all")])
    assert "| `b` < & | | | | | | refused: no disk / at all |" in text


def test_small_sizes_are_said() -> None:
    assert "Sizes are 0.5 of those named." in report.body([line("a", comparison("numpy"), scale=0.5)])
    assert "Sizes" not in report.body([line("a", comparison("numpy"))])


def test_of_a_row_run_again_the_last_line_counts(tmp_path: Path) -> None:
    file = tmp_path / "r.jsonl"
    lines = [line("a", n=1), line("b", n=2), line("a", n=3), {"target": "no row of the benchmarks"}]
    file.write_text("".join(json.dumps(each) + "\n" for each in lines), encoding="utf-8")
    assert [(each["row"], each["n"]) for each in report.read(file)] == [("b", 2), ("a", 3)]
    assert report.read(tmp_path / "none.jsonl") == report.read(None) == []


def test_machines_are_kept_apart(tmp_path: Path) -> None:
    file = tmp_path / "r.jsonl"
    first = line("a", comparison("numpy", 2.0), n=1)
    other = line("a", comparison("numpy", 9.0), n=2, on={**first["on"], "machine": "Linux, another CPU"})
    again = line("b", comparison("numpy", 3.0), n=3)
    file.write_text("".join(json.dumps(each) + "\n" for each in (first, other, again)), encoding="utf-8")
    lines = report.read(file)
    assert [each["n"] for each in lines] == [1, 3, 2], "the machine measured last comes first"
    newest, _, rest = report.body(lines).partition("### On another machine\n")
    assert ["2.00x" in newest, "3.00x" in newest, "9.00x" in newest] == [True, True, False]
    assert ["another CPU" in rest, "#### Elementwise" in rest, "9.00x" in rest] == [True, True, True]
    assert report.pictures(lines) == report.pictures([first, again])


def test_the_newest_results_are_those_of_the_last_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    assert report.newest() is None
    for name in ("2030-01-02.jsonl", "2030-02-01.jsonl", "quick.jsonl"):
        (tmp_path / name).touch()
    found = report.newest()
    assert found is not None
    assert found.name == "2030-02-01.jsonl"


def test_only_what_lies_between_the_markers_changes() -> None:
    begin = report.BEGIN.format("report.py")
    text = f"head\n{begin}\nold\n{report.END}\ntail\n"
    made = report.page(text, [])
    assert made.startswith(f"head\n{begin}\n")
    assert made.endswith(f"{report.END}\ntail\n")
    assert "old" not in made
    assert report.page(made, []) == made
    with pytest.raises(ValueError, match="lacks the lines"):
        report.page("head\ntail\n", [])


def test_a_picture_has_a_bar_for_each_ratio_and_is_well_formed() -> None:
    other = comparison("import numpy", 30.0, unit="ms more")
    svg = pictures.ratios("A < B", [line("a", comparison("numpy"), comparison("old", 0.5, bar=None)), line("b", other)])
    root = ElementTree.fromstring(svg)
    bars = [each for each in root.iter("{http://www.w3.org/2000/svg}rect") if each.get("height") == str(svg_bars.THICK)]
    assert len(bars) == 2
    faster, slower = (float(each.get("x", 0)) for each in bars)
    assert faster > slower
    assert "a &lt; &amp; / numpy" in svg
    assert pictures.ratios("none", [line("b", other)]) == ""


def test_throughput_is_drawn_over_the_sizes_that_were_measured() -> None:
    medians = {"penstock, 10": 1e-6, "numpy, 10": 2e-6, "penstock, 1e7": 1e-2}
    swept = line("sweep-sum-float32-plain", medians=medians, scale=0.5)
    assert pictures.over(swept, "penstock") == [(10.0, 1e7), (5e6, 5e8)]
    assert pictures.over(swept, "numpy") == [(10.0, 5e6)]
    ElementTree.fromstring(pictures.over_size([swept]))
    assert pictures.over_size([line("a", comparison("numpy"))]) == ""


def test_a_roofline_is_drawn_where_it_was_measured() -> None:
    memories = [*(("read", level) for level in roofline.LEVELS), *((name, "DRAM") for name in roofline.STREAM)]
    rate = {"threads": 2, "bytes": 1, "unit": "B/s", "median": 1e10, "low": 1e10, "high": 1e10}
    loops = [*memories, *((name, "") for name in roofline.ARITHMETIC)]
    found = [{"name": name, "level": level, **rate} for name, level in loops]
    measured = line("roofline", parts=found)
    row = line("a", comparison("numpy"), bytes=12, operations=1, medians={"penstock": 1e-9, "numpy": 2e-9})
    svg = pictures.of_roofline([measured, row])
    ElementTree.fromstring(svg)
    assert "a, penstock" in svg
    assert "a, numpy" not in svg
    assert pictures.of_roofline([row]) == ""


def claimed(text: str, work: str) -> str:
    return next(each for each in text.splitlines() if each.startswith(f"| {work} |"))


def test_a_claim_is_as_good_as_the_worst_of_its_comparisons() -> None:
    old = comparison("numpy-1.24", 1.0, verdict="missed")
    good = [line("any-1e8", comparison("numpy"), old), line("all-1e8", comparison("numpy"))]
    work = "any/all over 1e8 bool"
    assert "| met | - |" in claimed(report.body(good), work)
    bad = comparison("numpy", 2.5, verdict="missed")
    assert "| missed | `all-1e8` < & / numpy 2.50x (>= 3.00, missed) |" in claimed(
        report.body([good[0], line("all-1e8", bad)]), work
    )
    assert "| refused | `all-1e8` < &: no |" in claimed(
        report.body([good[0], line("all-1e8", refused="no", comparisons=[])]), work
    )
    text = report.body([line("a", comparison("numpy")), line("any-1e8", comparison("numpy"), claim="other words")])
    assert "| not measured | not measured: any-1e8, all-1e8 |" in claimed(text, work)


def test_every_claim_is_about_rows_and_every_row_with_a_bar_of_the_engine_is_claimed() -> None:
    names = [row.name for row in ROWS]
    for claim in claims.CLAIMS:
        for pattern in claim.rows:
            assert any(fnmatch.fnmatchcase(name, pattern) for name in names), pattern
    assert (
        claims.of_row("add-10")
        == "10-element add, timed as `ps.evaluate(a + b)`: ≤ 1.0x NumPy's time; 1,000 elements ≤ 0.7x"
    )
    assert claims.of_row("save") == ""


def test_a_missed_bar_says_by_how_much_and_why() -> None:
    bad = line("a", comparison("numpy", 2.4, verdict="missed"), comparison("torch", 2.9, verdict="undecided"))
    text = report.body([bad], {"a": "a reason | of weight"})
    assert "| `a` < & | numpy | 2.40x | >= 3.00 | 20% | a reason / of weight |" in text
    assert "| `a` < & | torch | 2.90x | >= 3.00 |" not in text
    assert report_summary.NO_REASON in report.body([bad], {})


def test_rows_below_numpy_are_listed_with_their_sizes() -> None:
    swept = [comparison("numpy, 10", 0.5, bar=None, verdict=""), comparison("numpy, 1e3", 0.9, bar=None, verdict="")]
    timed = comparison("numpy", 2.0, unit="of its time", bar=1.0, at_most=True, verdict="missed")
    lines = [line("s", *swept, group=report_summary.WHOLE), line("t", timed), line("u", comparison("torch", 0.1))]
    text = report.body(lines, {})
    assert "| `s` < & | 0.50x at 10 | not looked into yet |" in text
    assert "| `t` < & | 0.50x | as above |" in text
    assert "2 of 3 comparisons |" in text
    assert "| `s` < & | **0.50x** | 0.90x |" in text


def test_what_has_no_picture_has_no_link_to_one() -> None:
    lines = [line("s", comparison("numpy", 2.0), group=group) for group in ("Method", "Elementwise")]
    assert "performance-elementwise.svg" in report.body(lines, {})
    assert "performance-method.svg" not in report.body(lines, {})


def test_reasons_are_about_rows() -> None:
    names = [row.name for row in ROWS]
    for key in report.reasons():
        assert fnmatch.filter(names, key), key


def test_a_name_goes_before_patterns() -> None:
    why = {"sum-*": "all sums", "sum-1e6": "this one\nsum"}
    assert report_summary.reason("sum-1e6", why) == "this one sum"
    assert report_summary.reason("sum-1e7", why) == "all sums"
    assert report_summary.reason("max-1e7", why) == report_summary.NO_REASON


def test_rows_are_shown_in_the_order_of_the_table(tmp_path: Path) -> None:
    names = [row.name for row in ROWS]
    file = tmp_path / "r.jsonl"
    file.write_text("".join(json.dumps(line(name)) + "\n" for name in ["gone", *reversed(names)]), encoding="utf-8")
    assert [each["row"] for each in report.read(file)] == [*names, "gone"]
