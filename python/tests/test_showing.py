# SPDX-License-Identifier: Apache-2.0
"""repr and _repr_html_: values where they cost nothing, corners, and never a pass over anything."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest

import penstock as ps


def test_small_arrays_show_their_values() -> None:
    assert repr(ps.asarray(np.arange(3)) + 1) == "Array([1, 2, 3], dtype=int64)"


def test_large_ones_in_memory_show_a_corner() -> None:
    a = np.arange(10_000).reshape(100, 100)
    text = repr(ps.asarray(a))
    assert text.startswith("<Array int64 (100, 100) ")
    assert "in memory" in text
    assert text.endswith(np.array2string(a, separator=", ", threshold=0) + ">")


def test_corners_of_expressions_are_computed_alone() -> None:
    x = ps.zeros((1 << 20, 1 << 20), dtype=ps.float32) + 1
    before = ps.stats()
    text = repr(ps.sqrt(x * 4))
    assert "lazy: sqrt" in text
    assert "[2., 2., 2., ..., 2., 2., 2.]" in text
    assert ps.stats()["bytes_copied"] - before["bytes_copied"] < 1 << 20


def test_what_takes_a_pass_shows_none() -> None:
    x = ps.asarray(np.ones((2000, 2000)))
    before = ps.stats()["evaluations"]
    assert repr(x.sum(axis=0)).endswith("lazy: sum over axes (0,)>")
    assert "\n" not in repr(ps.concat([x, x]))
    assert ps.stats()["evaluations"] == before


def test_of_many_axes_there_is_no_corner() -> None:
    assert "\n" not in repr(ps.asarray(np.ones((4,) * 6)))
    assert repr(ps.asarray(np.ones((0, 5)))) == "Array([], dtype=float64)"


@pytest.mark.parametrize("width", [5, 12, 80])
def test_one_line_is_no_longer_than_it_may_be(width: int) -> None:
    assert len(ps.asarray(np.ones(5000))._repr_inline_(width)) <= width


class TestHtml:
    def test_it_says_what_the_array_is(self) -> None:
        text = ps.asarray(np.ones((40, 50)))._repr_html_()
        for each in ("(40, 50)", "float64", "in memory", "<details>", "15.6 KiB"):
            assert each in text

    def test_nothing_of_a_file_is_read(self, tmp_path: Path) -> None:
        np.save(tmp_path / "x.npy", np.ones((300, 300)))
        x = ps.open(tmp_path / "x.npy")
        before = copy.copy(ps.stats())
        text = (x * 2)._repr_html_()
        after = ps.stats()
        assert "x.npy" in text
        assert "<details>" not in text
        for name in ("bytes_read", "bytes_mapped", "evaluations"):
            assert after[name] == before[name]

    def test_names_of_files_are_text(self, tmp_path: Path) -> None:
        path = tmp_path / "<script>alert(1)<!script>.npy"
        np.save(path, np.ones((300, 300)))
        text = ps.open(path)._repr_html_()
        assert "<script>" not in text
        assert "&lt;script&gt;" in text
