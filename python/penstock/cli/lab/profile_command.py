# SPDX-License-Identifier: Apache-2.0
"""``penstock lab profile``: a flamegraph, hot lines, allocations, I/O and hardware counters of a program."""

from __future__ import annotations

import argparse
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.cli import parser, status
from penstock.cli.status import CommandError

if TYPE_CHECKING:
    from penstock.lab.profile import Target


def add_arguments(to: argparse.ArgumentParser) -> None:
    to.add_argument("name", metavar="NAME", nargs="?", help="a project of the lab")
    to.add_argument("--case", metavar="CASE", help="of a project: which of its cases; default: the first")
    to.add_argument("--target", metavar="MODULE:FUNCTION", help="a function that takes no arguments")
    to.add_argument("--script", metavar="'FILE ARGUMENT ...'", help="a Python file, run as a program")
    to.add_argument("--folder", metavar="DIRECTORY", default=".", help="where the target's module is; default: here")
    to.add_argument("--seconds", metavar="S", type=float, default=3.0, help="call a function for so long; default 3")
    to.add_argument("--time-limit", metavar="S", type=float, default=600.0, help="end it after so long; default 600")
    to.add_argument("--no-allocations", action="store_true", help="leave out the second run, which traces allocations")
    counted = "also count instructions and cache misses of one call (valgrind; minutes)"
    to.add_argument("--instructions", action="store_true", help=counted)
    to.add_argument("-o", "--output", metavar="DIRECTORY", help="where the profile goes; default: profile/<date-time>")
    parser.add_json_option(to)


def run(arguments: argparse.Namespace) -> int:
    target, home = _target(arguments)
    from penstock.lab import profile, profile_report

    options = profile.Options(
        seconds=arguments.seconds,
        limit=arguments.time_limit,
        allocations=not arguments.no_allocations,
        simulated=arguments.instructions,
    )
    directory = Path(arguments.output or home / "profile" / f"{datetime.now(UTC):%Y-%m-%d-%H%M%S}")
    if (directory / "profile.json").exists():
        raise CommandError(f"{directory} holds an earlier profile, which stays\n  give another --output", status.FAILED)
    found = profile.profile(target, options)
    files = profile_report.write(found, directory)
    if arguments.json:
        from penstock.cli.values import write_json

        write_json({**found, "files": [str(each) for each in files]})
        return status.OK
    lines = profile_report.summary(found)
    for row in profile_report.hot_rows(found):
        place, function, own, total, waiting, code = row
        lines.append(f"hot: {place} {function}: own {own}, total {total}, waiting {waiting}: {code}")
    if arguments.instructions:
        lines += profile_report.simulated_lines(found)
    lines += [f"written: {each}" for each in files]
    sys.stdout.write(status.printable("\n".join(lines) + "\n"))
    return status.OK


def _target(arguments: argparse.Namespace) -> tuple[Target, Path]:
    """What to profile, and the folder its profiles go to by default."""
    from penstock.lab.profile import Target

    if arguments.seconds < 0 or arguments.time_limit <= 0:
        raise CommandError("--seconds and --time-limit are positive numbers of seconds")
    if sum(map(bool, (arguments.name, arguments.target, arguments.script))) > 1:
        raise CommandError("a project, --target and --script exclude each other: give one")
    if arguments.script:
        try:
            script, *words = shlex.split(arguments.script)
        except ValueError as error:
            raise CommandError(f"--script {arguments.script}: {error}") from error
        if not Path(script).is_file():
            raise CommandError(f"no file {script}")
        return Target(script=script, arguments=words, folder=arguments.folder), Path()
    if arguments.target:
        return Target(function=arguments.target, folder=arguments.folder), Path()
    if arguments.name:
        return _project(arguments.name, arguments.case)
    raise CommandError("what is to be profiled?\n  give a project's NAME, --target MODULE:FUNCTION or --script FILE")


def _project(name: str, wanted: str | None) -> tuple[Target, Path]:
    """A project's baseline on one of its cases: the first one unless another is wanted."""
    from penstock.lab import layout
    from penstock.lab.profile import Target
    from penstock.lab.project import settings

    project = layout.existing_project(name)
    found = settings(project)
    cases = {each.name: each for each in found.cases}
    case = cases.get(wanted) if wanted else found.cases[0]
    if case is None:
        raise CommandError(f"{name} has no case '{wanted}'\n  its cases are {', '.join(cases)}")
    target = Target(
        function="baseline:run",
        folder=str(project.folder),
        others=(str(Path.cwd()), str(project.base)),
        case={"arguments": case.arguments, "seed": found.seeds[0]},
        title=f"{name}, case {case.name}",
    )
    return target, project.folder
