# SPDX-License-Identifier: Apache-2.0
"""A small project of the lab, for its tests."""

from __future__ import annotations

import shutil
from pathlib import Path

from penstock.lab import layout, scaffold
from penstock.lab.layout import Project, Try

SIM = """\
import numpy as np


def run(seed, n=300):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return {"positions": np.cumsum(x), "energies": np.array([float(np.sum(x * x))])}
"""

FAST = """\
import numpy as np
from baseline import run as plain


def run(inputs):
    return dict(plain(inputs))
"""

SPEED = """\
quadruples = 10
quadruples_a_process = 100
least_seconds = 0.0
most_seconds = 4.0
time_limit = 20.0
"""


def made(folder: Path, sim: str = SIM, name: str = "gravity") -> Project:
    """A new project on `sim`, in `folder`/perf; sim.py lies beside it and is found from there."""
    (folder / "sim.py").write_text(sim, encoding="utf-8")
    project = Project(folder / "perf", layout.checked_name(name))
    scaffold.new(project, "sim:run", 42)
    project.speed.write_text(SPEED, encoding="utf-8")
    return project


def again(project: Project, folder: Path, sim: str) -> Project:
    """A copy of a project that was never frozen, with another target of the same name."""
    found = copied(project, folder)
    (folder / "sim.py").write_text(sim, encoding="utf-8")
    return found


def tried(project: Project, text: str = FAST, name: str = "fast") -> Try:
    """A try whose implementation is `text`."""
    found = project.tried(name)
    scaffold.new_try(found)
    found.implementation.write_text(text, encoding="utf-8")
    return found


def copied(project: Project, folder: Path) -> Project:
    """The same project elsewhere, so that a test may change it."""
    shutil.copytree(project.base, folder, dirs_exist_ok=True)
    return Project(folder / project.root.name, project.name)
