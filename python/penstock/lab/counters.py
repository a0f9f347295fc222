# SPDX-License-Identifier: Apache-2.0
"""Hardware counters of this process through perf_event_open, and a plain reason where the machine gives none.

``with HardwareCounters() as counters: work()`` counts user code of the calling thread and of the threads and processes
it starts meanwhile. ``counters.read()`` gives the counts; ``counters.missing`` says why others are not there.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import platform
import struct
from pathlib import Path
from types import TracebackType
from typing import Any

# Names and config values of PERF_TYPE_HARDWARE.
EVENTS = {"cycles": 0, "instructions": 1, "cache_references": 2, "cache_misses": 3, "branches": 4, "branch_misses": 5}
_SYSCALL = {"x86_64": 298, "aarch64": 241}
_ATTRIBUTE_BYTES = 128
_DISABLED, _INHERIT, _EXCLUDE_KERNEL, _EXCLUDE_HYPERVISOR = 1, 2, 1 << 5, 1 << 6
_TIMES_ENABLED_AND_RUNNING = 3
_ENABLE, _DISABLE = 0x2400, 0x2401
_PARANOID = Path("/proc/sys/kernel/perf_event_paranoid")


def attribute(config: int) -> bytes:
    """``struct perf_event_attr`` of a hardware event: user code, inherited by what is started, off until enabled."""
    flags = _DISABLED | _INHERIT | _EXCLUDE_KERNEL | _EXCLUDE_HYPERVISOR
    #                     type size             config sample_period sample_type read_format flags
    head = struct.pack("<IIQQQQQ", 0, _ATTRIBUTE_BYTES, config, 0, 0, _TIMES_ENABLED_AND_RUNNING, flags)
    return head.ljust(_ATTRIBUTE_BYTES, b"\0")


def reason(code: int) -> str:
    """What an error of perf_event_open means here."""
    if code in (errno.ENOENT, errno.ENODEV, errno.EOPNOTSUPP):
        return "this processor or virtual machine does not pass the counter on"
    if code in (errno.EACCES, errno.EPERM):
        return f"the kernel does not allow it (kernel.perf_event_paranoid = {_paranoid()})"
    if code == errno.ENOSYS:
        return "this kernel has no perf_event_open"
    return os.strerror(code)


def _paranoid() -> str:
    try:
        return _PARANOID.read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"


def _open_event(config: int) -> int:
    """A file descriptor of the counter for this thread. Raises OSError."""
    number = _SYSCALL.get(platform.machine())
    if number is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    library = ctypes.CDLL(None, use_errno=True)
    library.syscall.restype = ctypes.c_long
    pid, cpu, group, close_on_exec = 0, -1, -1, 8
    buffer = ctypes.create_string_buffer(attribute(config), _ATTRIBUTE_BYTES)
    arguments = [ctypes.c_long(each) for each in (pid, cpu, group, close_on_exec)]
    found = library.syscall(ctypes.c_long(number), buffer, *arguments)
    if found < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return int(found)


def scaled(raw: bytes) -> int | None:
    """The count of a read of (value, time enabled, time running), scaled up where counters took turns."""
    value, enabled, running = struct.unpack("<QQQ", raw)
    return round(float(value) * enabled / running) if running else None


class HardwareCounters:
    """The counters of EVENTS that can be had. ``missing`` maps the names of the others to the reason."""

    def __init__(self) -> None:
        self.missing: dict[str, str] = {}
        self._open: dict[str, int] = {}
        self._counts: dict[str, int] = {}

    def __enter__(self) -> HardwareCounters:
        for name, config in EVENTS.items():
            try:
                self._open[name] = _open_event(config)
            except OSError as error:
                self.missing[name] = reason(error.errno or 0)
        self._control(_ENABLE)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._control(_DISABLE)
        for name, descriptor in self._open.items():
            count = scaled(os.read(descriptor, 24))
            os.close(descriptor)
            if count is None:
                self.missing[name] = "the counter never ran: others hold it"
            else:
                self._counts[name] = count
        self._open.clear()

    def _control(self, request: int) -> None:
        import fcntl

        for descriptor in self._open.values():
            with contextlib.suppress(OSError):
                fcntl.ioctl(descriptor, request, 0)

    def read(self) -> dict[str, Any]:
        """After the block: each count, ``instructions_per_cycle``, ``cache_miss_rate``, and ``missing``."""
        found: dict[str, Any] = dict(self._counts)
        for name, over, under in (
            ("instructions_per_cycle", "instructions", "cycles"),
            ("cache_miss_rate", "cache_misses", "cache_references"),
            ("branch_miss_rate", "branch_misses", "branches"),
        ):
            if self._counts.get(under) and over in self._counts:
                found[name] = self._counts[over] / self._counts[under]
        return {**found, "missing": dict(self.missing)}


def gpus(program: str = "nvidia-smi") -> dict[str, Any]:
    """``devices`` as nvidia-smi lists them (name, driver, percent busy, MiB used), or why that is not available."""
    import subprocess

    query = "name,driver_version,utilization.gpu,memory.used"
    command = [program, f"--query-gpu={query}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except FileNotFoundError:
        return {"devices": [], "missing": f"{program} is not installed"}
    except (OSError, subprocess.TimeoutExpired) as error:
        return {"devices": [], "missing": f"{program}: {error}"}
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip().split("\n")[0]
        return {"devices": [], "missing": f"{program} failed with status {done.returncode}: {words}"}
    keys = ("name", "driver", "busy_percent", "memory_used_mib")
    rows = [[cell.strip() for cell in row.split(",")] for row in done.stdout.strip().splitlines()]
    devices = [dict(zip(keys, row, strict=True)) for row in rows if len(row) == len(keys)]
    return {"devices": devices, "missing": "" if devices else f"{program} lists no device"}


def gpu_text(before: dict[str, Any], after: dict[str, Any] | None = None) -> str:
    """Each GPU with its driver, how busy it was and what it held, before and after; or why there is none."""
    if before["missing"]:
        return f"not available ({before['missing']})"
    texts = []
    for place, each in enumerate(before["devices"]):
        text = f"{each['name']}, driver {each['driver']}: {_load(each)}"
        if after and place < len(after["devices"]):
            text += f" before, {_load(after['devices'][place])} after"
        texts.append(text)
    return "; ".join(texts)


def _load(device: dict[str, str]) -> str:
    return f"{device['busy_percent']} % busy, {device['memory_used_mib']} MiB used"
