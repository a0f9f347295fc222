# SPDX-License-Identifier: Apache-2.0
"""What on this machine keeps Penstock from working well, each finding with its fix.

:func:`examine` gives the findings and the facts; ``penstock doctor`` prints them.
"""

from __future__ import annotations

import os
import platform
import resource
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from penstock import disk
from penstock.finding import FAILURE, OK, WARNING, Finding
from penstock.progress import size_text

MIN_BUDGET = 64 << 20
MIN_DESCRIPTORS = 256


def examine(directory: str = ".", measure_disk: bool = True) -> list[Finding]:
    """Looks at the machine, the limits of this process and ``directory``."""
    findings: list[Finding] = []
    checks: list[Callable[[], Iterator[Finding]]] = [
        _versions,
        _engine,
        _environment,
        _tuning,
        _processors,
        _memory,
        _huge_pages,
        _limits,
        _floating_point,
        _scratch,
        lambda: disk.directory_findings(directory, measure_disk),
    ]
    for check in checks:
        try:
            findings.extend(check())
        except Exception as error:  # a check that cannot be made is a finding, not the end of the others
            name = getattr(check, "__name__", "directory").strip("_")
            findings.append(Finding(name, WARNING, f"could not be checked: {error}", "check it by hand"))
    return findings


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _versions() -> Iterator[Finding]:
    from penstock.cli.version import version

    numpy_version = _numpy_version()
    facts = {
        "penstock": version(),
        "python": platform.python_version(),
        "numpy": numpy_version,
        "system": f"{platform.system()} {platform.release()}",
        "libc": " ".join(platform.libc_ver()),
        "platform": sysconfig.get_platform(),
    }
    text = f"penstock {facts['penstock']}, Python {facts['python']}, NumPy {numpy_version or 'missing'}"
    text += f", {facts['system']}"
    if numpy_version is None:
        yield Finding("versions", FAILURE, text, "python -m pip install numpy", facts)
    else:
        yield Finding("versions", OK, text, facts=facts)


def _numpy_version() -> str | None:
    try:
        import numpy as np
    except ImportError:
        return None
    return str(np.__version__)


def _engine() -> Iterator[Finding]:
    try:
        import penstock as ps

        config = dict(ps.show_config())
    except Exception as error:
        fix = "python -m pip install --force-reinstall penstock"
        yield Finding("engine", FAILURE, f"the extension does not load: {error}", fix)
        return
    target = config.get("target", config.get("simd_target", "unknown"))
    level = config.get("level", config.get("opt_level", "full"))
    text = f"CPU target {target}, level {level}"
    forced = [f"PENSTOCK_{name}" for name in ("SIMD", "LEVEL") if os.environ.get(f"PENSTOCK_{name}")]
    if forced:
        names = " and ".join(forced)
        yield Finding("engine", WARNING, f"{text}, forced by {names}", f"unset {' '.join(forced)}", config)
    else:
        yield Finding("engine", OK, text, facts=config)


def _environment() -> Iterator[Finding]:
    rows = environment_rows()
    names = [name for name, _ in rows]
    present = {name: value for name, value in os.environ.items() if name.startswith("PENSTOCK_")}
    from penstock.expression import nearest

    for name in sorted(present):
        if name not in names and not name.startswith("PENSTOCK_TEST_"):
            close = nearest(name, names)
            fix = f"unset {name}" + (f"; did you mean {close}?" if close else "")
            yield Finding("environment", WARNING, f"{name} is not a variable Penstock reads", fix, {"name": name})
    known = {name: value for name, value in present.items() if name in names}
    text = ", ".join(f"{name}={value}" for name, value in known.items()) or "no PENSTOCK_ variable is set"
    yield Finding("environment", OK, text, facts=known)


def _tuning() -> Iterator[Finding]:
    from penstock import _core

    values, (source, note) = _core.tuning(), _core.tuning_source()
    facts = {"from": source, "path": _core.tuning_path(), "thresholds": values}
    if note:
        yield Finding("thresholds", WARNING, note, "penstock tune, or remove the file", facts)
    else:
        yield Finding("thresholds", OK, f"thresholds: {source}", facts=facts)


def environment_rows() -> list[tuple[str, str]]:
    """Name and meaning of every environment variable, from the extension's table."""
    from penstock import _core

    return [(str(name), str(meaning)) for name, meaning in _core.environment_rows()]


def _processors() -> Iterator[Finding]:
    usable = len(os.sched_getaffinity(0))
    quota = _cpu_quota()
    present = os.cpu_count() or usable
    caches = {f"L{level}": size for level, size in _cache_sizes()}
    facts: dict[str, Any] = {"cpus": present, "affinity": usable, "quota": quota, "caches": caches}
    names = [line.split(":", 1)[1].strip() for line in _read("/proc/cpuinfo").splitlines() if "model name" in line]
    model = names[0] if names else ""
    text = f"{usable} of {present} CPUs" + (f", {model}" if model else "")
    if caches:
        text += "; caches " + ", ".join(f"{name} {size_text(size)}" for name, size in caches.items())
    if quota is not None and quota < usable:
        fix = f"give the container more CPU time, or set PENSTOCK_THREADS={max(1, int(quota))}"
        yield Finding("processors", WARNING, f"{text}; the control group allows {quota:g} of them", fix, facts)
    else:
        yield Finding("processors", OK, text, facts=facts)


def _cache_sizes() -> Iterator[tuple[str, int]]:
    for entry in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        kind, level, size = (_read(str(entry / name)) for name in ("type", "level", "size"))
        if kind == "Instruction" or not size:
            continue
        factor = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}.get(size[-1], 1)
        yield level, int(size.rstrip("KMG")) * factor


def _cpu_quota() -> float | None:
    limit, _, period = _read("/sys/fs/cgroup/cpu.max").partition(" ")
    if limit.isdigit() and period.isdigit():
        return int(limit) / int(period)
    old = _read("/sys/fs/cgroup/cpu/cpu.cfs_quota_us")
    period = _read("/sys/fs/cgroup/cpu/cpu.cfs_period_us")
    return int(old) / int(period) if old.isdigit() and period.isdigit() and int(old) > 0 else None


def _memory() -> Iterator[Finding]:
    import penstock as ps

    info = {key: int(rest.split()[0]) << 10 for key, _, rest in _meminfo_lines()}
    total, available = info.get("MemTotal", 0), info.get("MemAvailable", 0)
    limit = _memory_limit()
    budget = int(ps.memory_budget())
    facts = {"total": total, "available": available, "cgroup_limit": limit, "budget": budget}
    text = f"budget {size_text(budget)}; {size_text(available)} of {size_text(total)} free"
    if limit is not None:
        text += f"; the control group's limit is {size_text(limit)}"
    usable = available if limit is None else min(available, limit)
    if budget > usable:
        fix = f"PENSTOCK_MEMORY={max(MIN_BUDGET, int(usable * 0.8)) >> 20}MiB, or --memory on the command line"
        yield Finding("memory", WARNING, f"{text}: the budget is more than this process can get", fix, facts)
    elif budget < MIN_BUDGET:
        yield Finding("memory", WARNING, f"{text}: a small budget is slow", "PENSTOCK_MEMORY=256MiB or more", facts)
    else:
        yield Finding("memory", OK, text, facts=facts)


def _meminfo_lines() -> list[tuple[str, str, str]]:
    lines = [line.partition(":") for line in _read("/proc/meminfo").splitlines()]
    return [line for line in lines if line[2].split() and line[2].split()[0].isdigit()]


def _memory_limit() -> int | None:
    """The control group's own limit; version 2 first, then version 1, whose "no limit" is a huge number."""
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        text = _read(path)
        if text.isdigit() and int(text) < 1 << 60:
            return int(text)
    return None


def _huge_pages() -> Iterator[Finding]:
    text = _read("/sys/kernel/mm/transparent_hugepage/enabled")
    chosen = text[text.find("[") + 1 : text.find("]")] if "[" in text else "unknown"
    facts = {"enabled": chosen}
    if chosen == "never":
        fix = "echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled"
        yield Finding("huge pages", WARNING, "huge pages are off: new results cost many page faults", fix, facts)
    else:
        yield Finding("huge pages", OK, f"transparent huge pages: {chosen}", facts=facts)


def _limits() -> Iterator[Finding]:
    rows = [
        ("file size", resource.RLIMIT_FSIZE, "ulimit -f unlimited"),
        ("data segment", resource.RLIMIT_DATA, "ulimit -d unlimited"),
        ("address space", resource.RLIMIT_AS, "ulimit -v unlimited"),
    ]
    good = True
    for name, which, fix in rows:
        soft, _ = resource.getrlimit(which)
        if soft != resource.RLIM_INFINITY:
            good = False
            facts = {"limit": name, "bytes": soft}
            yield Finding("limits", WARNING, f"the {name} is limited to {size_text(soft)}", fix, facts)
    descriptors, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if descriptors != resource.RLIM_INFINITY and descriptors < MIN_DESCRIPTORS:
        good = False
        fix = f"ulimit -n {min(4096, hard) if hard != resource.RLIM_INFINITY else 4096}"
        text = f"only {descriptors} files may be open at once"
        yield Finding("limits", WARNING, text, fix, {"limit": "open files", "count": descriptors})
    if good:
        yield Finding("limits", OK, "no limit on file size, data or address space", facts={"open_files": descriptors})


def _floating_point() -> Iterator[Finding]:
    smallest = sys.float_info.min * sys.float_info.epsilon
    if smallest * float(len("x")) == 0.0:
        text = "subnormal numbers are flushed to zero: a library loaded in this process was built with -ffast-math"
        yield Finding("floating point", WARNING, text, "update that library, or import it in another process")
    else:
        yield Finding("floating point", OK, "subnormal numbers are kept")


def _scratch() -> Iterator[Finding]:
    default = "/var/tmp" if os.access("/var/tmp", os.W_OK | os.X_OK) else "/tmp"

    path = os.environ.get("PENSTOCK_SCRATCH") or os.environ.get("TMPDIR") or default
    kind = disk.file_system(path)
    facts = {"path": path, "file_system": kind}
    fix = "PENSTOCK_SCRATCH=/a/folder/on/a/disk"
    if not os.path.isdir(path) or not os.access(path, os.W_OK | os.X_OK):
        yield Finding("scratch", FAILURE, f"{path} is no writable folder", fix, facts)
    elif kind in ("tmpfs", "ramfs"):
        text = f"{path} is memory ({kind}): intermediate files there count against memory"
        yield Finding("scratch", WARNING, text, fix, facts)
    else:
        yield Finding("scratch", OK, f"{path} ({kind}), {size_text(disk.free_bytes(path))} free", facts=facts)
