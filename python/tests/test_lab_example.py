# SPDX-License-Identifier: Apache-2.0
"""The Klein-Gordon example on tiny grids: the whole workflow runs, and its physics holds."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import environment

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "klein_gordon"


@pytest.fixture(scope="module")
def field() -> Any:
    found = importlib.util.spec_from_file_location("klein_gordon", EXAMPLE / "klein_gordon.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_the_energy_is_kept(field: Any, dimensions: int) -> None:
    u, p = field.start(12, dimensions, 42)
    before = field.energy(u, p)
    for _ in range(200):
        u, p = field.step(u, p), u
    assert field.energy(u, p) == pytest.approx(before, rel=1e-12)


def test_a_mode_of_the_grid_keeps_its_frequency(field: Any) -> None:
    n, k = 32, 3
    dt = field.time_step(1)
    omega = 2 / dt * np.arcsin(dt / 2 * np.sqrt(4 * np.sin(np.pi * k / n) ** 2 + field.CHI**2))
    mode = np.cos(2 * np.pi * k * np.arange(n) / n)
    u, p = mode, mode * np.cos(omega * dt)
    for _ in range(500):
        u, p = field.step(u, p), u
    np.testing.assert_allclose(u, mode * np.cos(500 * omega * dt), rtol=0, atol=1e-11)


def test_the_whole_workflow_on_tiny_grids(tmp_path: Path) -> None:
    command = [
        sys.executable,
        str(EXAMPLE / "regenerate.py"),
        "--tiny",
        str(tmp_path),
        "--docs",
        str(tmp_path / "docs"),
    ]
    done = subprocess.run(
        command, env=environment(), cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    text = (tmp_path / "docs" / "report.md").read_text()
    for name in ("fused", "four_steps"):
        assert f"## Try: {name}" in text
        assert (tmp_path / "docs" / "pictures" / f"{name}-runs.svg").is_file()
    assert text.count("Passed: 2 cases, 2 seeds") == 2
    assert str(tmp_path) not in text
