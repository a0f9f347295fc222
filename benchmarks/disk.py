# SPDX-License-Identifier: Apache-2.0
"""What the disk itself does: raw readers and writers, and what the page cache holds of a file."""

from __future__ import annotations

import ctypes
import mmap
import os
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import count
from pathlib import Path

BLOCK = 4 << 20
THREADS = 2
PAGE = mmap.PAGESIZE


class DiskError(Exception):
    """The file system cannot give what a row needs."""


@cache
def buffer(_thread: int) -> mmap.mmap:
    """One thread's block, kept for the next run; no zeros, which a disk might treat apart.

    On huge pages: the disk then gets few large pieces, and direct reads were three times as fast as with small ones.
    """
    block = mmap.mmap(-1, BLOCK, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    block.madvise(mmap.MADV_HUGEPAGE)
    block[:] = os.urandom(1 << 20) * (BLOCK >> 20)
    return block


def _each_block(size: int, work: Callable[[memoryview, int], int]) -> int:
    """Calls work(block, offset) for each block of `size` bytes on THREADS threads; the sum of what it returns."""
    numbers = count()

    def loop(thread: int) -> int:
        done = 0
        with memoryview(buffer(thread)) as view:
            while (offset := next(numbers) * BLOCK) < size:
                with view[: min(BLOCK, size - offset)] as part:
                    done += work(part, offset)
        return done

    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(loop, range(THREADS)))


def read_all(path: Path, direct: bool) -> int:
    """Reads the file in blocks on THREADS threads, with or without the page cache; returns the bytes read."""
    descriptor = os.open(path, os.O_RDONLY | (os.O_DIRECT if direct else 0))
    try:
        # Whole pages are asked for; a direct read past the end gives what there is.
        size = -(-os.fstat(descriptor).st_size // PAGE) * PAGE
        return _each_block(size, lambda part, offset: os.preadv(descriptor, [part], offset))
    finally:
        os.close(descriptor)


def read_with_dd(path: Path) -> None:
    """The plain program for it."""
    command = ["dd", f"if={path}", "of=/dev/null", "iflag=direct", "bs=4M", "status=none"]
    subprocess.run(command, check=True)


def write_new(path: Path, size: int, direct: bool) -> None:
    """Reserves a new file, writes it in blocks on THREADS threads and waits until the disk has it."""
    if size % PAGE != 0:
        raise DiskError(f"{size} bytes are no whole number of pages")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | (os.O_DIRECT if direct else 0)
    descriptor = os.open(path, flags, 0o644)
    try:
        os.posix_fallocate(descriptor, 0, size)
        written = _each_block(size, lambda part, offset: os.pwritev(descriptor, [part], offset))
        if written != size:
            raise DiskError(f"{path.name}: wrote {written} of {size} bytes")
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)


def remove(path: Path) -> None:
    """Deletes the file and waits, so that freeing its blocks is in nobody's time."""
    path.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    os.sync()


def supports_direct(folder: Path) -> bool:
    """Whether O_DIRECT works in `folder`; a memory file system refuses it."""
    path = folder / ".direct"
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_DIRECT, 0o644))
    except OSError:
        return False
    finally:
        path.unlink(missing_ok=True)
    return True


def residency(path: Path) -> float:
    """The share of the file's pages that the page cache holds, by mincore."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
    libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    libc.mincore.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p]
    descriptor = os.open(path, os.O_RDONLY)
    try:
        size = os.fstat(descriptor).st_size
        if size == 0:
            return 0.0
        address = libc.mmap(None, size, mmap.PROT_READ, mmap.MAP_SHARED, descriptor, 0)
        if address == ctypes.c_void_p(-1).value:
            raise DiskError(f"{path.name}: cannot be mapped: {os.strerror(ctypes.get_errno())}")
        pages = -(-size // PAGE)
        flags = ctypes.create_string_buffer(pages)
        try:
            if libc.mincore(address, size, flags) != 0:
                raise DiskError(f"{path.name}: mincore failed: {os.strerror(ctypes.get_errno())}")
        finally:
            libc.munmap(address, size)
        present = flags.raw.count(b"\1")
        return present / pages
    finally:
        os.close(descriptor)


def warm(path: Path) -> None:
    """Reads the file through the page cache, which then holds it. Raises DiskError when it does not."""
    read_all(path, direct=False)
    share = residency(path)
    if share < 0.99:
        raise DiskError(f"{path.name}: {share:.1%} in the page cache right after reading it; free some memory")


def cool(path: Path, tries: int = 5) -> None:
    """Syncs and drops the file from the page cache. Raises DiskError when more than 1 % stays there."""
    share = 1.0
    for _ in range(tries):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)
        share = residency(path)
        if share <= 0.01:
            return
        os.sync()
    raise DiskError(f"{path.name}: {share:.1%} still in the page cache after dropping it; is it open elsewhere?")
