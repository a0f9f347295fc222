# SPDX-License-Identifier: Apache-2.0
"""Lets PyPI's PyTorch start without the CUDA libraries: python benchmarks/torch_cpu.py FOLDER_OF_ITS_LIBRARIES

PyPI has PyTorch for Linux on x86-64 only in a build that is linked with CUDA, whose libraries are 3 GB of further
packages. Its CPU side is the same as in the CPU-only build and never calls them; only the loader wants each name. So
the libraries that are missing are made here, empty, and one more answers every call with cudaErrorNoDevice: PyTorch
then finds no GPU. Takes seconds, a C++ compiler and binutils. The symbols lie in a library of another name since the
loader refuses unversioned ones where it looks for versions.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

NO_DEVICE = 100
OURS = "libnocuda.so"
CUDA = re.compile(r"(__)?cu|nccl|nvrtc|nvshmem")
LIBRARY = re.compile(r"lib(cu|nccl|nvrtc|nvshmem)\w*\.so\.\d+")


def symbols(libraries: Iterable[Path], kind: str) -> set[str]:
    """The dynamic symbols that the libraries define ("defined") or lack ("undefined"), without their versions."""
    command = ["nm", "--dynamic", "--format=just-symbols", f"--{kind}-only", *map(str, libraries)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {line.partition("@")[0] for line in text.splitlines() if line and not line.endswith(":")}


def needed(libraries: Iterable[Path]) -> set[str]:
    """The names of the libraries that the loader will look for."""
    command = ["readelf", "--dynamic", *map(str, libraries)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return set(re.findall(r"\(NEEDED\)\s+Shared library: \[(.+?)\]", text))


def source(names: Iterable[str]) -> str:
    """C++ that defines each name: no device, and of what returns text an empty one."""
    lines = [
        f'const char* {name}() {{ return ""; }}' if "String" in name else f"int {name}() {{ return {NO_DEVICE}; }}"
        for name in sorted(names)
    ]
    return "\n".join(['extern "C" {', *lines, "}", ""])


def build(text: str, target: Path, *more: str) -> None:
    """Compiles C++ into a shared library of that name."""
    command = ["g++", "-shared", "-fPIC", "-w", "-x", "c++", "-", "-x", "none", f"-Wl,-soname,{target.name}"]
    subprocess.run([*command, "-o", str(target), *more], check=True, input=text, text=True)


def complete(folder: Path) -> list[str]:
    """Makes the missing CUDA libraries of a PyTorch whose own libraries lie in `folder`; their names."""
    own = sorted(folder.glob("*.so"))
    wanted = {name for name in symbols(own, "undefined") - symbols(own, "defined") if CUDA.match(name)}
    missing = sorted(name for name in needed(own) if LIBRARY.fullmatch(name) and not (folder / name).exists())
    build(source(wanted), folder / OURS)
    for name in missing:
        build("", folder / name, "-Wl,--no-as-needed", f"-L{folder}", f"-l:{OURS}", "-Wl,-rpath,$ORIGIN")
    return missing


if __name__ == "__main__":
    print(f"without CUDA: {', '.join(complete(Path(sys.argv[1])))}")
