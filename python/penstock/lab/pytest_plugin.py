# SPDX-License-Identifier: Apache-2.0
"""``pytest --lab`` collects the gate cases, <root>/gates/*.toml; without --lab they are not looked at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--lab", action="store_true", help="also run the gate cases of penstock lab; they measure")


def pytest_collect_file(file_path: Path, parent: Any) -> pytest.Collector | None:
    if file_path.suffix != ".toml" or file_path.parent.name != "gates" or not parent.config.getoption("--lab"):
        return None
    collector: pytest.Collector = GateFile.from_parent(parent, path=file_path)
    return collector


class GateFile(pytest.File):
    """One gate case's file."""

    def collect(self) -> Iterator[pytest.Item]:
        yield GateItem.from_parent(self, name=self.path.stem)


class GateItem(pytest.Item):
    """One gate case: it fails on a confirmed regression and passes, with a warning, when undecided."""

    def runtest(self) -> None:
        from penstock.lab import check, promote

        outcome = check.check(promote.read(self.path), self.path.parent.parent)
        check.require(outcome)
        if outcome.status == check.UNDECIDED:
            self.add_report_section("call", "lab", "undecided: " + "; ".join(outcome.texts))

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        from penstock.lab.errors import LabError

        return str(excinfo.value) if isinstance(excinfo.value, LabError) else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, f"penstock lab check: {self.name}"
