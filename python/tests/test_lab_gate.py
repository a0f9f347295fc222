# SPDX-License-Identifier: Apache-2.0
"""Benchmarks, reports, promotion and the gate, on times that are made up: no test depends on the machine's speed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lab_project import copied, made, tried

from penstock.lab import baseline, bench, check, instructions, pairs, promote, report, results, validate
from penstock.lab.errors import LabError
from penstock.lab.estimate import Estimate
from penstock.lab.layout import Try
from penstock.lab.pairs import Times

pytest_plugins = ["pytester"]


def times(ratio: float, n: int = 15, noise: float = 0.01) -> Callable[..., Times]:
    """A measurement that finds the try to take `ratio` of the baseline's time."""

    def measure(*_: Any, **__: Any) -> Times:
        rng = np.random.default_rng(5)
        plain = [(1e-3, 1e-3)] * n
        other = [(1e-3 * ratio * float(np.exp(noise * rng.normal())),) * 2 for _ in range(n)]
        return Times({bench.BASELINE: plain, bench.TRY: other})

    return measure


def brief(sides: Any, _: Any, most_seconds: float, **options: Any) -> Times:
    """A measurement, of as few quadruples as count."""
    return pairs.measure_until(sides, lambda _: True, most_seconds, **options)


def no_count(*_: Any, **__: Any) -> instructions.Counted:
    return instructions.Counted(None, "not available (not asked for)")


@pytest.fixture(scope="module")
def valid(tmp_path_factory: pytest.TempPathFactory) -> Try:
    project = made(tmp_path_factory.mktemp("valid"))
    baseline.freeze(project)
    found = tried(project)
    assert validate.validate(found)["passed"]
    return found


@pytest.fixture(scope="module")
def line(valid: Try, tmp_path_factory: pytest.TempPathFactory) -> results.Line:
    """A line of the results as a benchmark writes it."""
    found = copied(valid.project, tmp_path_factory.mktemp("line")).tried(valid.name)
    written: results.Line = bench.bench(found, measure=times(0.5))[0]
    return written


def add(one: Try, line: results.Line, ratio: float, **changes: Any) -> None:
    """Appends such a line with another ratio."""
    low, high = 0.99 * ratio, 1.01 * ratio
    found = {"ratio": ratio, "interval": [low, high], "verdict": "faster" if high < 1 else "slower", "n": 15}
    results.append(one.project.root, [{**line, **found, **changes}])


@pytest.fixture
def one(valid: Try, tmp_path: Path) -> Try:
    """A try that passed validation, which the test may change."""
    return copied(valid.project, tmp_path).tried(valid.name)


def test_a_benchmark_measures_both_sides_and_appends_a_line_a_case(one: Try) -> None:
    bench.bench(one, measure=brief)
    first = results.read(one.project.root)
    bench.bench(one, measure=times(0.5))
    lines = results.read(one.project.root)
    assert lines[:1] == first
    assert len(lines) == 2
    for line in lines:
        assert line["n"] >= 10
        assert line["interval"][0] <= line["ratio"] <= line["interval"][1]
        assert line["hashes"] == (validate.read(one) or {})["hashes"]
        assert set(line) >= {"identity", "target", "compiler", "commit", "median", "spread", "case_hash", "noisy"}
        assert line["usage"]["try"]["memory_peak"] > 0
    assert lines[1]["verdict"] == "faster"


def test_it_is_refused_without_a_validation_of_this_code(one: Try) -> None:
    one.implementation.write_text(one.implementation.read_text() + "# other\n")
    with pytest.raises(LabError, match="no longer what was validated"):
        bench.bench(one, measure=times(0.5))
    validate.validate(one)
    bench.bench(one, measure=times(0.5))
    one.validation.unlink()
    with pytest.raises(LabError, match="never validated"):
        bench.bench(one, measure=times(0.5))
    assert len(results.read(one.project.root)) == 1


def test_code_that_only_the_benchmark_loads_is_refused(one: Try) -> None:
    record = json.loads(one.validation.read_text())
    del record["code"]["files"]["sim"]
    one.validation.write_text(json.dumps(record))
    with pytest.raises(LabError, match=r"sim .* was not part of it"):
        bench.bench(one, measure=times(0.5))


def test_fewer_than_ten_quadruples_are_no_result(one: Try) -> None:
    with pytest.raises(LabError, match="9 quadruples in 4 s, expected at least 10"):
        bench.bench(one, measure=times(0.5, n=9))
    assert results.read(one.project.root) == []


def written(one: Try) -> str:
    paths = report.report(one.project)
    assert [each.name for each in paths] == ["report.md", "report.html"]
    return paths[0].read_text()


def test_a_report_shows_every_run_and_pictures(one: Try, line: results.Line) -> None:
    add(one, line, 0.5)
    add(one, line, 0.8)
    text = written(one)
    rows = [each for each in text.splitlines() if " | default | " in each and "n = 15" in each]
    assert sum("2x [" in each for each in rows) == 1
    assert sum("1.25x [" in each for each in rows) == 2  # the table of runs, and the latest in the summary
    html = (one.project.folder / "report.html").read_text()
    assert html.count("<figure>") == 2
    assert "http://" not in html.replace("http://www.w3.org/2000/svg", "")
    assert "Negative results" in text
    assert (one.folder / "report.md").is_file()


def test_percentiles_need_enough_samples(one: Try) -> None:
    bench.bench(one, measure=times(0.5, noise=0.0))
    assert "| default | try | 30, each one call | 500 \u00b5s | not enough | not enough |" in written(one)
    bench.bench(one, measure=times(0.5, n=50, noise=0.0))
    assert "| default | try | 100, each one call | 500 \u00b5s | 500 \u00b5s | not enough |" in written(one)


def test_no_figure_of_other_code_is_shown(one: Try, line: results.Line) -> None:
    add(one, line, 0.5)
    one.implementation.write_text(one.implementation.read_text() + "# other\n")
    text = written(one)
    assert "2x [" not in text
    assert "no longer what was validated" in text
    validate.validate(one)
    text = written(one)
    assert "2x [" not in text
    assert "Earlier results of other code, kept in the results but not shown as figures: 1" in text


def test_a_failed_try_and_a_slower_one_are_kept_as_negative_results(one: Try, line: results.Line) -> None:
    add(one, line, 1.5)
    wrong = tried(one.project, "def run(inputs):\n    return {'positions': [1.0], 'energies': [2.0]}\n", "wrong")
    validate.validate(wrong)
    text = written(one).partition("## Negative results")[2]
    assert "fast, case default: 0.66" in text
    assert "wrong: its validation failed" in text


def test_dropped_cases_and_moved_thresholds_are_listed(one: Try) -> None:
    project = one.project
    project.cases.write_text("seeds = [42]\n[[case]]\nname = 'small'\n[case.arguments]\nn = 10\n")
    project.physics.write_text("rtol = 0.1\n")
    baseline.freeze(project, again=True)
    text = written(one)
    assert "case default was dropped" in text
    assert "physics.toml was changed" in text


def test_a_line_of_too_few_runs_stops_the_report(one: Try, line: results.Line) -> None:
    add(one, line, 0.5, n=3)
    with pytest.raises(LabError, match="n is 3, expected at least 10"):
        report.report(one.project)


def test_the_gain_that_a_profile_allows_is_told_beside_the_measured_one(one: Try, line: results.Line) -> None:
    add(one, line, 0.5)
    folder = one.project.folder / "profile" / "2026-01-01"
    folder.mkdir(parents=True)
    row = {"file": "sim.py", "function": "run", "own": 0.2, "total": 0.4}
    (folder / "profile.json").write_text(json.dumps({"functions": [row], "lines": []}))
    one.notes.write_text("Replaces: `run`\n" + one.notes.read_text())
    assert "run took 40 % of the profile, so that without it at most 1.67x can be had (predicted)" in written(one)


def promoted(one: Try, line: results.Line, least: float = 1.5) -> promote.Gate:
    add(one, line, 0.5)
    return promote.read(promote.promote(one, least, count=no_count))


def test_a_profile_that_does_not_know_what_is_replaced_is_told(line: results.Line) -> None:
    shares = (("run", 0.3), ("run", 0.4), ("whole", 1.0))
    rows = {"functions": [{"function": name, "own": 0.0, "total": total} for name, total in shares]}
    (told,) = report.amdahl({"Replaces": "walk"}, rows, [{**line, "ratio": 0.5}])
    assert "the profile knows no function walk" in str(told)
    assert report.amdahl({}, None, [line]) == []
    (none,) = report.amdahl({}, rows, [line])
    assert "notes.md names nothing" in str(none)
    (whole,) = report.amdahl({"Replaces": "whole"}, rows, [{**line, "ratio": 0.5}])
    assert "sets no limit (predicted); measured: 2x" in str(whole)
    (more,) = report.amdahl({"Replaces": "run"}, rows, [{**line, "ratio": 0.25}])
    assert "measured: 4x" in str(more)
    assert "More than that was gained" in str(more)


def test_promotion_needs_an_interval_above_the_least(one: Try, line: results.Line) -> None:
    add(one, line, 0.5)
    with pytest.raises(LabError, match=r"the whole interval must lie above 2\.5x"):
        promote.promote(one, 2.5, count=no_count)
    with pytest.raises(LabError, match="no result of this code on this machine"):
        promote.promote(one, 1.5, identity="another", count=no_count)
    gate = promote.read(promote.promote(one, 1.5, count=no_count))
    assert gate.min_speedup == 1.5
    assert gate.ratios["default"].value == pytest.approx(0.5, rel=0.02)
    with pytest.raises(LabError, match="exists already"):
        promote.promote(one, 1.5, count=no_count)


def checked(gate: promote.Gate, one: Try, ratio: float, noise: float = 0.01, **options: Any) -> check.Outcome:
    def measure(*_: Any, **__: Any) -> bench.Measured:
        found = times(ratio, noise=noise)()
        return bench.Measured(bench.ratio_of(found), found, {}, {}, {}, {}, {}, {})

    return check.check(gate, one.project.root, measure=measure, **{"count": no_count, **options})


def test_the_gate_fails_only_on_what_is_certain(one: Try, line: results.Line, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = promoted(one, line)
    monkeypatch.setattr(check.validate, "validate", lambda found, **_: validate.read(found))
    assert checked(gate, one, 0.5).status == check.PASSED
    assert "below 1.5x for sure" in checked(gate, one, 0.9).texts[0]
    slower = checked(gate, one, 0.57)
    assert slower.status == check.FAILED
    last = results.read(one.project.root)[-1]
    assert (last["kind"], last["gate"], last["status"]) == ("check", "gravity-fast", "failed")
    assert last["ratio"] == pytest.approx(0.57, rel=0.02)
    assert "slower than when it was promoted" in slower.texts[0]
    with pytest.raises(LabError) as told:
        check.require(slower)
    assert told.value.exit_status == 5
    elsewhere = checked(gate, one, 0.57, identity="another")
    assert elsewhere.status == check.PASSED
    assert "promoted on another machine" in elsewhere.texts[0]
    assert checked(gate, one, 0.66, noise=0.5).status == check.UNDECIDED


def test_wrong_results_fail_the_gate_whatever_the_speed(one: Try, line: results.Line) -> None:
    gate = promoted(one, line)
    one.implementation.write_text("def run(inputs):\n    return {'positions': [1.0], 'energies': [2.0]}\n")
    outcome = checked(gate, one, 0.1)
    assert outcome.status == check.FAILED
    assert "no longer right" in outcome.texts[0]


def test_instructions_are_a_second_gate(one: Try, line: results.Line) -> None:
    add(one, line, 0.5)
    gate = promote.read(promote.promote(one, 1.5, instructed=True, count=lambda *_: instructions.Counted(1000)))
    outcome = check.Outcome(gate)
    found, case = check.settings(one.project), check.settings(one.project).cases[0]
    check._check_instructions(outcome, one, case, found, lambda *_: instructions.Counted(1040))
    assert outcome.status == check.PASSED
    check._check_instructions(outcome, one, case, found, lambda *_: instructions.Counted(1060))
    assert outcome.status == check.FAILED
    assert "+6.00 %" in outcome.texts[-1]
    assert checked(gate, one, 0.5, count=lambda *_: instructions.Counted(1060)).status == check.FAILED
    assert results.read(one.project.root)[-1]["status"] == "failed"


@pytest.mark.parametrize(
    ("now", "recorded", "status"),
    [
        (Estimate(0.5, 0.49, 0.51, 0.01, 15), Estimate(0.5, 0.49, 0.51, 0.01, 15), check.PASSED),
        (Estimate(0.53, 0.525, 0.535, 0.01, 15), Estimate(0.5, 0.499, 0.501, 0.01, 15), check.FAILED),
        (Estimate(0.52, 0.519, 0.521, 0.01, 15), Estimate(0.5, 0.499, 0.501, 0.01, 15), check.PASSED),
        (Estimate(0.52, 0.45, 0.6, 0.1, 15), Estimate(0.5, 0.499, 0.501, 0.01, 15), check.UNDECIDED),
        (Estimate(0.7, 0.68, 0.72, 0.01, 15), None, check.FAILED),
        (Estimate(0.7, 0.6, 0.72, 0.01, 15), None, check.UNDECIDED),
        (Estimate(0.4, 0.39, 0.41, 0.01, 15), Estimate(0.5, 0.49, 0.51, 0.01, 15), check.PASSED),
    ],
)
def test_what_a_ratio_means(now: Estimate, recorded: Estimate | None, status: str) -> None:
    gate = promote.Gate("p", "t", 1.5, 0.05, "here", {}, {}, "", Path("p-t.toml"))
    assert check.judged(now, recorded, gate)[0] == status


def test_pytest_collects_gates_only_with_its_option(
    one: Try, line: results.Line, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    promoted(one, line)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    arguments = ("-p", "penstock.lab.pytest_plugin", "-p", "no:cacheprovider", "--collect-only", "-q")
    places = (*arguments, str(one.project.root))
    assert "gravity-fast" not in pytester.runpytest_inprocess(*places).stdout.str()
    assert "gravity-fast" in pytester.runpytest_inprocess("--lab", *places).stdout.str()
