# SPDX-License-Identifier: Apache-2.0
"""The demo on small inputs: it runs to its end, checks itself, and says what is missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from command import environment

Image = pytest.importorskip("PIL.Image")
DEMO = Path(__file__).resolve().parents[2] / "examples" / "demo.py"


def run_demo(cwd: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(DEMO), *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=environment(), capture_output=True, text=True, timeout=300, check=False)


def photograph(seed: int, width: int, height: int) -> object:
    """A smooth picture with some noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    colours = [128 + 100 * np.sin(x / (50 + 20 * each) + seed) * np.cos(y / 70) for each in range(3)]
    noise = rng.integers(-20, 20, (height, width, 3))
    return Image.fromarray(np.clip(np.stack(colours, axis=-1) + noise, 0, 255).astype(np.uint8))


def test_a_folder_of_images_is_cut_measured_compared_and_drawn(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    for seed, size in enumerate([(1100, 800), (1024, 768), (500, 400)]):
        photograph(seed, *size).save(folder / f"{seed}.png")  # type: ignore[attr-defined]
    (folder / "notes.txt").write_text("no image")
    done = run_demo(tmp_path, folder, "--crops", "7")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WRONG" not in done.stdout
    assert done.stdout.count(": ok") == 6
    assert "cutting 7 crops" in done.stdout
    crops = np.load(tmp_path / "demo-data" / "photographs.npy", mmap_mode="r")
    assert crops.shape == (7, 768, 1024, 3)
    with Image.open(folder / "0.png") as image:
        first = np.asarray(image)
    np.testing.assert_array_equal(crops[0], first[:768, :1024])
    for name in ("mean", "histogram", "contrast"):
        with Image.open(tmp_path / "demo-data" / "pictures" / f"{name}.png") as drawn:
            assert drawn.size[0] > 100
    again = run_demo(tmp_path, folder, "--crops", "7")
    assert again.returncode == 0
    assert "cutting" not in again.stdout  # the file of the first run is kept


def test_an_array_of_pictures(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    np.save(tmp_path / "p.npy", rng.integers(0, 256, (70, 48, 64, 3), dtype=np.uint8))
    done = run_demo(tmp_path, "p.npy")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(": ok") == 6


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("nowhere", "no folder"),
        ("missing.npy", "no file"),
        ("empty", "no image of at least"),
        ("grey.npy", "uint8 (N,"),
    ],
)
def test_what_is_missing_is_said(tmp_path: Path, source: str, says: str) -> None:
    (tmp_path / "empty").mkdir()
    np.save(tmp_path / "grey.npy", np.zeros((3, 4), np.uint8))
    done = run_demo(tmp_path, source)
    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr
