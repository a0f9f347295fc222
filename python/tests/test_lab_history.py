# SPDX-License-Identifier: Apache-2.0
"""Change points and histories."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from penstock.lab import history_picture, results, svg_dates
from penstock.lab.blocks import Picture
from penstock.lab.change_points import change_points
from penstock.lab.errors import LabError
from penstock.lab.history import history


def series(*levels: tuple[int, float], noise: float = 0.02, seed: int = 3) -> list[float]:
    rng = np.random.default_rng(seed)
    return [level + noise * float(rng.normal()) for count, level in levels for _ in range(count)]


def test_a_step_is_found_where_it_is() -> None:
    found = change_points(series((12, 0.0), (10, 0.1)))
    assert [each.at for each in found] == [12]
    assert found[0].after - found[0].before == pytest.approx(0.1, abs=0.03)
    assert found[0].p <= 0.01


def test_two_steps_are_both_found() -> None:
    assert [each.at for each in change_points(series((10, 0.0), (10, 0.2), (12, -0.1)))] == [10, 20]


def test_noise_alone_is_no_change() -> None:
    found = [bool(change_points(series((20, 0.0), seed=seed))) for seed in range(100)]
    assert sum(found) <= 4  # one in a hundred is expected


def test_one_wild_run_is_no_change() -> None:
    values = series((20, 0.0))
    values[9] = 5.0
    assert change_points(values) == []
    assert change_points([1.0, 1.0, 1.0, 1.0, 1.0, 1.0]) == []
    assert change_points([1.0, 9.0]) == []
    with pytest.raises(ValueError, match="not finite"):
        change_points([1.0, float("nan")])


def line(place: int, ratio: float, identity: str = "here") -> results.Line:
    return {
        "kind": "try",
        "row": "gravity/fast/default",
        "at": f"2026-01-{place + 1:02}T00:00:00+00:00",
        "commit": f"c{place}",
        "ratio": ratio,
        "identity": identity,
    }


def test_a_case_that_changed_is_another_series() -> None:
    before = [{**line(place, 0.5), "case_hash": "a"} for place in range(6)]
    after = [{**line(place + 6, 0.9), "case_hash": "b"} for place in range(6)]
    found, _ = history([*before, *after], "here")
    assert [(len(each.values), each.changes) for each in found] == [(6, []), (6, [])]
    names = [part.name for part in history_picture.document(found, {}) if isinstance(part, Picture)]
    assert len(set(names)) == 2


def test_a_history_is_of_one_machine() -> None:
    values = [0.5 * np.exp(each) for each in series((12, 0.0), (10, 0.1))]
    lines = [line(place, float(value)) for place, value in enumerate(values)]
    elsewhere = [line(place, 3.0, "there") for place in range(5)]
    found, others = history([*elsewhere, *lines], "here")
    assert others == {"there": 5}
    assert [len(each.values) for each in found] == [22]
    assert "at 2026-01-13" in found[0].text()
    assert "commit c12" in found[0].text()


def stepped() -> list[results.Line]:
    values = [0.5 * float(np.exp(each)) for each in series((12, 0.0), (10, 0.1))]
    return [{**line(place, value), "interval": [0.97 * value, 1.03 * value]} for place, value in enumerate(values)]


def test_a_history_is_drawn_with_intervals_levels_and_where_it_changed(tmp_path: Path) -> None:
    found, others = history([*stepped(), line(0, 3.0, "there")], "here")
    drawn = history_picture.draw(found[0])
    assert drawn.count("<circle") == 22
    assert drawn.count("h8M") == 22, "whiskers"
    assert drawn.count("<polyline") == 2, "levels"
    moved = 100 * (np.exp(found[0].changes[0].after - found[0].changes[0].before) - 1)
    assert f"{moved:+.1f} %" in drawn
    assert "2026-01-0" in drawn, "dates"
    files = history_picture.write(tmp_path, found, others)
    assert {each.name for each in files} == {"history.md", "history.html"}
    assert "1 results of another machine (there)" in files[0].read_text()
    assert files[1].read_text().count("<figure>") == 1


def test_checks_are_part_of_the_history() -> None:
    lines = [{**each, "kind": "check" if place % 2 else "try"} for place, each in enumerate(stepped())]
    (found,), _ = history(lines, "here")
    assert len(found.values) == 22
    assert found.lows[3] == pytest.approx(0.97 * found.values[3])


def test_what_few_results_cannot_show_is_told() -> None:
    (found,), _ = history([line(0, 0.5)], "here")
    assert "1 result, too few to see a change (6 are needed)" in found.text()


def test_ticks_of_time_are_round() -> None:
    start = svg_dates.seconds("2026-03-04T05:17:00+00:00")
    for length, first in ((600.0, "03-04 05:20"), (5 * 3600.0, "03-04 06:00"), (9 * 86400.0, "2026-03-06")):
        ticks = svg_dates.ticks(start, start + length)
        assert 2 <= len(ticks) <= svg_dates.MOST + 1
        assert svg_dates.text(ticks[0], svg_dates.step(start, start + length)) == first


def test_records_are_replaced_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "record.json"
    results.write_record(path, {"a": 1})

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", full)
        with pytest.raises(OSError, match="No space"):
            results.write_record(path, {"a": 2})
    assert json.loads(path.read_text(encoding="utf-8")) == {"a": 1}
    results.write_record(path, {"a": 3})
    assert [each.name for each in tmp_path.iterdir()] == ["record.json"]
    assert json.loads(path.read_text(encoding="utf-8")) == {"a": 3}


def test_results_are_appended(tmp_path: Path) -> None:
    day = datetime(2026, 3, 4, tzinfo=UTC)
    path = results.append(tmp_path, [{"row": "a"}], now=day)
    results.append(tmp_path, [{"row": "b"}], now=day)
    assert path == tmp_path / "results" / "2026-03-04.jsonl"
    assert [each["row"] for each in results.read(tmp_path)] == ["a", "b"]
    path.write_text(path.read_text() + "{cut")
    with pytest.raises(LabError, match=r"2026-03-04\.jsonl:3: no JSON"):
        results.read(tmp_path)
