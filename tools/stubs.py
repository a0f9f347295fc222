# SPDX-License-Identifier: Apache-2.0
"""Write the type stubs of the package, from the extension as it was built: `tools/stubs.py INTO --extension FOLDER`.

The build runs this; the stubs lie in the wheel and not in the repository. Standard library and nanobind only.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[1] / "python"
HEAD = """# SPDX-License-Identifier: Apache-2.0
# Made by tools/stubs.py from the extension; not to be edited.
# ruff: noqa
# fmt: off
"""
# What the signatures in python/bind speak of. `bool` is a dtype in this namespace.
PRELUDE = """
import builtins
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, SupportsIndex, TypeAlias

import numpy
import numpy.typing
from typing_extensions import TypeVar

from penstock import errors as errors

Ints: TypeAlias = int | Sequence[int]
AnyDType: TypeAlias = DType | str | type | numpy.dtype[Any]
Index: TypeAlias = int | slice | types.EllipsisType | None | Array | Sequence[Any] | numpy.typing.NDArray[Any]
Key: TypeAlias = Index | tuple[Index, ...]
Out = TypeVar("Out", default=Array)

__version__: str
"""
# What the extension gives CPython as it is, without nanobind, which knows the types of the rest.
PLAIN = {
    "evaluate": "def evaluate(*arrays: Array) -> tuple[Array, ...]:",
    "Array.shape": "def shape(self) -> tuple[int, ...]:",
    "Array.dtype": "def dtype(self) -> DType:",
    "Array.ndim": "def ndim(self) -> int:",
    "Array.size": "def size(self) -> int:",
    "Array.reshape": "def reshape(self, *shape: Ints) -> Array:",
    "Array.__array_ufunc__": (
        "def __array_ufunc__(self, ufunc: Any, method: str, /, *inputs: Any, **options: Any) -> Any:"
    ),
}
# Constants that are no dtypes: they come from Python's math, not from the extension.
CONSTANTS = {"e": "float", "inf": "float", "nan": "float", "pi": "float", "newaxis": "None"}


def wrapped(line: re.Match[str]) -> str:
    """A definition of more than 120 columns, one parameter a line."""
    indent, head, parameters, tail = line.groups()
    if len(line[0]) <= 120:
        return line[0]
    # Commas inside brackets belong to a type.
    apart = re.split(r", (?![^\[]*\])", parameters)
    return f"{indent}{head}(\n" + "".join(f"{indent}    {each},\n" for each in apart) + f"{indent}){tail}"


def extension_stub() -> str:
    """The stub of penstock._core."""
    from nanobind.stubgen import ReplacePattern, StubGen  # type: ignore[import-untyped]

    from penstock import _core

    patterns = [
        ReplacePattern(
            re.compile(re.escape(f"{_core.__name__}.{name}") + "$"),
            [*(["@property"] if "(self)" in signature else []), signature, "\\doc", ""],
            matches=0,
        )
        for name, signature in PLAIN.items()
    ]
    generator = StubGen(
        module=_core, include_private=True, include_docstrings=True, quiet=True, recursive=False, patterns=patterns
    )
    for name, each in vars(_core).items():
        if not name.startswith("_") and name != "errors":
            generator.put(each, name, _core)
    text = generator.get()
    body = text[text.index("class ") :] if text.startswith(("from ", "import ")) else text
    # An array is compared element by element, which object's methods do not foresee.
    body = re.sub(r"(def __(?:eq|ne)__\(self, other: object, /\) -> Array:.*)", r"\1  # type: ignore[override]", body)
    body = body.replace("__hash__: None = None", "__hash__: None  # type: ignore[assignment]")
    body = re.sub(r"(?<!\.)\bpenstock\._core\.", "", body)
    body = re.sub(r"(?m)^ *def .*", lambda line: re.sub(r"(?<![\w.])bool\b", "builtins.bool", line[0]), body)
    body = re.sub(r"(?m)^( *)(def \w+)\((.*)\)( -> .*)$", wrapped, body)
    return f"{HEAD}{PRELUDE}\n{body.rstrip()}\n"


def package_stub() -> str:
    """The stub of the package: its names, from where they are defined."""
    from penstock import _api, _core

    lines = [HEAD.rstrip()]
    origins: dict[str, list[str]] = {"_api": [], "_core": []}
    for name in sorted(_api.__all__):
        if name in CONSTANTS:
            continue
        same = hasattr(_core, name) and getattr(_core, name) is getattr(_api, name)
        origins["_core" if same else "_api"].append(name)
    lines += ["from penstock import errors as errors"]
    for module, names in origins.items():
        lines += [f"from penstock.{module} import {name} as {name}" for name in names]
    lines += ["", "__array_api_version__: str", "__version__: str"]
    lines += [f"{name}: {kind}" for name, kind in CONSTANTS.items()]
    return "\n".join(lines) + "\n"


def errors_stub() -> str:
    """The stub of penstock.errors."""
    from penstock import _core

    classes = [each for each in vars(_core.errors).values() if isinstance(each, type)]
    lines = [HEAD]
    for each in classes:
        bases = ", ".join(base.__name__ for base in each.__bases__)
        lines.append(f"class {each.__name__}({bases}):\n    code: str\n    exit_status: int\n")
    return "\n".join(lines)


def stubs() -> dict[str, str]:
    """Every stub by its name."""
    return {"_core.pyi": extension_stub(), "__init__.pyi": package_stub(), "errors.pyi": errors_stub()}


def find_extension(folder: Path) -> None:
    """Lets the package in the source tree find its extension in a build folder."""
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(SOURCES))
    import penstock

    penstock.__path__.append(str(folder))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("into", type=Path, help="the folder to write to")
    parser.add_argument("--extension", type=Path, help="the folder of the extension; default: the installed package's")
    arguments = parser.parse_args()
    if arguments.extension is not None:
        find_extension(arguments.extension.resolve())
    arguments.into.mkdir(parents=True, exist_ok=True)
    for name, text in stubs().items():
        (arguments.into / name).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
