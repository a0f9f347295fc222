# SPDX-License-Identifier: Apache-2.0
"""What something was measured on, what makes figures comparable, and what ran beside a measurement."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TICK = os.sysconf("SC_CLK_TCK")
# Of one CPU: what others may take, and what the host may keep from us, before a row counts as disturbed.
QUIET_OTHERS = 0.10
QUIET_STEAL = 0.05
# What a record's identity is made of: figures of records that differ in one of these are not comparable.
IDENTITY = ("machine", "cpus", "memory_gib", "caches", "target")


def record(
    folder: str | os.PathLike[str] = ".", *, sources: Sequence[str] = (), packages: Sequence[str] = ("numpy",)
) -> dict[str, Any]:
    """The machine, the build of Penstock, the versions of ``packages``, and the commit of the sources in ``folder``.

    ``changed`` says whether files of the commit, or anything below ``sources``, differ from it. JSON can carry it.
    """
    import penstock

    config: Mapping[str, Any] = penstock.show_config()
    commit, changed = revision(folder, sources)
    return {
        "machine": config["machine"],
        "cpus": config["cpus"],
        "memory": config["memory_total"],
        "caches": [config["l1d"], config["l2"], config["l3"]],
        "huge_pages": huge_pages(),
        "governor": governor(),
        "target": config["target"],
        "compiler": compiler(),
        "commit": commit,
        "changed": changed,
        "environment": config["environment"],
        "versions": versions(config["version"], packages),
    }


def identity(machine: Mapping[str, Any]) -> str:
    """Twelve hex digits that two records share when figures measured on them may be compared.

    That is the same CPU and system, number of CPUs, memory to the GiB, caches and SIMD target; not the commit, the
    compiler or the versions, which are what figures are compared over.
    """
    import hashlib

    facts = {**machine, "memory_gib": round(machine["memory"] / 2**30)}
    text = json.dumps([facts[each] for each in IDENTITY])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def versions(penstock: str, packages: Sequence[str]) -> dict[str, str]:
    """Of Penstock, Python and those of ``packages`` that are installed."""
    found = {"penstock": penstock, "python": platform.python_version()}
    for package in packages:
        version = getattr(sys.modules.get(package), "__version__", None) or installed(package)
        if version is not None:
            found[package] = version
    return found


def installed(package: str) -> str | None:
    """The version of an installed package, without loading it."""
    import importlib.metadata

    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def revision(folder: str | os.PathLike[str], sources: Sequence[str] = ()) -> tuple[str, bool]:
    """The commit of ``folder``, and whether its files differ from it; ("unknown", False) outside of git."""
    which = ["--", *sources] if sources else ["--untracked-files=no"]
    try:
        commit = _git(folder, "rev-parse", "--short=12", "HEAD")
        return commit, bool(_git(folder, "status", "--porcelain", *which))
    except (OSError, subprocess.CalledProcessError):
        return "unknown", False


def _git(folder: str | os.PathLike[str], *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def compiler() -> str:
    """What compiled the extension, from the note that compilers leave in it."""
    found = importlib.util.find_spec("penstock._core")
    if found is None or found.origin is None:
        return "unknown"
    data = Path(found.origin).read_bytes()
    for begins, form in ((b"GCC: (", rb"GCC: \([^)\0]*\) [\d.]+"), (b"clang version ", rb"clang version [\d.]+")):
        place = data.rfind(begins)
        match = re.match(form, data[place : place + 200]) if place >= 0 else None
        if match:
            return match[0].decode()
    return "unknown"


def huge_pages() -> str:
    """When the kernel gives huge pages: always, madvise or never."""
    try:
        text = Path("/sys/kernel/mm/transparent_hugepage/enabled").read_text(encoding="ascii")
    except OSError:
        return "unknown"
    match = re.search(r"\[(\w+)\]", text)
    return match[1] if match else "unknown"


def governor() -> str:
    """How the frequency of the first CPU is governed."""
    try:
        return Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"


def frequency() -> float | None:
    """The mean frequency of the CPUs in MHz at this moment, or None where the machine does not tell."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    found = [float(each) for each in re.findall(r"^cpu MHz\s*:\s*([\d.]+)", text, re.MULTILINE)]
    return sum(found) / len(found) if found else None


@dataclass(frozen=True)
class Moment:
    """CPU seconds so far: of the whole machine, stolen by the host, of this process tree, and of each process.

    ``frequency`` is that of the CPUs at this moment, in MHz.
    """

    at: float
    busy: float
    stolen: float
    own: float
    each: dict[int, tuple[str, float]]
    frequency: float | None = None


def now() -> Moment:
    """This moment, for `beside`."""
    fields = [int(each) for each in Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]]
    user, nice, system, _idle, _wait, _irq, _soft, steal = fields[:8]
    table = _processes()
    ours = _descendants(table)
    mine = os.times()
    own = mine.user + mine.system + mine.children_user + mine.children_system
    own += sum(table[pid][2] for pid in ours if pid != os.getpid())
    others = {pid: (name, seconds) for pid, (_, name, seconds) in table.items() if pid not in ours}
    return Moment(time.monotonic(), (user + nice + system) / TICK, steal / TICK, own, others, frequency())


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
        "mhz": [round(each) for each in (start.frequency, end.frequency) if each is not None],
        "noisy": others > QUIET_OTHERS or steal > QUIET_STEAL,
    }
