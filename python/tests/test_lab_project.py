# SPDX-License-Identifier: Apache-2.0
"""New projects, freezes of baselines and validations: what is accepted, what is refused, and what is said."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from lab_project import SIM, again, copied, made, tried

from penstock.lab import baseline, layout, project, validate
from penstock.lab.arrays import apart, named
from penstock.lab.errors import LabError
from penstock.lab.layout import Project


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return made(tmp_path_factory.mktemp("bare"))


@pytest.fixture(scope="module")
def frozen(bare: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    found = copied(bare, tmp_path_factory.mktemp("frozen"))
    baseline.freeze(found)
    return found


def test_the_root_is_the_setting_or_perf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(layout.VARIABLE, raising=False)
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert layout.root(below) == below / "perf"
    (tmp_path / "pyproject.toml").write_text('[tool.penstock.lab]\nroot = "benchmarks"\n')
    assert layout.root(below) == tmp_path / "benchmarks"
    monkeypatch.setenv(layout.VARIABLE, "elsewhere")
    assert layout.root(below) == below / "elsewhere"


@pytest.mark.parametrize("name", ["results", "gates", "", ".hidden", "a/b", "-x"])
def test_a_project_has_a_name_that_can_be_a_folder(name: str) -> None:
    with pytest.raises(LabError, match="is no name for a project"):
        layout.checked_name(name)


def test_a_project_is_made_once(bare: Project, tmp_path: Path) -> None:
    found = copied(bare, tmp_path)
    before = found.baseline.read_text()
    with pytest.raises(LabError, match="exists already"):
        made(tmp_path)
    assert found.baseline.read_text() == before


@pytest.mark.parametrize(
    ("sim", "says"),
    [("import nowhere_to_be_found\n", "No module named 'nowhere_to_be_found'"), ("x = 1\n", "has no 'run'")],
)
def test_a_target_that_does_not_import_is_refused_with_the_reason(tmp_path: Path, sim: str, says: str) -> None:
    with pytest.raises(LabError, match=says):
        made(tmp_path, sim)
    assert not (tmp_path / "perf").exists()


def test_a_freeze_records_outputs_and_cost_and_stays(frozen: Project, tmp_path: Path) -> None:
    found = copied(frozen, tmp_path)
    place, record = baseline.latest(found)
    assert record["measured"]["default"]["n"] == 10
    assert record["measured"]["default"]["usage"]["memory_peak"] > 0
    assert record["gpu"]
    for when in ("before", "after"):
        assert bool(record["gpus"][when]["devices"]) != bool(record["gpus"][when]["missing"])
    arrays = baseline.arrays_of(place)
    assert set(arrays) == {f"default/{seed}/{name}" for seed in (42, 43, 44) for name in ("positions", "energies")}
    assert arrays["default/42/positions"].shape == (300,)
    with pytest.raises(LabError, match="was frozen already"):
        baseline.freeze(found)
    baseline.freeze(found, again=True)
    assert [each.name for each in found.freezes] == ["0001", "0002"]
    assert baseline.read(found.freezes[0])["at"] == record["at"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (
            "import numpy as np\ndef run(seed):\n    return np.random.default_rng().normal(size=4)\n",
            "not deterministic",
        ),
        ("import os\ndef run(seed):\n    return os.getpid()\n", "fresh process gives other outputs"),
        ("def run(seed):\n    return [1.0, float('nan')]\n", "'result' holds 1 NaN"),
        ("def run(seed):\n    return 'text'\n", "expected numbers"),
        ("def run(seed):\n    import os\n    os._exit(3)\n", "has ended: exit status 3"),
        ("def run(seed):\n    raise ValueError('no such orbit')\n", "no such orbit .*sim.py:2"),
    ],
)
def test_a_baseline_that_cannot_be_a_reference_is_told(bare: Project, tmp_path: Path, body: str, says: str) -> None:
    found = again(bare, tmp_path, body)
    with pytest.raises(LabError, match=says) as told:
        baseline.freeze(found)
    assert found.freezes == []
    if "deterministic" in says:
        assert "differ, by up to" in str(told.value)


def test_a_run_that_never_ends_is_stopped(bare: Project, tmp_path: Path) -> None:
    found = again(bare, tmp_path, "import time\ndef run(seed):\n    time.sleep(100)\n")
    found.speed.write_text("time_limit = 0.5\n")
    with pytest.raises(LabError, match=r"did not end within 0\.5 s"):
        baseline.freeze(found)


def test_the_same_outputs_pass_and_hashes_are_recorded(frozen: Project, tmp_path: Path) -> None:
    found = tried(copied(frozen, tmp_path))
    record = validate.validate(found)
    assert record["passed"], record["faults"]
    assert set(record["hashes"]) == {"implementation", "baseline", "outputs", "cases", "physics"}
    assert set(record["code"]["files"]) >= {"baseline", "implementation", "sim"}
    assert not any(Path(each["path"]).is_absolute() for each in record["code"]["files"].values())
    assert validate.standing(found)[1] == ""
    found.implementation.write_text(found.implementation.read_text() + "# other\n")
    assert "implementation" in validate.standing(found)[1]
    with pytest.raises(LabError, match="no longer what was validated"):
        validate.require(found)


BASE = "from baseline import run as plain\n\ndef run(inputs):\n    out = dict(plain(inputs))\n"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("out['positions'] = out['positions'] * (1 + 1e-4)", "beyond rtol 1e-05"),
        ("out['positions'] = out['positions'][:-1]", r"float64 \(299,\), expected float64 \(300,\)"),
        ("out['positions'] = out['positions'].astype('f4')", "float32"),
        ("out['positions'][3] = float('nan')", "holds 1 NaN"),
        ("del out['energies']", "lacks energies"),
        ("out['more'] = out['energies']", "has more beyond it"),
        ("raise RuntimeError('lost')", "lost"),
        ("inputs['n'] = inputs.get('n', 300) + 1", "second run on the same inputs"),
    ],
)
def test_other_results_fail(frozen: Project, tmp_path: Path, change: str, says: str) -> None:
    import re

    found = tried(copied(frozen, tmp_path), f"{BASE}    {change}\n    return out\n")
    record = validate.validate(found)
    assert not record["passed"]
    assert any(re.search(says, each) for each in record["faults"]), record["faults"]
    assert json.loads(found.validation.read_text())["passed"] is False


def test_close_results_pass_unless_bits_are_promised(bare: Project, tmp_path: Path) -> None:
    found = again(bare, tmp_path, SIM)
    found.physics.write_text("bit_identical = false\n[outputs.energies]\nbit_identical = true\n")
    baseline.freeze(found)
    near = tried(found, f"{BASE}    out['positions'] = out['positions'] * (1 + 1e-12)\n    return out\n", "near")
    assert validate.validate(near)["passed"]
    bits = tried(found, f"{BASE}    out['energies'] = out['energies'] * (1 + 1e-12)\n    return out\n", "bits")
    assert "not bit-identical" in validate.validate(bits)["faults"][0]


def test_an_invariant_of_the_baseline_holds_for_the_try(bare: Project, tmp_path: Path) -> None:
    found = again(bare, tmp_path, SIM)
    with found.baseline.open("a") as file:
        file.write("\n\ndef last(inputs, outputs):\n    return outputs['positions'][-1] - outputs['positions'].max()\n")
    found.physics.write_text("atol = 1e9\n[[invariant]]\nname = 'last'\nfunction = 'last'\nat_most = 1e3\n")
    baseline.freeze(found)
    far = tried(found, f"{BASE}    out['positions'][-1] = -1e6\n    return out\n")
    assert "last is -1e+06, at most 1000" in validate.validate(far)["faults"][0]


def test_thresholds_and_cases_cannot_change_under_a_freeze(frozen: Project, tmp_path: Path) -> None:
    found = copied(frozen, tmp_path)
    one = tried(found)
    found.physics.write_text("rtol = 1.0\n")
    with pytest.raises(LabError, match=r"physics\.toml has changed"):
        validate.validate(one)
    (tmp_path / "sim.py").write_text(SIM + "# other\n")
    with pytest.raises(LabError, match=r"sim .* has changed"):
        validate.validate(one)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("quadruples = 9\n", "expected at least 10"),
        ("quadrupels = 20\n", "unknown setting quadrupels"),
        ("threshold = true\n", "expected a float"),
        ("threshold = -1.0\n", "no negative"),
        ("threshold = \n", "Invalid"),
    ],
)
def test_settings_are_checked(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "speed.toml"
    path.write_text(text)
    with pytest.raises(LabError, match=says):
        project.read_speed(path)


def test_how_far_apart() -> None:
    a = np.array([1.0, 2.0, np.nan, np.inf, 0.0])
    assert apart(a, a.copy()).differing == 0
    gap = apart(a, np.array([1.0, 2.5, np.nan, np.inf, 0.0]), rtol=0.1, atol=0.05)
    assert (gap.absolute, gap.relative, gap.differing) == (0.5, 0.25, 1)
    assert gap.share == pytest.approx(2.0)
    assert apart(a, np.array([1.0, 2.0, 3.0, np.inf, 0.0]), 1.0, 1.0).share == np.inf
    assert apart(a, np.array([1.0, 2.0, np.nan, 4.0, 0.0]), 1.0, 1.0).share == np.inf
    assert apart(a, np.array([1.0, 2.0, np.nan, np.inf, -0.0])).differing == 1
    assert apart(np.array([3, 4]), np.array([3, 5])).absolute == 1


def test_outputs_are_named() -> None:
    assert list(named({"a": 1.0})) == ["a"]
    assert list(named((1, 2.0))) == ["0", "1"]
    assert list(named([1.0, 2.0])) == ["result"]
    with pytest.raises(TypeError, match="no output"):
        named({})
