# SPDX-License-Identifier: Apache-2.0
"""``penstock tune``: measures this machine's thresholds and writes them where later runs read them."""

from __future__ import annotations

import argparse
import sys

from penstock.cli import parser, status


def add_arguments(to: argparse.ArgumentParser) -> None:
    to.add_argument("-o", "--output", metavar="FILE", help="where to write; default: PENSTOCK_TUNE or this machine's")
    to.add_argument(
        "--seconds", type=float, default=30.0, metavar="S", help="how long to measure, 5 to 60; default: 30"
    )
    parser.add_json_option(to)


def run(arguments: argparse.Namespace) -> int:
    import penstock as ps
    from penstock import _core

    path = arguments.output or _core.tuning_path()
    values = ps.tune(arguments.seconds, arguments.output)
    if arguments.json:
        from penstock.cli.values import write_json

        write_json({"path": path, "machine": _core.machine_id(), "thresholds": values})
    else:
        usual = _core.default_tuning()
        for name, size in values.items():
            sys.stdout.write(f"{name:<18} {_size(size):>10}   default {_size(usual[name])}\n")
        sys.stdout.write(status.printable(f"written to {path}\n"))
    return status.OK


def _size(size: int) -> str:
    from penstock.progress import size_text

    return "never" if size >= 1 << 50 else size_text(size)
