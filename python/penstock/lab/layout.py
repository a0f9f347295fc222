# SPDX-License-Identifier: Apache-2.0
"""Where the lab keeps what.

<root>/                        perf/, or the setting lab.root
  results/YYYY-MM-DD.jsonl     every measurement, appended
  gates/NAME-TRY.toml          what `penstock lab check` guards
  NAME/                        a project
    baseline.py                the reference, plain and runnable
    cases.toml                 what it is run on
    physics.toml               when results are right
    speed.toml                 how long to measure, when speed is a regression
    frozen/0001/               a freeze of the baseline; the latest counts, earlier ones stay
    report.md, report.html
    optimisations/TRY/         implementation.py, notes.md, validation.json, report.md
"""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from penstock.lab.errors import LabError

DEFAULT_ROOT = "perf"
VARIABLE = "PENSTOCK_LAB_ROOT"
# Names that the root's own folders have.
TAKEN = ("results", "gates")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def root(start: Path | None = None) -> Path:
    """The lab's root: PENSTOCK_LAB_ROOT, else [tool.penstock.lab] root of the nearest pyproject.toml above `start`
    (default: the current folder) relative to that file, else perf/ in `start`. It need not exist."""
    here = Path.cwd() if start is None else start.resolve()
    if named := os.environ.get(VARIABLE):
        return (here / named).resolve()
    for folder in (here, *here.parents):
        if (setting := _setting(folder / "pyproject.toml")) is not None:
            return (folder / setting).resolve()
    return here / DEFAULT_ROOT


def _setting(path: Path) -> str | None:
    """lab.root of a pyproject.toml; None where the file or the setting is missing."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        return None
    try:
        tool = tomllib.loads(text).get("tool", {})
    except tomllib.TOMLDecodeError as error:
        raise LabError(f"{path}: no TOML: {error}\n  the lab's root is its [tool.penstock.lab] root") from None
    found = tool.get("penstock", {}).get("lab", {}).get("root")
    if found is not None and not isinstance(found, str):
        raise LabError(f"{path}: [tool.penstock.lab] root is {found!r}, expected a folder's name such as 'perf'", 2)
    return found


def checked_name(name: str, what: str = "project") -> str:
    """`name` if it can be a folder's name. Raises LabError."""
    if not _NAME.fullmatch(name) or (what == "project" and name in TAKEN):
        expected = "letters, digits, '_' and '-', beginning with a letter or digit"
        raise LabError(f"'{name}' is no name for a {what}\n  expected {expected}, and none of {', '.join(TAKEN)}", 2)
    return name


@dataclass(frozen=True)
class Project:
    """The paths of one project; none of them need exist."""

    root: Path
    name: str

    @property
    def folder(self) -> Path:
        return self.root / self.name

    @property
    def base(self) -> Path:
        """What the root lies in; recorded paths are relative to it."""
        return self.root.parent

    @property
    def baseline(self) -> Path:
        return self.folder / "baseline.py"

    @property
    def cases(self) -> Path:
        return self.folder / "cases.toml"

    @property
    def physics(self) -> Path:
        return self.folder / "physics.toml"

    @property
    def speed(self) -> Path:
        return self.folder / "speed.toml"

    @property
    def freezes(self) -> list[Path]:
        """The freezes, earliest first. A folder without a record is an unfinished one and does not count."""
        found = (self.folder / "frozen").glob("[0-9][0-9][0-9][0-9]")
        return sorted(each for each in found if (each / "record.json").is_file())

    def tried(self, name: str) -> Try:
        return Try(self, checked_name(name, "try"))

    @property
    def tries(self) -> list[Try]:
        """Every try, by name."""
        found = sorted((self.folder / "optimisations").glob("*/implementation.py"))
        return [Try(self, each.parent.name) for each in found]


@dataclass(frozen=True)
class Try:
    """The paths of one optimisation of a project."""

    project: Project
    name: str

    @property
    def folder(self) -> Path:
        return self.project.folder / "optimisations" / self.name

    @property
    def implementation(self) -> Path:
        return self.folder / "implementation.py"

    @property
    def validation(self) -> Path:
        return self.folder / "validation.json"

    @property
    def notes(self) -> Path:
        return self.folder / "notes.md"


def existing_project(name: str, at: Path | None = None) -> Project:
    """The project of that name. Raises LabError with the names that there are."""
    place = at or root()
    project = Project(place, checked_name(name))
    if not project.baseline.is_file():
        there = sorted(each.parent.name for each in place.glob("*/baseline.py"))
        known = f"the projects are {', '.join(there)}" if there else "there is none yet"
        raise LabError(
            f"no project '{name}' in {place}\n  {known}; penstock lab new {name} --target 'module:function' makes it", 2
        )
    return project


def existing_try(project: Project, name: str) -> Try:
    """The try of that name. Raises LabError with the names that there are."""
    found = project.tried(name)
    if not found.implementation.is_file():
        there = [each.name for each in project.tries]
        known = f"the tries are {', '.join(there)}" if there else "there is none yet"
        raise LabError(
            f"no try '{name}' of {project.name}\n  {known}; penstock lab try {project.name} {name} makes it", 2
        )
    return found
