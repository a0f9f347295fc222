# SPDX-License-Identifier: Apache-2.0
"""What a row was measured on, and what ran beside it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TICK = os.sysconf("SC_CLK_TCK")
# Of one CPU: what others may take, and what the host may keep from us, before a row counts as disturbed.
QUIET_OTHERS = 0.10
QUIET_STEAL = 0.05


def facts(ps: Any) -> dict[str, Any]:
    """The machine, the build and the versions; the same for all rows of a run."""
    config = ps.show_config()
    commit, changed = revision()
    return {
        "machine": config["machine"],
        "cpus": config["cpus"],
        "memory": config["memory_total"],
        "caches": [config["l1d"], config["l2"], config["l3"]],
        "huge_pages": huge_pages(),
        "target": config["target"],
        "compiler": compiler(),
        "commit": commit,
        "changed": changed,
        "environment": config["environment"],
        "versions": versions(config["version"]),
    }


def versions(penstock: str) -> dict[str, str]:
    found = {"penstock": penstock, "python": platform.python_version()}
    for package in ("numpy", "numexpr"):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def revision() -> tuple[str, bool]:
    """The commit, and whether sources of the engine differ from it."""
    try:
        commit = _git("rev-parse", "--short=12", "HEAD")
        return commit, bool(_git("status", "--porcelain", "--", "penstock", "python", "cmake", "CMakeLists.txt"))
    except (OSError, subprocess.CalledProcessError):
        return "unknown", False


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def compiler() -> str:
    """What compiled the extension, from the note that compilers leave in it."""
    found = importlib.util.find_spec("penstock._core")
    if found is None or found.origin is None:
        return "unknown"
    match = re.search(rb"GCC: \([^)\0]*\) [\d.]+|clang version [\d.]+", Path(found.origin).read_bytes())
    return match[0].decode() if match else "unknown"


def huge_pages() -> str:
    try:
        text = Path("/sys/kernel/mm/transparent_hugepage/enabled").read_text(encoding="ascii")
    except OSError:
        return "unknown"
    match = re.search(r"\[(\w+)\]", text)
    return match[1] if match else "unknown"


@dataclass(frozen=True)
class Moment:
    """CPU seconds so far: of the whole machine, stolen by the host, of this process tree, and of each process."""

    at: float
    busy: float
    stolen: float
    own: float
    each: dict[int, tuple[str, float]]


def now() -> Moment:
    fields = [int(each) for each in Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]]
    user, nice, system, _idle, _wait, _irq, _soft, steal = fields[:8]
    table = _processes()
    ours = _descendants(table)
    mine = os.times()
    own = mine.user + mine.system + mine.children_user + mine.children_system
    own += sum(table[pid][2] for pid in ours if pid != os.getpid())
    others = {pid: (name, seconds) for pid, (_, name, seconds) in table.items() if pid not in ours}
    return Moment(time.monotonic(), (user + nice + system) / TICK, steal / TICK, own, others)


def _processes() -> dict[int, tuple[int, str, float]]:
    """Of each process: its parent, name and CPU seconds."""
    table = {}
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            text = Path(entry.path, "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        head, _, rest = text.rpartition(")")
        fields = rest.split()
        table[int(entry.name)] = (int(fields[1]), head.partition("(")[2], (int(fields[11]) + int(fields[12])) / TICK)
    return table


def _descendants(table: dict[int, tuple[int, str, float]]) -> set[int]:
    """This process and all that it started; the kernel's threads too, which write and reclaim for it."""
    ours = {os.getpid()} | {pid for pid, (_, name, _) in table.items() if name == "kthreadd"}
    while True:
        more = {pid for pid, (parent, _, _) in table.items() if parent in ours} - ours
        if not more:
            return ours
        ours |= more


def beside(start: Moment, end: Moment) -> dict[str, Any]:
    """What else the CPUs did between two moments, in CPUs, and whether that disturbs a measurement."""
    elapsed = max(end.at - start.at, 1e-9)
    others = max(0.0, (end.busy - start.busy) - (end.own - start.own)) / elapsed
    steal = (end.stolen - start.stolen) / elapsed
    known = {pid: seconds for pid, (_, seconds) in start.each.items()}
    shares = [(seconds - known[pid], name) for pid, (name, seconds) in end.each.items() if pid in known]
    named = [f"{name} {100 * seconds / elapsed:.0f} %" for seconds, name in sorted(shares, reverse=True)[:3]]
    return {
        "load": [round(each, 2) for each in os.getloadavg()],
        "others": round(others, 3),
        "steal": round(steal, 3),
        "processes": [each for each in named if not each.endswith(" 0 %")],
        "noisy": others > QUIET_OTHERS or steal > QUIET_STEAL,
    }
