# SPDX-License-Identifier: Apache-2.0
"""Environments of peers that cannot share ours: python benchmarks/env.py [PEER ...]

Each is a virtual environment in .venv-bench/PEER with the packages named here from PyPI. Without arguments all of them
are made. One that cannot be installed is said so, and its comparisons become rows that say so.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

from penstock.lab.sides import calibrated

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parent / ".venv-bench"
PEERS = {"numpy-1.24": ("numpy==1.24.4",)}
READY = "packages.txt"


def python_of(peer: str) -> Path | None:
    """The interpreter of a peer's environment; None where it was not made for today's packages."""
    place = FOLDER / peer
    ready = place / READY
    wanted = "\n".join(PEERS[peer])
    return place / "bin" / "python" if ready.is_file() and ready.read_text(encoding="utf-8") == wanted else None


def make(peer: str) -> bool:
    """Makes the environment; says why where that fails."""
    if python_of(peer) is not None:
        print(f"{peer}: there already")
        return True
    place = FOLDER / peer
    venv.create(place, with_pip=True, clear=True)
    command = [str(place / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # No compiling: a peer is measured as its makers built it.
    done = subprocess.run([*command, "--only-binary=:all:", *PEERS[peer]], check=False)
    if done.returncode != 0:
        print(f"{peer}: cannot be installed here; its comparisons will say so", file=sys.stderr)
        return False
    (place / READY).write_text("\n".join(PEERS[peer]), encoding="utf-8")
    print(f"{peer}: made in {place}")
    return True


class Worker:
    """A running worker.py of a peer's environment."""

    def __init__(self, python: Path) -> None:
        command = [str(python), str(HERE / "worker.py")]
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
