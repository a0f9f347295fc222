# SPDX-License-Identifier: Apache-2.0
"""The command: its help, its results on standard output, and what it leaves on the disk."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import COMMAND, environment, run

COMMANDS = ("eval", "info", "plan", "doctor", "tune", "lab", "completion")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two arrays of one shape and one of raw data."""
    rng = np.random.default_rng(1)
    np.save(tmp_path / "u.npy", rng.random((40, 50), dtype=np.float32))
    np.save(tmp_path / "v.npy", rng.random((40, 50), dtype=np.float32))
    np.arange(24, dtype=np.int16).tofile(tmp_path / "x.raw")
    return tmp_path


def loaded_by(*arguments: str, cwd: Path | None = None) -> tuple[int, set[str]]:
    """The exit status, and which of the slow modules one command has loaded."""
    code = """
import json, sys
from penstock.cli import main
status = main(sys.argv[1:])
slow = [name for name in ("numpy", "penstock._core") if name in sys.modules]
with open("loaded.json", "w") as file:
    json.dump([status, slow], file)
"""
    where = cwd or Path.cwd()
    subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=where, env=environment(), capture_output=True, check=True
    )
    status, slow = json.loads((where / "loaded.json").read_text())
    return status, set(slow)


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["--help"], 0),
        (["--version"], 0),
        *[([name, "--help"], 0) for name in COMMANDS],
        ([], 2),
        (["evla"], 2),
        (["eval"], 2),
        (["eval", "a", "--overwite"], 2),
        (["eval", "a and b", "a=x.npy"], 2),
        (["eval", "a", "b=x.npy"], 2),
        (["eval", "a", "a=x.npy", "--threads", "0"], 2),
        (["eval", "a", "a=x.npy", "--dtype", "float31"], 2),
        (["info"], 2),
        (["lab"], 0),
        (["lab", "compar"], 2),
        (["lab", "compare", "--help"], 0),
        (["lab", "compare", "true"], 2),
    ],
)
def test_help_and_usage_errors_load_neither_numpy_nor_the_engine(
    tmp_path: Path, arguments: list[str], status: int
) -> None:
    assert loaded_by(*arguments, cwd=tmp_path) == (status, set())


def test_a_calculation_loads_both(folder: Path) -> None:
    status, slow = loaded_by("eval", "mean(u)", "u=u.npy", cwd=folder)
    assert status == 0
    assert {"numpy", "penstock._core"} <= slow


@pytest.mark.parametrize("name", COMMANDS)
def test_help_begins_with_two_examples(name: str) -> None:
    lines = run(name, "--help").stdout.splitlines()
    assert lines[0] == "examples:"
    assert [line.startswith(f"  penstock {name}") for line in lines[1:4]] == [True, True, False]
    assert run(name, "-h").stdout.splitlines() == lines


def test_help_fits_forty_columns() -> None:
    text = run("eval", "--help", variables={"COLUMNS": "40"}).stdout
    assert "--overwrite" in text


def test_version_is_that_of_the_package() -> None:
    text = run("--version").stdout
    assert re.fullmatch(r"penstock \d+\.\d+\.\d+\S*\n", text)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["evla"], "penstock eval"),
        (["docter"], "penstock doctor"),
        (["eval", "a", "--overwite"], "--overwrite"),
        (["eval", "a", "--memry", "1GiB"], "--memory"),
        (["eval", "a", "b=x.npy"], "reads a"),
        (["eval", "speed", "sped=x.npy"], "did you mean sped?"),
        (["eval", "a", "a=x.npy", "--dtype", "flaot32"], "float32"),
        (["eval", "a", "a=x.npy", "a=y.npy"], "twice"),
        (["eval", "a", "x.npy"], "NAME=FILE"),
        (["eval", "a", "a=x.raw:floot32:3"], "unknown dtype 'floot32'"),
        (["eval", "-a", "a=x.npy"], "brackets"),
        (["eval", "a", "a=x.npy", "--threads", "two"], "whole number"),
    ],
)
def test_a_misspelt_word_gets_a_suggestion(arguments: list[str], says: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stdout == ""


def test_a_small_result_is_printed_with_every_digit(folder: Path) -> None:
    u, v = np.load(folder / "u.npy"), np.load(folder / "v.npy")
    done = run("eval", "sum(sqrt(u**2 + v**2), axis=1)[:3]", "u=u.npy", "v=v.npy", cwd=folder)
    assert done.returncode == 0, done.stderr
    printed = np.array(done.stdout.strip(" []\n").split(), np.float32)
    np.testing.assert_allclose(printed, np.sqrt(u**2 + v**2).sum(axis=1)[:3], rtol=1e-6)
    scalar = run("eval", "max(u)", "u=u.npy", cwd=folder).stdout
    assert np.float32(scalar) == u.max()


def test_json_of_a_result(folder: Path) -> None:
    done = run("eval", "astype(u[0, :3], float64) / 0", "u=u.npy", "--json", cwd=folder)
    fields = json.loads(done.stdout)
    assert fields["value"] == ["Infinity"] * 3
    assert (fields["dtype"], fields["shape"]) == ("float64", [3])
    assert fields["seconds"] >= 0


def test_a_large_result_shows_its_corner_and_the_way_to_all_of_it(folder: Path) -> None:
    done = run("eval", "u + v", "u=u.npy", "v=v.npy", cwd=folder)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) < 12
    assert "-o" in done.stderr
    fields = json.loads(run("eval", "u + v", "u=u.npy", "v=v.npy", "--json", cwd=folder).stdout)
    expected = (np.load(folder / "u.npy") + np.load(folder / "v.npy"))[:6, :6]
    np.testing.assert_array_equal(np.array(fields["corner"], np.float32), expected)


def test_the_result_is_saved_and_a_summary_goes_to_standard_error(folder: Path) -> None:
    done = run("eval", "sqrt(u**2 + v**2)", "u=u.npy", "v=v.npy", "-o", "s.npy", "--memory", "256MiB", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "s.npy: float32 (40, 50)" in done.stderr
    u, v = np.load(folder / "u.npy"), np.load(folder / "v.npy")
    np.testing.assert_allclose(np.load(folder / "s.npy"), np.sqrt(u**2 + v**2), rtol=1e-6)
    quiet = run("eval", "u", "u=u.npy", "-o", "q.npy", "-q", cwd=folder)
    assert quiet.stderr == ""


def test_json_of_a_saved_result(folder: Path) -> None:
    fields = json.loads(run("eval", "u", "u=u.npy", "-o", "s.npy", "--json", cwd=folder).stdout)
    assert fields["output"] == "s.npy"
    assert fields["shape"] == [40, 50]


def test_the_dtype_of_the_result_can_be_chosen(folder: Path) -> None:
    assert run("eval", "u", "u=u.npy", "-o", "s.npy", "--dtype", "float64", cwd=folder).returncode == 0
    assert np.load(folder / "s.npy").dtype == np.float64


def test_raw_data_is_read_by_dtype_and_shape(folder: Path) -> None:
    done = run("eval", "x[1]", "x=x.raw:int16:4,6", cwd=folder)
    assert done.stdout == "[ 6  7  8  9 10 11]\n", done.stderr
    assert run("eval", "x[0]", "x=x.raw:int16:5:14", cwd=folder).stdout == "7\n"
    assert "raw" in run("info", "x.raw:int16:4,6", cwd=folder).stdout


def test_an_output_may_be_an_input(folder: Path) -> None:
    before = np.load(folder / "u.npy")
    done = run("eval", "u + 1", "u=u.npy", "-o", "u.npy", cwd=folder)
    assert done.returncode == 0, done.stderr
    np.testing.assert_array_equal(np.load(folder / "u.npy"), before + 1)


def test_an_output_goes_where_a_link_points(folder: Path) -> None:
    (folder / "link.npy").symlink_to("s.npy")
    assert run("eval", "u", "u=u.npy", "-o", "link.npy", cwd=folder).returncode == 0
    assert (folder / "link.npy").is_symlink()
    assert np.load(folder / "s.npy").shape == (40, 50)


def test_a_histogram_has_two_results(folder: Path) -> None:
    done = run("eval", "histogram(u, bins=4, range=(0, 1))", "u=u.npy", "--json", cwd=folder)
    counts, edges = json.loads(done.stdout)["results"]
    assert sum(counts["value"]) == 2000
    assert edges["value"] == [0, 0.25, 0.5, 0.75, 1]
    refused = run("eval", "histogram(u, bins=4, range=(0, 1))", "u=u.npy", "-o", "h.npy", cwd=folder)
    assert refused.returncode == 2
    assert "[0]" in refused.stderr


def test_info_shows_the_header_and_json_has_stable_keys(folder: Path) -> None:
    text = run("info", "u.npy", cwd=folder).stdout
    assert "(40, 50)" in text
    assert "npy 1.0, C order" in text
    fields = json.loads(run("info", "u.npy", "--json", cwd=folder).stdout)
    assert list(fields) == [
        "path", "format", "order", "byte_order", "data_offset", "dtype", "shape", "size", "nbytes", "file_bytes",
        "trailing_bytes",
    ]  # fmt: skip
    assert fields["nbytes"] == 8000
    assert fields["data_offset"] == 128


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_info_reads_every_header(tmp_path: Path, version: tuple[int, int], order: Any) -> None:
    with (tmp_path / "a.npy").open("wb") as file:
        np.lib.format.write_array(file, np.zeros((3, 4), ">f8", order=order), version=version)
    fields = json.loads(run("info", tmp_path / "a.npy", "--json").stdout)
    assert fields["format"] == f"npy {version[0]}.{version[1]}"
    assert fields["order"] == ("C" if order == "C" else "Fortran")
    assert fields["byte_order"] == "big"
    assert fields["file_bytes"] == fields["data_offset"] + fields["nbytes"]


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint64", "float16", "float32", "float64", "complex64"])
def test_info_with_statistics(tmp_path: Path, dtype: str) -> None:
    values = np.array([[1, 0, 3], [1, 1, 6]]).astype(dtype)
    np.save(tmp_path / "a.npy", values)
    done = run("info", tmp_path / "a.npy", "--stats", "--json")
    assert done.returncode == 0, done.stderr
    stats = json.loads(done.stdout)["stats"]
    if dtype.startswith("complex"):
        assert stats["mean"] == [2, 0]
    else:
        assert stats["min"] == values.min()
        assert stats["max"] == values.max()
        assert stats["mean"] == pytest.approx(values.astype(float).mean(), rel=1e-3)
        assert stats["std"] == pytest.approx(values.astype(float).std(), rel=1e-3)


def test_a_plan_reads_and_writes_nothing(folder: Path) -> None:
    done = run("plan", "sqrt(u**2 + v**2)", "u=u.npy", "v=v.npy", "-o", "s.npy", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert not (folder / "s.npy").exists()
    fields = json.loads(run("plan", "mean(u)", "u=u.npy", "--json", cwd=folder).stdout)
    assert {"expression", "budget", "projected_bytes", "threads", "target"} <= set(fields)


def test_functions_are_listed() -> None:
    names = run("eval", "--functions").stdout.split()
    assert {"sqrt", "where", "mean", "reshape", "pi"} <= set(names)


def test_the_summary_is_coloured_on_no_pipe(folder: Path) -> None:
    done = run("eval", "nope", "u=u.npy", cwd=folder, variables={"FORCE_COLOR": "1"})
    assert "\x1b" not in done.stderr


def test_the_installed_command_is_the_module(tmp_path: Path) -> None:
    beside = Path(sys.executable).parent / "penstock"
    if not beside.exists():
        pytest.skip("the package is not installed in this environment")
    script = subprocess.run([str(beside), "--version"], capture_output=True, text=True, cwd=tmp_path, check=True)
    module = subprocess.run([*COMMAND, "--version"], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert script.stdout == module.stdout


def test_the_summary_counts_what_is_read_through_a_mapping(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(1000.0))
    fields = json.loads(run("eval", "a + 1", "a=a.npy", "-o", "out.npy", "--json", cwd=tmp_path).stdout)
    assert fields["bytes_read"] == 8000
    assert fields["bytes_written"] >= 8000
