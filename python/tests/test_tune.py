# SPDX-License-Identifier: Apache-2.0
"""ps.tune() writes thresholds that later processes use, and only those of this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import penstock as ps
from penstock import _core, _tune

SHOW = (
    "import json, penstock as ps; from penstock import _core; print(json.dumps([ps.tuning(), _core.tuning_source()]))"
)


def shown(**environment: str) -> tuple[dict[str, int], list[str]]:
    """Thresholds and their source in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", SHOW], env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    values, source = json.loads(done.stdout)
    return values, source


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measures nothing: every second row gains."""
    monkeypatch.setattr(_tune, "_measured", lambda _: iter([("awake_copy", 123), ("stream_maths", 456)]))


@pytest.mark.usefixtures("quick")
def test_a_tuned_machine_uses_what_was_written(tmp_path: Path) -> None:
    path, before = tmp_path / "deep" / "tune.json", ps.tuning()
    try:
        found = ps.tune(path=path)
        assert found == ps.tuning() == {**_core.default_tuning(), "awake_copy": 123, "stream_maths": 456}
    finally:
        _tune._use(before)
    values, (source, note) = shown(PENSTOCK_TUNE=str(path))
    assert values == found
    assert (source, note) == ("file", "")
    assert os.listdir(path.parent) == ["tune.json"]


def test_the_file_lies_in_the_configuration_folder(tmp_path: Path) -> None:
    _, (source, _) = shown(XDG_CONFIG_HOME=str(tmp_path))
    assert source == "default"
    folder = tmp_path / "penstock"
    folder.mkdir()
    (folder / f"tune-{_core.machine_id()}.json").write_text(
        json.dumps({"machine": _core.machine_id(), "awake_copy": 77}), encoding="utf-8"
    )
    values, (source, _) = shown(XDG_CONFIG_HOME=str(tmp_path))
    assert source == "file"
    assert values == {**_core.default_tuning(), "awake_copy": 77}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "expected"),
        ('{"machine": "elsewhere", "awake_copy": 7}', "machine 'elsewhere'"),
        ("\x00\xff", "byte 0"),
    ],
)
def test_a_file_that_does_not_serve_is_named(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "tune.json"
    path.write_text(text, encoding="utf-8")
    values, (source, note) = shown(PENSTOCK_TUNE=str(path))
    assert values == _core.default_tuning()
    assert source == "default"
    assert str(path) in note
    assert why in note
    done = subprocess.run(
        [sys.executable, "-m", "penstock", "doctor", "--no-disk", "--json"],
        env={**os.environ, "PENSTOCK_TUNE": str(path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    (finding,) = [each for each in json.loads(done.stdout)["findings"] if each["check"] == "thresholds"]
    assert finding["status"] == "warning"
    assert finding["text"] == note


def test_seconds_and_folders_are_checked(tmp_path: Path) -> None:
    with pytest.raises(ps.errors.ArgumentError, match=r"seconds is 1.*\[5, 60\]"):
        ps.tune(1, tmp_path / "t.json")
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("kind", ["awake", "asleep", "stream"])
def test_a_threshold_lies_between_loss_and_gain(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    sizes = {"awake": _tune._AWAKE_SIZES, "asleep": _tune._ASLEEP_SIZES, "stream": _tune._STREAM_SIZES}[kind]
    for least in range(len(sizes) + 1):

        def gains(_k: str, _n: str, elements: int, *_: object, least: int = least) -> bool:
            return elements * 4 >= (sizes[least] if least < len(sizes) else 1 << 60)

        monkeypatch.setattr(_tune, "_gains", gains)
        found = _tune._threshold(kind, "copy", 4, lambda x: x, 0.0)
        assert found > sizes[least - 1] if least else found == sizes[0]
        assert least == len(sizes) or found <= sizes[least]


def test_measuring_leaves_the_thresholds_alone() -> None:
    before = ps.tuning()
    for kind in ("awake", "asleep", "stream"):
        _tune._gains(kind, "arithmetic", 1000, lambda x: x * x, 0.0)
    assert ps.tuning() == before
