# SPDX-License-Identifier: Apache-2.0
"""Environments of peers that cannot share ours: python benchmarks/env.py [PEER ...]

Each is a virtual environment in .venv-bench/PEER with the packages named here from PyPI, 3.5 GB together. Without
arguments all of them are made. One that cannot be installed is said so, and its comparisons say so. The newest NumPy is
in the project's own environment.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import venv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch_cpu
from penstock.lab.sides import calibrated

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parent / ".venv-bench"
READY = "packages.txt"
NUMPY = "numpy==2.4.6"  # the operands' bits come from NumPy in every environment


@dataclass(frozen=True)
class Peer:
    """What an environment holds. `alone` are installed without what they ask for; `finish` runs at the end."""

    packages: tuple[str, ...]
    alone: tuple[str, ...] = ()
    finish: Callable[[Path], object] | None = None

    @property
    def wanted(self) -> str:
        return "\n".join((*self.packages, *self.alone))


def without_cuda(place: Path) -> None:
    """PyPI's PyTorch asks for 3 GB of CUDA libraries, which its CPU side never calls."""
    (libraries,) = place.glob("lib/python*/site-packages/torch/lib")
    torch_cpu.complete(libraries)


TORCH_NEEDS = ("filelock==4.2.11", "fsspec==2026.9.0", "jinja2==3.1.6", "networkx==3.6.1", "setuptools==84.2.1")
PEERS = {
    "numpy-1.24": Peer(("numpy==1.24.4",)),
    "numexpr": Peer((NUMPY, "numexpr==2.14.2")),
    "blosc2": Peer((NUMPY, "blosc2==4.14.1")),
    "torch": Peer(
        (NUMPY, *TORCH_NEEDS, "sympy==1.14.0", "typing-extensions==4.16.0"), ("torch==2.15.0",), without_cuda
    ),
    "jax": Peer((NUMPY, "jax==0.10.2", "jaxlib==0.10.2")),
    "numba": Peer((NUMPY, "numba==0.68.1")),
    "dask": Peer((NUMPY, "dask[array]==2026.8.0")),
}


def python_of(peer: str) -> Path | None:
    """The interpreter of a peer's environment; None where it was not made for today's packages."""
    place = FOLDER / peer
    ready = place / READY
    made = ready.is_file() and ready.read_text(encoding="utf-8") == PEERS[peer].wanted
    return place / "bin" / "python" if made else None


def make(peer: str) -> bool:
    """Makes the environment; says why where that fails."""
    if python_of(peer) is not None:
        print(f"{peer}: there already")
        return True
    place, wanted = FOLDER / peer, PEERS[peer]
    venv.create(place, with_pip=True, clear=True)
    try:
        install(place, wanted.packages)
        if wanted.alone:
            install(place, ("--no-deps", *wanted.alone))
        if wanted.finish is not None:
            wanted.finish(place)
    except (subprocess.CalledProcessError, OSError, ValueError) as error:
        print(f"{peer}: cannot be installed here ({error}); its comparisons will say so", file=sys.stderr)
        return False
    (place / READY).write_text(wanted.wanted, encoding="utf-8")
    print(f"{peer}: made in {place}")
    return True


def install(place: Path, what: Sequence[str]) -> None:
    """No compiling: a peer is measured as its makers built it."""
    command = [str(place / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*command, "--only-binary=:all:", *what], check=True)


class Worker:
    """A running worker.py of a peer's environment, with so many threads."""

    def __init__(self, python: Path, peer: str = "numpy", threads: int = 1) -> None:
        command = [str(python), str(HERE / "worker.py"), peer, str(threads)]
        # In a group of its own: Ctrl-C is ours to handle, and the worker ends with its input.
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, process_group=0
        )
        try:
            self.versions = self.ask("versions")
        except BaseException:
            self.close()
            raise

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """One request and its answer. Raises RuntimeError with the worker's own words."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise RuntimeError(f"the worker ended with status {self._process.wait()}") from None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the worker ended with status {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise RuntimeError(f"the worker could not {do}: {answer['error']}")
        return answer

    @property
    def ended(self) -> bool:
        """Whether its process is gone: out of memory, or a crash."""
        return self._process.poll() is not None

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


class Remote:
    """A side that a worker times."""

    def __init__(self, worker: Worker) -> None:
        self.calls = 1
        self._worker = worker

    def calibrate(self, least: float) -> None:
        self.calls = 1
        self.calls = calibrated(self, least)

    def __call__(self) -> float:
        return float(self._worker.ask("time", calls=self.calls)["seconds"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peers", nargs="*", metavar="PEER", help=f"one of {', '.join(PEERS)}; default: all")
    wanted = parser.parse_args().peers or list(PEERS)
    unknown = [peer for peer in wanted if peer not in PEERS]
    if unknown:
        parser.error(f"no peer named {', '.join(unknown)}; there are {', '.join(PEERS)}")
    made = [make(peer) for peer in wanted]  # each one, whatever became of the others
    return 0 if all(made) else 1


if __name__ == "__main__":
    sys.exit(main())
