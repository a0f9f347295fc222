# SPDX-License-Identifier: Apache-2.0
"""Which code ran: a hash of every source file that a process has loaded, apart from Python's own and of packages.

Packages from site-packages count by version, Penstock by the hash of its extension as well: an engine built anew is
other code. Two runs are of the same code when each file that both know has the same hash, and neither loaded a file
that the other does not know.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Any

OWN = "penstock"


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def value_hash(value: Any) -> str:
    """SHA-256 of a value of plain types; the order of keys does not matter."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def loaded(modules: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What this process has loaded: {"files": {module: {"path", "sha256"}}, "packages": {name: version}}."""
    files: dict[str, dict[str, str]] = {}
    packages: dict[str, str] = {}
    # Imported late: it takes as long as a fifth of NumPy, and not every process is asked.
    import importlib.metadata

    installed = importlib.metadata.packages_distributions()
    tops: set[str] = set()
    for name, module in sorted((modules or dict(sys.modules)).items()):
        place = getattr(module, "__file__", None)
        top = name.partition(".")[0]
        if not place or name == "__main__" or not Path(place).is_file():
            continue
        path = Path(place).resolve()
        if top == OWN:
            # The lab's own modules stay the same for both sides; the engine is what a side may call.
            if path.suffix == ".so":
                packages[name] = file_hash(path)
        elif _belongs_to_package(path):
            tops.add(top)
        elif not _belongs_to_python(path):
            files[name] = {"path": str(path), "sha256": file_hash(path)}
    for each in sorted({each for top in tops for each in installed.get(top, ())}):
        packages[each] = importlib.metadata.version(each)
    return {"files": files, "packages": packages}


def relative(code: Mapping[str, Any], base: Path) -> dict[str, Any]:
    """The same with paths relative to `base`, so that a record holds in a checkout elsewhere."""
    files = {name: {**each, "path": os.path.relpath(each["path"], base)} for name, each in code["files"].items()}
    return {**code, "files": files}


def digest(code: Mapping[str, Any]) -> str:
    """One hash of all of it; paths do not count, so that a checkout elsewhere is the same code."""
    files = {name: each["sha256"] for name, each in code["files"].items()}
    return value_hash({"files": files, "packages": code["packages"]})


def changes(recorded: Mapping[str, Any], now: Mapping[str, Any], base: Path) -> list[str]:
    """What differs between two records, in words; files that only `recorded` knows are read anew below `base`."""
    found = []
    for name, each in now["files"].items():
        known = recorded["files"].get(name)
        if known is None:
            found.append(f"{name} ({each['path']}) was not part of it")
        elif known["sha256"] != each["sha256"]:
            found.append(f"{name} ({each['path']}) has changed")
    rest = {name: each for name, each in recorded["files"].items() if name not in now["files"]}
    found += changed_files({"files": rest}, base)
    for name, version in now["packages"].items():
        known_version = recorded["packages"].get(name, version)
        if known_version != version:
            found.append(f"{name} was {known_version[:12]} and is {version[:12]}")
    return found


def changed_files(recorded: Mapping[str, Any], base: Path) -> list[str]:
    """The recorded files whose bytes on disk are others by now, in words. Paths are relative to `base`."""
    found = []
    for name, each in recorded["files"].items():
        path = Path(os.path.normpath(base / each["path"]))
        if not path.is_file():
            found.append(f"{name} ({path}) is gone")
        elif file_hash(path) != each["sha256"]:
            found.append(f"{name} ({path}) has changed")
    return found


def _belongs_to_package(path: Path) -> bool:
    return "site-packages" in path.parts or "dist-packages" in path.parts


def _belongs_to_python(path: Path) -> bool:
    places = (sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"))
    return any(path.is_relative_to(Path(each).resolve()) for each in places)
