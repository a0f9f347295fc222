# SPDX-License-Identifier: Apache-2.0
"""A project's baseline as a target for the profiler: a function that takes no arguments."""

from __future__ import annotations

from pathlib import Path

from penstock.lab.layout import Project
from penstock.lab.project import settings

FUNCTION = "profiled:run"
TEXT = '''\
"""The first case of {name}, for `penstock lab profile`; made anew each time."""

import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(_HERE, ".."), os.path.join(_HERE, "..", "..", ".."), os.getcwd()]

import baseline

_INPUTS = baseline.inputs({arguments!r}, {seed!r})


def run():
    return baseline.run(_INPUTS)
'''


def write(project: Project) -> Path:
    """Writes profile/profiled.py, whose function FUNCTION runs the first case, and returns its folder."""
    found = settings(project)
    folder = project.folder / "profile"
    folder.mkdir(exist_ok=True)
    text = TEXT.format(name=project.name, arguments=found.cases[0].arguments, seed=found.seeds[0])
    (folder / "profiled.py").write_text(text, encoding="utf-8")
    return folder
