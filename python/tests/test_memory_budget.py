# SPDX-License-Identifier: Apache-2.0
"""Memory: arrays larger than the budget stay within it, measured from outside; what can't be done is refused first."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sweep import FULL, assert_same_bits

import penstock as ps

MIB = 1 << 20
# What a process may take beyond its budget: stacks, allocator slack, the interpreter.
SLACK = 64 * MIB
ROWS, COLUMNS = (131072, 1024) if FULL else (65536, 512)

# Runs an action under a budget and prints its peak of anonymous memory beyond that before, sampled every 5 ms.
SAMPLER = """
import json, sys, threading, time
import numpy as np, penstock as ps

def rss_anon():
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith("RssAnon"):
                return int(line.split()[1]) << 10

ps.evaluate(ps.sum(ps.arange(1000) * 2.0))
x = ps.open(sys.argv[1])
small = ps.sum(x[:4] * 1.0)
ps.evaluate(small)
ps.memory_budget(int(sys.argv[2]))
before, peak, done = rss_anon(), 0, threading.Event()

def sample():
    global peak
    while not done.is_set():
        peak = max(peak, rss_anon())
        time.sleep(0.005)

thread = threading.Thread(target=sample)
thread.start()
result = None
try:
    exec(sys.argv[3])
finally:
    done.set()
    thread.join()
print(json.dumps({"extra": peak - before, "result": result, "samples": peak > 0}))
"""

ACTIONS = {
    "sum": ("result = float(ps.sum(x))", lambda a: float(a.sum(dtype=np.float64))),
    "mean of columns": (
        "result = float(ps.sum(ps.mean(x, axis=0)))",
        lambda a: float(a.mean(axis=0, dtype=np.float64).sum()),
    ),
    "sum of rows": (
        "result = float(ps.max(ps.sum(x, axis=1)))",
        lambda a: float(a.sum(axis=1, dtype=np.float64).max()),
    ),
    "to a file": (
        "ps.save(ps.sqrt(x) * 2 + 1, 'r.npy'); result = float(np.load('r.npy', mmap_mode='r')[-1, -1])",
        lambda a: float(np.sqrt(a[-1, -1]) * np.float32(2) + np.float32(1)),
    ),
    "several reductions": (
        """
counts, _ = ps.histogram(x, bins=256, range=(0, 1))
r = ps.evaluate(ps.sum(x), ps.min(x), ps.max(x), ps.std(x), ps.mean(x, axis=0), ps.argmax(x), counts)
result = float(r[1]) + float(r[2]) + int(r[5])
""",
        lambda a: float(a.min()) + float(a.max()) + int(a.argmax()),
    ),
    "a transpose to a file": (
        "ps.save(x.T, 'r.npy'); result = float(np.load('r.npy', mmap_mode='r')[3, -1])",
        lambda a: float(a[-1, 3]),
    ),
    "a sum of a transpose": (
        "result = float(ps.sum(ps.sqrt(x.T) * 2))",
        lambda a: float(2 * np.sqrt(a).sum(dtype=np.float64)),
    ),
    "sums of a transpose": (
        "result = float(ps.max(ps.sum(x.T, axis=0))) + float(ps.max(ps.sum(x.T, axis=1)))",
        lambda a: float(a.sum(axis=1, dtype=np.float64).max() + a.sum(axis=0, dtype=np.float64).max()),
    ),
    "a transpose, flattened, to a file": (
        "ps.save(ps.reshape(x.T, (-1,)) + 1, 'r.npy'); result = float(np.load('r.npy', mmap_mode='r')[-5])",
        lambda a: float(a[-5, -1] + 1),
    ),
    "large results of a reduction to a file": (
        "ps.save(ps.sum(ps.reshape(x, (-1, 2)), axis=1), 'r.npy')\nresult = float(np.load('r.npy', mmap_mode='r')[-7])",
        lambda a: float(a[-1, -14] + a[-1, -13]),
    ),
    "a difference of neighbours": (
        "result = float(ps.max(ps.abs(x[1:] - x[:-1])))",
        lambda a: float(np.abs(a[1:] - a[:-1]).max()),
    ),
}


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A file of eight times the budget: 128 MiB, with PENSTOCK_TEST_FULL 512 MiB."""
    path = tmp_path_factory.mktemp("large") / "a.npy"
    out = np.lib.format.open_memmap(path, "w+", np.float32, (ROWS, COLUMNS))
    rng = np.random.default_rng(0)
    for i in range(0, ROWS, 4096):
        out[i : i + 4096] = rng.random((min(4096, ROWS - i), COLUMNS), np.float32)
    out.flush()
    yield path
    path.unlink()


def run(path: Path, budget: int, action: str, **variables: str) -> dict[str, Any]:
    command = [sys.executable, "-c", SAMPLER, str(path), str(budget), action]
    result = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=path.parent,
        env={**os.environ, **variables},
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    report: dict[str, Any] = json.loads(result.stdout)
    assert report["samples"]
    return report


@pytest.mark.parametrize("io_mode", ["auto", "pread", "mmap", "direct"] if FULL else ["auto", "pread"])
@pytest.mark.parametrize("name", ACTIONS)
def test_files_larger_than_the_budget(large: Path, name: str, io_mode: str) -> None:
    action, reference = ACTIONS[name]
    budget = ROWS * COLUMNS * 4 // 8
    report = run(large, budget, action, PENSTOCK_IO=io_mode, PENSTOCK_DURABILITY="none")
    assert report["extra"] <= budget + SLACK, f"{report['extra'] / MIB:.0f} MiB"
    want = reference(np.load(large, mmap_mode="r"))
    assert report["result"] == pytest.approx(want, rel=1e-5)


def test_big_endian_fortran_and_half_files_stream_too(tmp_path: Path) -> None:
    a = np.random.default_rng(1).random((8192, 4096), np.float32)  # of which the slack alone holds half
    for name, each in (
        ("big.npy", a.astype(">f4")),
        ("fortran.npy", np.asfortranarray(a)),
        ("half.npy", a.astype("f2")),
    ):
        np.save(tmp_path / name, each)
        report = run(tmp_path / name, 8 * MIB, "result = float(ps.sum(x * 2))", PENSTOCK_IO="pread")
        assert report["extra"] <= 8 * MIB + SLACK
        assert report["result"] == pytest.approx(float(each.sum(dtype=np.float64)) * 2, rel=1e-5)


class TestRefusals:
    """BudgetError comes before any work, with figures."""

    @pytest.fixture(autouse=True)
    def budget(self) -> Iterator[None]:
        ps.trim()
        ps.memory_budget(64 * MIB)
        yield
        ps.memory_budget("80%")

    def test_a_result_that_does_not_fit(self, large: Path) -> None:
        x = ps.open(large) * 2
        before = ps.stats()
        with pytest.raises(ps.errors.BudgetError, match=r"MiB.*64 MiB.*memory_budget") as caught:
            ps.evaluate(x)
        assert isinstance(caught.value, MemoryError)
        assert "ps.save" in str(caught.value)
        after = ps.stats()
        assert after["bytes_read"] + after["bytes_mapped"] == before["bytes_read"] + before["bytes_mapped"]
        assert after["budget_used"] == before["budget_used"]
        assert not x.evaluated

    def test_every_door(self, large: Path) -> None:
        x = ps.open(large) + 1
        for door in (
            np.asarray,
            memoryview,
            lambda a: a.tolist(),
            lambda a: np.from_dlpack(a),
            lambda a: ps.asarray(a, copy=True),
        ):
            with pytest.raises((ps.errors.BudgetError, BufferError)):
                door(x)
        assert float(x[5, 5]) > 0, "a part of it is no matter"

    def test_the_plan_tells_beforehand(self, large: Path) -> None:
        x = ps.open(large)
        facts = ps.plan(x * 2).to_dict()
        assert not facts["fits"]
        assert "DOES NOT FIT" in str(ps.plan(x * 2))
        facts = ps.plan(ps.sum(x)).to_dict()
        assert facts["fits"]
        assert facts["projected_bytes"] <= facts["available"] <= facts["budget"] == 64 * MIB
        assert facts["source_bytes"] == large.stat().st_size - 128
        assert ps.plan(x * 2, save=True).to_dict()["fits"]

    def test_results_that_are_held_count(self) -> None:
        held = [ps.evaluate(ps.zeros(2 * MIB) + i)[0] for i in range(3)]
        assert ps.stats()["budget_used"] >= 48 * MIB
        with pytest.raises(ps.errors.BudgetError):
            ps.evaluate(ps.zeros(4 * MIB) + 1)
        del held
        gc.collect()
        ps.evaluate(ps.zeros(4 * MIB) + 1)

    def test_a_numpy_view_of_a_result_counts_until_it_is_gone(self) -> None:
        view = np.asarray(ps.zeros(6 * MIB) + 1)
        with pytest.raises(ps.errors.BudgetError):
            np.asarray(ps.zeros(6 * MIB) + 2)
        assert view[-1] == 1
        del view
        gc.collect()
        assert np.asarray(ps.zeros(6 * MIB) + 2)[-1] == 2

    def test_borrowed_memory_does_not_count(self) -> None:
        a = np.ones(16 * MIB, np.float64)
        assert float(ps.sum(ps.asarray(a) * 2)) == 32 * MIB
        out = np.empty_like(a)
        ps.add(a, 1, out=out)
        assert out[-1] == 2

    def test_settings(self) -> None:
        assert ps.memory_budget(123456789) == 123456789 == ps.memory_budget()
        assert ps.memory_budget("1.5GiB") == 3 << 29
        assert ps.memory_budget("100 MB") == 100_000_000
        assert 0 < ps.memory_budget("50%") < ps.show_config()["memory_total"]
        for wrong in (0, -1, "lots", "", "-5MB", 2**70):
            with pytest.raises(ps.errors.PenstockError):
                ps.memory_budget(wrong)
        with pytest.raises((TypeError, ps.errors.PenstockError)):
            ps.memory_budget(1.5)  # type: ignore[arg-type]


def test_an_expression_of_many_steps_stays_lazy_where_it_would_not_fit(large: Path) -> None:
    ps.memory_budget(64 * MIB)
    try:
        x = ps.open(large)
        for _ in range(600):
            x = x + 1
        assert float(x[7, 7]) == pytest.approx(600, abs=1.1)
    finally:
        ps.memory_budget("80%")


class TestLooking:
    """repr, plan and shape read nothing of a file."""

    def test_nothing_is_read(self, large: Path) -> None:
        before = ps.stats()
        x = ps.open(large)
        y = ps.sum(ps.sqrt(x[::2] * 2) + x[1::2], axis=0)
        for look in (
            repr,
            str,
            ps.plan,
            lambda a: a.shape,
            lambda a: a.dtype,
            lambda a: a.nbytes,
            lambda a: a.evaluated,
            lambda a: a.sources(),
        ):
            look(x)
            look(y)
        str(ps.plan(x, y, save=True))
        repr(x[0, :3])
        after = ps.stats()
        for name in ("bytes_read", "bytes_mapped", "evaluations", "passes", "bytes_copied"):
            assert after[name] == before[name], name

    def test_a_repr_names_what_it_is(self, large: Path) -> None:
        text = repr(ps.open(large))
        assert "float32" in text
        assert str(ROWS) in text
        assert "a.npy" in text
        assert "MiB" in text
        assert len(text) < 200
        assert repr(ps.asarray(np.arange(3))) == "Array([0, 1, 2], dtype=int64)"
        assert "lazy" in repr(ps.asarray(np.arange(1e6)) * 2)
        assert "in memory" in repr(ps.evaluate(ps.asarray(np.arange(1e6)) * 2)[0])

    def test_a_part_reads_a_part(self, large: Path) -> None:
        x = ps.open(large) * 2
        before = ps.stats()
        float(x[5, 7])
        np.asarray(x[100:110])
        after = ps.stats()
        assert after["bytes_read"] + after["bytes_mapped"] - before["bytes_read"] - before["bytes_mapped"] < MIB
        assert not x.evaluated


CYCLES = """
import gc, sys
import numpy as np, penstock as ps

def rss_anon():
    return next(int(line.split()[1]) << 10 for line in open("/proc/self/status") if line.startswith("RssAnon"))

np.save("c.npy", np.arange(3000.0))
def cycle(i):
    x = ps.open("c.npy")
    y = ps.sqrt(x + i)
    assert float(ps.sum(y)) > 0
    part = x[::7] * 2
    view = np.asarray(part)
    x[0] = i
    try:
        ps.zeros(3) + ps.zeros(4)
    except ps.errors.ShapeError:
        pass
    return view[3]
import os
for i in range(2000):
    cycle(i)
gc.collect()
before, files = rss_anon(), len(os.listdir("/proc/self/fd"))
rounds = int(sys.argv[1])
for i in range(rounds):
    cycle(i)
gc.collect()
assert len(os.listdir("/proc/self/fd")) == files, "files are left open"
print((rss_anon() - before) / rounds)
"""


def test_many_cycles_take_no_more_memory(tmp_path: Path) -> None:
    rounds = 100_000 if FULL else 10_000
    result = subprocess.run(
        [sys.executable, "-c", CYCLES, str(rounds)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=600,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert float(result.stdout) < 100, f"{result.stdout} bytes a cycle"


def test_trimming_gives_memory_back() -> None:
    x = ps.evaluate(ps.zeros(8 * MIB) + 1)[0]
    del x
    gc.collect()
    assert ps.stats()["pool_idle_bytes"] >= 64 * MIB
    assert ps.trim() >= 64 * MIB
    assert ps.stats()["pool_idle_bytes"] == 0


def test_a_failed_evaluation_gives_everything_back(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros(500_000))
    x = ps.open(tmp_path / "a.npy")
    kept = ps.evaluate(x[:10] * 2)[0]
    os.truncate(tmp_path / "a.npy", 1_000_000)
    before = ps.stats()["budget_used"]
    for _ in range(20):
        for work in (
            lambda: ps.evaluate(x * 2),
            lambda: ps.evaluate(ps.sum(x)),
            lambda: ps.save(x, tmp_path / "r.npy"),
        ):
            with pytest.raises((ps.errors.TruncatedFileError, ps.errors.FileChangedError)):
                work()
    gc.collect()
    assert ps.stats()["budget_used"] == before
    assert_same_bits(np.asarray(kept), np.zeros(10))
