# SPDX-License-Identifier: Apache-2.0
"""``penstock lab roofline``: what this machine can do at most, and where recorded kernels lie below it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.cli import parser, status
from penstock.cli.status import CommandError

if TYPE_CHECKING:
    from penstock.lab.roofline import Kernel, Line


def add_arguments(to: argparse.ArgumentParser) -> None:
    to.add_argument("-o", "--output", metavar="DIRECTORY", help="where the pictures go; default: the lab's root")
    to.add_argument("--threads", metavar="N", type=parser.positive, help="default: as many as the engine uses")
    to.add_argument("--quick", action="store_true", help="fewer and shorter runs, not recorded")
    to.add_argument("--draw", action="store_true", help="measure nothing: draw the newest that is recorded")
    to.add_argument("--disk", metavar="DIRECTORY", default=".", help="whose disk is measured; default: here")
    to.add_argument("--no-disk", action="store_true", help="leave the disk out")
    parser.add_json_option(to)


def run(arguments: argparse.Namespace) -> int:
    if arguments.draw and (arguments.quick or arguments.threads):
        raise CommandError("--draw measures nothing: leave out --quick and --threads")
    from penstock.lab import layout, machine, results, roofline, roofline_picture

    root = layout.root()
    if arguments.draw:
        line = roofline.newest(results.read(root), machine.identity(machine.record()))
    else:
        line = roofline.measure(
            roofline.QUICK if arguments.quick else None,
            threads=arguments.threads or 0,
            directory=None if arguments.no_disk else arguments.disk,
            say=_say,
        )
        if not arguments.quick:
            results.append(root, [line])
    kernels = roofline.kernels(results.read(root), line["identity"])
    files = _write(Path(arguments.output or root), line, kernels)
    if arguments.json:
        from penstock.cli.values import write_json

        write_json({**line, "kernels": [vars(each) for each in kernels], "files": [str(each) for each in files]})
        return status.OK
    for row in roofline_picture.rows(line):
        what, threads, median, interval, *_ = row
        sys.stdout.write(f"{what:<10} {threads:>3} thr. {median:>18}  {interval}\n")
    sys.stdout.write(roofline_picture.disk_text(line["disk"]) + "\n")
    for cells in roofline_picture.kernel_rows(line, kernels):
        sys.stdout.write(status.printable(f"kernel {cells[0]}: {cells[2]}, {cells[3]}, {cells[4]} of DRAM's roof\n"))
    if line["beside"]["noisy"]:
        status.warn(f"others used the machine: {', '.join(line['beside']['processes']) or 'the host'}")
    sys.stdout.write("".join(f"written: {each}\n" for each in files))
    return status.OK


def _write(directory: Path, line: Line, kernels: list[Kernel]) -> list[Path]:
    """The pictures, made anew from what is recorded."""
    from penstock.lab import roofline_picture

    directory.mkdir(parents=True, exist_ok=True)
    texts = {
        "roofline.svg": roofline_picture.draw(line, kernels),
        "roofline.md": roofline_picture.markdown(line, kernels),
        "roofline.html": roofline_picture.html(line, kernels),
    }
    for name, text in texts.items():
        (directory / name).write_text(text, encoding="utf-8")
    return [directory / name for name in texts]


def _say(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}")
