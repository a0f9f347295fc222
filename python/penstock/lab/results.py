# SPDX-License-Identifier: Apache-2.0
"""The lab's results: JSON lines under <root>/results, one file a day, appended and never rewritten; and its records."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from penstock.lab.errors import LabError

Line = dict[str, Any]


def append(root: Path, lines: Iterable[Line], *, now: datetime | None = None) -> Path:
    """Appends lines to today's file (UTC) in one write, and returns its path."""
    at = now or datetime.now(UTC)
    path = root / "results" / f"{at:%Y-%m-%d}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(each) + "\n" for each in lines)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    with open(descriptor, "a", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return path


def write_record(path: Path, record: Line) -> None:
    """Writes a record as JSON, whole or not at all; one that exists is replaced."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def read(root: Path) -> list[Line]:
    """Every line of every day, earliest first. Raises LabError that names a line that is no JSON object."""
    found = []
    for path in sorted((root / "results").glob("[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9].jsonl")):
        for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            try:
                line = json.loads(text)
            except json.JSONDecodeError as error:
                raise LabError(f"{path}:{number}: no JSON: {error}\n  results are appended, never edited") from None
            if not isinstance(line, dict):
                raise LabError(f"{path}:{number}: expected an object, got {type(line).__name__}")
            found.append(line)
    return found


def of_try(lines: Iterable[Line], project: str, tried: str) -> list[Line]:
    """The benchmark lines of one try."""
    return [each for each in lines if each.get("kind") == "try" and (each["project"], each["try"]) == (project, tried)]


def of_machine(lines: Iterable[Line], identity: str) -> tuple[list[Line], list[Line]]:
    """The lines of this machine, and those of others, which are never compared with them."""
    mine: list[Line] = []
    others: list[Line] = []
    for each in lines:
        (mine if identity_of(each) == identity else others).append(each)
    return mine, others


def identity_of(line: Line) -> str:
    """What machine a line was measured on; computed for lines that only hold its record."""
    if "identity" in line:
        return str(line["identity"])
    from penstock.lab.machine import identity

    try:
        return identity(line["on"])
    except (KeyError, TypeError):
        return "unknown"
