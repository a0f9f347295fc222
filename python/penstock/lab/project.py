# SPDX-License-Identifier: Apache-2.0
"""A project's own settings: its cases, when results are right (physics.toml) and how speed is measured (speed.toml).

The last two are separate files, each with a hash of its own: no tolerance changes in the same breath as a speed limit.
"""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from penstock.lab import code_hash
from penstock.lab.code_hash import file_hash, value_hash
from penstock.lab.errors import LabError
from penstock.lab.layout import Project, Try
from penstock.lab.process import PROJECT, Process

LEAST_QUADRUPLES = 10
LIMIT_FIX = "raise time_limit in speed.toml, or make the case smaller"


@dataclass(frozen=True)
class Case:
    """One input: the arguments that the baseline's `inputs` gets. Its hash changes with them."""

    name: str
    arguments: dict[str, Any]

    @property
    def hash(self) -> str:
        return value_hash({"name": self.name, "arguments": self.arguments})[:16]


@dataclass(frozen=True)
class Tolerance:
    """What an output may be away from the reference: atol + rtol * |reference|, or not by a bit."""

    rtol: float = 1e-5
    atol: float = 1e-8
    bit_identical: bool = False
    allow_nan: bool = False


@dataclass(frozen=True)
class Invariant:
    """A function of baseline.py, of (inputs, outputs), whose size may be `at_most`."""

    name: str
    function: str
    at_most: float


@dataclass(frozen=True)
class Physics:
    """When results are right."""

    default: Tolerance = field(default_factory=Tolerance)
    outputs: dict[str, Tolerance] = field(default_factory=dict)
    invariants: tuple[Invariant, ...] = ()

    def of(self, output: str) -> Tolerance:
        return self.outputs.get(output, self.default)


@dataclass(frozen=True)
class Speed:
    """How a benchmark is run, and from where on a slowdown is a regression."""

    quadruples: int = 15
    quadruples_a_process: int = 1
    least_seconds: float = 0.02
    most_seconds: float = 60.0
    time_limit: float = 600.0
    threshold: float = 0.05


@dataclass(frozen=True)
class Settings:
    """All of a project's settings."""

    cases: tuple[Case, ...]
    seeds: tuple[int, ...]
    physics: Physics
    speed: Speed
    hashes: dict[str, str]


def settings(project: Project) -> Settings:
    """Reads the three files. Raises LabError that names the file and what it expects."""
    data = _toml(project.cases)
    names = [str(each.get("name", "")) for each in _tables(data, "case", project.cases)]
    if not names or "" in names or len(set(names)) != len(names):
        raise LabError(f"{project.cases}: expected [[case]] tables, each with a name of its own; got {names}", 2)
    cases = tuple(Case(str(each["name"]), dict(each.get("arguments", {}))) for each in data["case"])
    seeds = data.get("seeds", [])
    if not seeds or not all(isinstance(each, int) for each in seeds) or len(set(seeds)) != len(seeds):
        raise LabError(f"{project.cases}: seeds is {seeds!r}, expected different whole numbers such as [42, 43, 44]", 2)
    hashes = {"cases": file_hash(project.cases), "physics": file_hash(project.physics)}
    return Settings(cases, tuple(seeds), read_physics(project.physics), read_speed(project.speed), hashes)


def read_physics(path: Path) -> Physics:
    """physics.toml: rtol, atol, bit_identical and allow_nan for all outputs, [outputs.NAME] for one, [[invariant]]."""
    data = _toml(path)
    parts = data.pop("outputs", {})
    invariants = tuple(_made(Invariant, each, f"{path}: [[invariant]]") for each in _tables(data, "invariant", path))
    data.pop("invariant", None)
    default = _made(Tolerance, data, str(path))
    single = {
        name: _made(Tolerance, {**asdict(default), **each}, f"{path}: [outputs.{name}]") for name, each in parts.items()
    }
    return Physics(default, single, invariants)


def read_speed(path: Path) -> Speed:
    """speed.toml. Raises LabError for fewer than ten quadruples."""
    speed: Speed = _made(Speed, _toml(path), str(path))
    if speed.quadruples < LEAST_QUADRUPLES:
        raise LabError(f"{path}: quadruples is {speed.quadruples}, expected at least {LEAST_QUADRUPLES}", 2)
    if speed.quadruples_a_process < 1:
        raise LabError(f"{path}: quadruples_a_process is {speed.quadruples_a_process}, expected at least 1", 2)
    return speed


def start(project: Project, tried: Try | None, limit: float) -> Process:
    """A fresh process that has imported the baseline or, with `tried`, the implementation."""
    what = f"{project.name}, baseline" if tried is None else f"{project.name}, {tried.name}"
    process = Process(PROJECT, what, limit=limit, fix=LIMIT_FIX)
    folders = [str(each) for each in (project.folder, Path.cwd(), project.base)]
    if tried is None:
        process.load(folders=folders, module="baseline")
    else:
        process.load(folders=[str(tried.folder), *folders], module="implementation")
    return process


def code(process: Process, project: Project) -> dict[str, Any]:
    """What a side has loaded so far, its files relative to the project's base."""
    return code_hash.relative(process.ask("code"), project.base)


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LabError(f"{path}: is missing; penstock lab new writes one", 2) from None
    except tomllib.TOMLDecodeError as error:
        raise LabError(f"{path}: {error}", 2) from None


def _tables(data: dict[str, Any], name: str, path: Path) -> list[dict[str, Any]]:
    found = data.get(name, [])
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise LabError(f"{path}: {name} is {found!r}, expected tables under [[{name}]]", 2)
    return found


def _made(kind: Any, fields: dict[str, Any], where: str) -> Any:
    """A record from a table; a key that it lacks or does not know, or a value of another type, is told."""
    known = kind.__dataclass_fields__
    if unknown := [name for name in fields if name not in known]:
        raise LabError(f"{where}: unknown setting {', '.join(unknown)}; the settings are {', '.join(known)}", 2)
    for name, value in fields.items():
        expected = {"float": (int, float), "int": (int,), "bool": (bool,), "str": (str,)}[known[name].type]
        if not isinstance(value, expected) or (isinstance(value, bool) and known[name].type != "bool"):
            raise LabError(f"{where}: {name} is {value!r}, expected a {known[name].type}", 2)
        if isinstance(value, (int, float)) and value < 0:
            raise LabError(f"{where}: {name} is {value!r}, expected no negative number", 2)
    try:
        return kind(**fields)
    except TypeError as error:
        raise LabError(f"{where}: {error}", 2) from None
