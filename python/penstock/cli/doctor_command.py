# SPDX-License-Identifier: Apache-2.0
"""``penstock doctor``: findings about this machine and a directory, each with its fix."""

from __future__ import annotations

import argparse
import os
import sys

from penstock.cli import parser, status

_MARKS = {"ok": "ok     ", "warning": "WARNING", "failure": "FAILURE"}


def add_arguments(to: argparse.ArgumentParser) -> None:
    to.add_argument("directory", metavar="DIRECTORY", nargs="?", default=".", help="where outputs go; default: here")
    to.add_argument("--clean", action="store_true", help="remove unfinished outputs of runs that are no longer alive")
    to.add_argument("--no-disk", action="store_true", help="do not measure the disk (256 MiB, two seconds)")
    parser.add_json_option(to)


def run(arguments: argparse.Namespace) -> int:
    from penstock import doctor
    from penstock.finding import FAILURE

    removed = _clean(arguments.directory) if arguments.clean else []
    findings = doctor.examine(arguments.directory, measure_disk=not arguments.no_disk)
    if arguments.json:
        from penstock.cli.values import plain, write_json

        write_json({"findings": plain([each.to_dict() for each in findings]), "removed": removed})
    else:
        for path in removed:
            sys.stdout.write(status.printable(f"removed {path}\n"))
        for each in findings:
            sys.stdout.write(status.printable(f"{_MARKS[each.status]} {each.check}: {each.text}\n"))
            if each.fix:
                sys.stdout.write(status.printable(f"        fix: {each.fix}\n"))
        sys.stdout.write(_verdict([each.status for each in findings]))
    return status.FAILED if any(each.status == FAILURE for each in findings) else status.OK


def _clean(directory: str) -> list[str]:
    from penstock.disk import partial_files

    if not os.path.isdir(directory):
        return []
    files = partial_files(directory)
    for path in files:
        os.unlink(path)
    return files


def _verdict(statuses: list[str]) -> str:
    failures, warnings = statuses.count("failure"), statuses.count("warning")
    if not failures and not warnings:
        return "all is well\n"
    words = [f"{failures} failure{'s' * (failures != 1)}"] * bool(failures)
    words += [f"{warnings} warning{'s' * (warnings != 1)}"] * bool(warnings)
    return ", ".join(words) + "\n"
