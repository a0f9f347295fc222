# SPDX-License-Identifier: Apache-2.0
"""The type stubs: what the extension has, and enough for a checked program of a user."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import penstock as ps
from penstock import _core

ROOT = Path(__file__).parents[2]
PACKAGE = Path(ps.__file__).parent
PROGRAM = """
import numpy as np
import penstock as ps

u: ps.Array = ps.open("u.npy")
v = ps.asarray(np.ones((3, 4)), dtype=ps.float32, copy=True)
speed = ps.sqrt(u**2 + v * 2.5)
mean: ps.Array = speed.mean(axis=(0, 1), keepdims=True)
u[1:, ..., None, 2] = v.T[0]
u += 1
largest: float = float(ps.max(ps.abs(u), axis=0))
inside: bool = bool((u < 3).any())
target = np.zeros(3)
into: np.ndarray[tuple[int], np.dtype[np.float64]] = ps.add(target, 1, out=target)
counts, edges = ps.histogram(v, bins=10, range=(0, 1))
numbers = np.asarray(ps.concat([u, v], axis=None).reshape(-1, 2))
one, two = ps.evaluate(u, v)
ps.save(ps.where(u > 0, u, 0), "r.npy")
print(ps.plan(speed), ps.stats()["passes"], ps.memory_budget("1GiB"), ps.result_type(u, 1.5).name, ps.pi * 2)
ps.on_progress(lambda done, total, seconds, memory: None)
try:
    ps.zeros((2, 3)).sum(axis=5)
except ps.errors.AxisError as error:
    print(error.code, error.exit_status)
"""


def module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def environment() -> dict[str, str]:
    """Of a checker that is to find the package under test; an installed one it finds by itself."""
    folder = PACKAGE.parent
    return {} if folder.name == "site-packages" else {"MYPYPATH": str(folder)}


@pytest.fixture(scope="module")
def stubs() -> ModuleType:
    pytest.importorskip("nanobind")
    return module(ROOT / "tools" / "stubs.py")


def test_the_stubs_are_those_of_this_build(stubs: ModuleType) -> None:
    for name, text in stubs.stubs().items():
        assert (PACKAGE / name).read_text() == text, f"{name} is not of this build; run make build"
    assert (PACKAGE / "py.typed").exists()


def test_every_public_name_is_in_the_stub() -> None:
    tree = ast.parse((PACKAGE / "__init__.pyi").read_text())
    named = {alias.asname for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    named |= {
        node.target.id for node in tree.body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    assert named == set(dir(ps)) | {"__version__", "__array_api_version__"}


def test_no_signature_is_left_to_guessing() -> None:
    tree = ast.parse((PACKAGE / "_core.pyi").read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            result = ast.unparse(node.returns) if node.returns else ""
            assert result not in ("", "object"), f"{node.name} returns {result!r}"


# What stubtest cannot know of an extension by nanobind: its functions and classes are of types of its own. Names for
# types are in the stub only.
EXPECTED = (
    " is not a function", " is inconsistent, metaclass differs", "isn't marked with @disjoint_base in the stub",
    'stub does not have *args parameter "args"',
)  # fmt: skip
ALIASES = {f"penstock._core.{name}" for name in ("AnyDType", "Index", "Ints", "Key", "Out")}


def test_stub_and_extension_agree(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    command = [sys.executable, "-m", "mypy.stubtest", "--concise", "penstock._core"]
    result = subprocess.run(command, capture_output=True, text=True, env=environment(), cwd=tmp_path, check=False)
    lines = result.stdout.splitlines()
    assert len(lines) > 100, result.stdout + result.stderr  # it has looked
    others = [line for line in lines if not line.endswith(EXPECTED) and line.split()[0] not in ALIASES]
    assert others == []


def test_every_function_has_a_doc_string() -> None:
    for name in dir(ps):
        each = getattr(ps, name)
        if callable(each):
            assert inspect.getdoc(each), name
    for name in (name for name in dir(_core.Array) if not name.startswith("_")):
        assert inspect.getdoc(getattr(_core.Array, name)) is not None, name


def test_a_users_program_is_accepted(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--config-file=", str(program)]
    result = subprocess.run(command, capture_output=True, text=True, env=environment(), cwd=tmp_path, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    "wrong", ["ps.sqrtt(1)", "ps.zeros('a')", "u.mean(axis='x')", "u.mean().foo", "ps.memory_budget(1.5)"]
)
def test_a_mistake_is_found(tmp_path: Path, wrong: str) -> None:
    pytest.importorskip("mypy")
    program = tmp_path / "program.py"
    program.write_text(f"import penstock as ps\nu = ps.zeros(3)\n{wrong}\n")
    command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--config-file=", str(program)]
    result = subprocess.run(command, capture_output=True, text=True, env=environment(), cwd=tmp_path, check=False)
    assert result.returncode == 1
    assert "program.py:3" in result.stdout
