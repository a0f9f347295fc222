# SPDX-License-Identifier: Apache-2.0
"""A directory as a place for outputs, for ``penstock doctor``: free space, speed, what a killed run left there."""

from __future__ import annotations

import contextlib
import mmap
import os
import tempfile
import time
from collections.abc import Iterator
from typing import Any

from penstock.finding import FAILURE, OK, WARNING, Finding
from penstock.progress import size_text

MIN_FREE = 1 << 30
MAX_TEST_BYTES = 256 << 20
MAX_TEST_SECONDS = 2.0
BLOCK = 4 << 20
_NETWORK = ("nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "ceph", "glusterfs", "lustre", "virtiofs")


def directory_findings(directory: str, measure: bool) -> Iterator[Finding]:
    """Everything about ``directory``."""
    if not os.path.isdir(directory):
        yield Finding("directory", FAILURE, f"{directory} is no directory", f"mkdir -p {directory}")
        return
    kind, free = file_system(directory), free_bytes(directory)
    facts = {"path": os.path.abspath(directory), "file_system": kind, "free": free}
    text = f"{facts['path']}: {kind}, {size_text(free)} free"
    if not _writable(directory):
        yield Finding("directory", FAILURE, f"{text}, not writable", f"chmod u+w {directory}, or choose another", facts)
        return
    if free < MIN_FREE:
        yield Finding("directory", WARNING, f"{text}: little room", "free some space, or use another disk", facts)
    elif kind in _NETWORK:
        yield Finding("directory", WARNING, f"{text}, over the network", "keep such data on a local disk", facts)
    else:
        yield Finding("directory", OK, text, facts=facts)
    yield from _left_over(directory)
    if measure:
        yield _speed(directory, free)


def file_system(path: str) -> str:
    """The type of the file system ``path`` lies on, from the longest mount point above it."""
    real = os.path.realpath(path)
    best, kind = "", "unknown"
    with contextlib.suppress(OSError), open("/proc/self/mounts", encoding="utf-8", errors="replace") as mounts:
        for row in mounts:
            fields = row.split()
            point = fields[1].replace("\\040", " ")
            inside = real == point or real.startswith(point.rstrip("/") + "/")
            if inside and len(point) >= len(best):
                best, kind = point, fields[2]
    return kind


def free_bytes(path: str) -> int:
    """Bytes this user may still write there."""
    facts = os.statvfs(path)
    return facts.f_bavail * facts.f_frsize


def partial_files(directory: str) -> list[str]:
    """Unfinished outputs in ``directory`` that no writer holds any more.

    The lock that a writer has on its file decides. One without a lock is a living process's only while it is younger
    than 10 s.
    """
    from penstock import _core

    return _core.stale_partials(directory)


def _writable(directory: str) -> bool:
    try:
        with tempfile.TemporaryFile(dir=directory):
            return True
    except OSError:
        return False


def _left_over(directory: str) -> Iterator[Finding]:
    files = partial_files(directory)
    if not files:
        yield Finding("unfinished outputs", OK, "none left over")
        return
    held = sum(os.stat(each).st_size for each in files)
    text = f"{len(files)} left over from runs that were killed, {size_text(held)}: {', '.join(files[:3])}"
    fix = f"penstock doctor --clean {directory}"
    yield Finding("unfinished outputs", WARNING, text, fix, {"files": files, "bytes": held})


def _speed(directory: str, free: int) -> Finding:
    wanted = min(MAX_TEST_BYTES, free // 10) // BLOCK * BLOCK
    if wanted == 0:
        return Finding("disk speed", WARNING, "not measured: too little free space", "free some space")
    facts = measure_speed(directory, wanted)
    write, read = facts["write_bytes_per_second"], facts["read_bytes_per_second"]
    text = f"write {write / 1e9:.2f} GB/s, read {read / 1e9:.2f} GB/s"
    text += f", sync {facts['sync_seconds'] * 1e3:.1f} ms ({size_text(facts['bytes'])} tried)"
    if write < 50e6:
        return Finding("disk speed", WARNING, text, "keep outputs on a faster disk", facts)
    return Finding("disk speed", OK, text, facts=facts)


def measure_speed(directory: str, wanted: int) -> dict[str, Any]:
    """Writes a file without a name, syncs it, reads it back past the page cache; bounded in bytes and in time."""
    block = memoryview(os.urandom(1 << 20) * (BLOCK >> 20))
    with tempfile.TemporaryFile(dir=directory, buffering=0) as file:
        descriptor = file.fileno()
        started = time.perf_counter()
        written = 0
        while written < wanted and time.perf_counter() - started < MAX_TEST_SECONDS:
            written += os.write(descriptor, block)
        synced_from = time.perf_counter()
        os.fdatasync(descriptor)
        write_seconds = time.perf_counter() - started
        sync_seconds = _sync_seconds(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        read, read_seconds = _read_back(descriptor, written)
    return {
        "bytes": written,
        "write_bytes_per_second": written / max(write_seconds, 1e-9),
        "flush_seconds": write_seconds - (synced_from - started),
        "sync_seconds": sync_seconds,
        "read_bytes_per_second": read / max(read_seconds, 1e-9),
    }


def _sync_seconds(descriptor: int) -> float:
    """How long one synced write of a page takes."""
    os.pwrite(descriptor, bytes(4096), 0)
    started = time.perf_counter()
    os.fdatasync(descriptor)
    return time.perf_counter() - started


def _read_back(descriptor: int, size: int) -> tuple[int, float]:
    buffer = mmap.mmap(-1, BLOCK)  # reused, so that page faults are not counted as reading
    buffer[:] = bytes(BLOCK)
    started = time.perf_counter()
    read = 0
    while read < size and time.perf_counter() - started < MAX_TEST_SECONDS:
        count = os.preadv(descriptor, [buffer], read)
        if count == 0:
            break
        read += count
    return read, time.perf_counter() - started
