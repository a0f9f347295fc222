# SPDX-License-Identifier: Apache-2.0
"""A gallery larger than the memory it is given: statistics of 911 photographs in one pass, against NumPy.

    python examples/demo.py                     the photographs of Debian's package mate-backgrounds
    python examples/demo.py ~/Pictures          any folder of images of at least 1024 x 768
    python examples/demo.py crops.npy           any array of pictures: (N, height, width, 3), uint8

Cuts overlapping crops into one .npy file of 2 GiB, sets a memory budget of an eighth of that, and asks for the mean
picture, each channel's mean and std, each crop's mean luminance and contrast, and the histogram of luminance. The same
is calculated with NumPy over a memory-mapped file, in blocks. Each side runs twice, each time in its own process, in
the order Penstock, NumPy, NumPy, Penstock. The results are compared, then drawn into demo-data/pictures.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PHOTOGRAPHS = "/usr/share/backgrounds/mate/nature"
CROPS = 911  # the fewest of 768 x 1024 x 3 bytes that make 2 GiB
SMALLEST_BUDGET = 128 << 20
SIDES = ("penstock", "numpy")
ORDER = ("penstock", "numpy", "numpy", "penstock")


def main() -> int:
    arguments = read_arguments()
    complain_if_missing()
    folder = Path(arguments.data)
    folder.mkdir(parents=True, exist_ok=True)
    pictures = photographs(arguments, folder)
    size = pictures.stat().st_size
    budget = max(size // 8, SMALLEST_BUDGET)
    print(f"{pictures}: {size / 2**30:.2f} GiB; memory budget for Penstock {budget / 2**20:.0f} MiB")
    runs = [run_side(side, pictures, folder / f"{side}.npz", budget) for side in ORDER]
    good = show_checks(folder)
    show_table(runs, size)
    draw(pictures, folder)
    return 0 if good else 1


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?", default=PHOTOGRAPHS, help="a folder of images, or a .npy file of pictures")
    parser.add_argument("--data", default="demo-data", help="where the crops and pictures go; default: demo-data")
    parser.add_argument("--crops", type=int, default=CROPS, help=f"number of crops to cut; default: {CROPS}")
    return parser.parse_args()


def complain_if_missing() -> None:
    """Says what to install before any work is done."""
    for module, line in (
        ("penstock", "make build, then .venv/bin/python examples/demo.py"),
        ("numpy", "python -m pip install numpy"),
        ("PIL", "python -m pip install pillow"),
    ):
        if importlib.util.find_spec(module) is None:
            sys.exit(f"demo: the Python package {module} is missing; install it with\n  {line}")


def photographs(arguments: argparse.Namespace, folder: Path) -> Path:
    """The file of pictures: the one named, or crops of the images in the folder, kept for the next run."""
    source = Path(arguments.source)
    if source.suffix == ".npy":
        if not source.is_file():
            sys.exit(f"demo: {source} is no file")
        return source
    if not source.is_dir():
        hint = "\n  sudo apt install mate-backgrounds" if arguments.source == PHOTOGRAPHS else ""
        sys.exit(f"demo: {source} is no folder of images{hint}")
    target = folder / "photographs.npy"
    script(["demo_photographs.py", str(source), str(target), str(arguments.crops)])
    return target


def script(arguments: list[str]) -> None:
    """Runs a script of this folder; its messages are its own."""
    done = subprocess.run([sys.executable, str(HERE / arguments[0]), *arguments[1:]], check=False)
    if done.returncode != 0:
        sys.exit(done.returncode)


def run_side(side: str, pictures: Path, result: Path, budget: int) -> dict[str, Any]:
    """One run of one side in its own process, its anonymous memory watched from here."""
    command = [sys.executable, str(HERE / "demo_sides.py"), side, str(pictures), str(result), str(budget)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        peak = 0
        while process.poll() is None:
            peak = max(peak, anonymous_memory(process.pid))
            time.sleep(0.005)
        assert process.stdout is not None
        output = process.stdout.read()
    if process.returncode != 0:
        sys.exit(f"demo: the calculation with {side} failed with status {process.returncode}")
    facts: dict[str, Any] = json.loads(output)
    print(f"  {side:<9} {facts['seconds']:6.2f} s", flush=True)
    return {"side": side, "peak": peak, **facts}


def anonymous_memory(pid: int) -> int:
    """RssAnon of a process, in bytes: what it holds besides files that the system may drop at any time."""
    try:
        rows = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return 0
    return next((int(row.split()[1]) << 10 for row in rows if row.startswith("RssAnon:")), 0)


def show_checks(folder: Path) -> bool:
    """Compares the two sides' results and tells each difference with what is allowed."""
    import numpy as np

    # float32 sums of 786,432 values in a tree: 20 levels on each side, each rounding by 2**-24 at most.
    narrow = 2 * 20 * 2.0**-24
    allowed = {
        "mean picture": 1e-12,
        "channel mean": 1e-12,
        "channel std": 1e-12,
        "luminance mean": narrow,
        "luminance contrast": 2 * narrow,
        "luminance histogram": 0.0,
    }
    ours, theirs = (np.load(folder / f"{side}.npz") for side in SIDES)
    good = True
    print("\nresults, Penstock against NumPy")
    for name, limit in allowed.items():
        key = name.replace(" ", "_")
        a, b = ours[key].astype(np.float64), theirs[key].astype(np.float64)
        worst = float(np.max(np.abs(a - b) / np.maximum(np.abs(b), 1.0))) if a.shape == b.shape else math.inf
        fine = worst <= limit
        good = good and fine
        verdict = "ok" if fine else "WRONG"
        print(f"  {name:<20} {a.shape!s:<16} largest relative difference {worst:.1e}, allowed {limit:.1e}: {verdict}")
    return good


def show_table(runs: list[dict[str, Any]], size: int) -> None:
    """Time, speed and memory of both sides, and the ratio of one interleaved quadruple."""
    seconds = {side: [run["seconds"] for run in runs if run["side"] == side] for side in SIDES}
    typical = {side: math.sqrt(math.prod(each)) for side, each in seconds.items()}
    peak = {side: max(run["peak"] for run in runs if run["side"] == side) for side in SIDES}
    before = {side: max(run["before"] for run in runs if run["side"] == side) for side in SIDES}
    passes = next(run["passes"] for run in runs if run["side"] == "penstock")
    rows = [("time", {side: f"{value:.2f} s" for side, value in typical.items()})]
    rows.append(("speed", {side: f"{size / value / 1e9:.2f} GB/s" for side, value in typical.items()}))
    rows.append(("peak memory (RssAnon)", {side: f"{value / 2**20:.0f} MiB" for side, value in peak.items()}))
    above = {side: f"{max(0, peak[side] - before[side]) / 2**20:.0f} MiB" for side in SIDES}
    rows.append(("  of that above start", above))
    rows.append(("passes over the file", {"penstock": str(passes), "numpy": "1, in blocks of 64"}))
    print(f"\n{'':<24}{'Penstock':>14}{'NumPy':>22}")
    for name, values in rows:
        print(f"{name:<24}{values['penstock']:>14}{values['numpy']:>22}")
    ratio = typical["numpy"] / typical["penstock"]
    print(f"\nratio {ratio:.1f}x, from one quadruple (Penstock, NumPy, NumPy, Penstock), the file in the page cache:")
    print("indicative; the proof lives in benchmarks/\n")


def draw(pictures: Path, folder: Path) -> None:
    target = folder / "pictures"
    target.mkdir(exist_ok=True)
    script(["demo_pictures.py", str(folder / "penstock.npz"), str(pictures), str(target)])


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        os.write(2, b"\ndemo: interrupted\n")
        sys.exit(130)
