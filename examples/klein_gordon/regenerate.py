# SPDX-License-Identifier: Apache-2.0
"""Freezes, validates, measures and reports the example anew: python regenerate.py [--tiny DIR] [--docs DIR]

--tiny works on tiny grids in a copy in DIR, to see that all of it runs; its figures mean nothing. --docs copies the
report and its pictures there.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
NAME = "klein_gordon"
TRIES = ("fused", "four_steps")
TINY_CASES = """\
seeds = [42, 43]
[[case]]
name = "plane"
[case.arguments]
n = 24
dimensions = 2
steps = 4
[[case]]
name = "volume"
[case.arguments]
n = 8
dimensions = 3
steps = 4
"""
TINY_SPEED = """\
quadruples = 10
quadruples_a_process = 20
least_seconds = 0.0
most_seconds = 3.0
"""


def lab(folder: Path, *words: str) -> None:
    """One command of the lab; its failure ends this program."""
    print("penstock lab", *words, flush=True)
    subprocess.run([sys.executable, "-m", "penstock", "lab", *words], cwd=folder, check=True)


def tiny(folder: Path) -> Path:
    """A copy of the example without results, with tiny grids."""
    place = folder / NAME
    unwanted = shutil.ignore_patterns("frozen", "results", "pictures", "report.*", "validation.json", "__pycache__")
    shutil.copytree(HERE, place, ignore=unwanted)
    project = place / "perf" / NAME
    (project / "cases.toml").write_text(TINY_CASES, encoding="utf-8")
    (project / "speed.toml").write_text(TINY_SPEED, encoding="utf-8")
    return place


def regenerate(folder: Path) -> Path:
    """Every step of the workflow; returns the project's folder."""
    project = folder / "perf" / NAME
    again = ["--again"] if (project / "frozen").is_dir() else []
    lab(folder, "baseline", NAME, *again)
    for each in TRIES:
        lab(folder, "validate", NAME, each)
        lab(folder, "bench", NAME, each)
    lab(folder, "report", NAME)
    return project


def publish(project: Path, folder: Path) -> None:
    """Copies the report and its pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    for each in ("report.md", "report.html"):
        shutil.copy2(project / each, folder / each)
    shutil.copytree(project / "pictures", folder / "pictures", dirs_exist_ok=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", metavar="DIR", type=Path, help="work on tiny grids in a copy in DIR")
    parser.add_argument("--docs", metavar="DIR", type=Path, help="copy the report and its pictures to DIR")
    arguments = parser.parse_args()
    try:
        project = regenerate(HERE if arguments.tiny is None else tiny(arguments.tiny))
    except subprocess.CalledProcessError as error:
        return int(error.returncode)
    if arguments.docs is not None:
        publish(project, arguments.docs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
