# SPDX-License-Identifier: Apache-2.0
"""``penstock lab bench``: how fast a valid try is, against its baseline, case by case."""

from __future__ import annotations

import argparse

from penstock.cli import parser, status


def add_arguments(to: argparse.ArgumentParser) -> None:
    to.add_argument("name", metavar="NAME", help="the project")
    to.add_argument("tried", metavar="TRY", help="the optimisation")
    parser.add_json_option(to)


def run(arguments: argparse.Namespace) -> int:
    from penstock.cli.lab.told import telling
    from penstock.lab import bench, layout

    tried = layout.existing_try(layout.existing_project(arguments.name), arguments.tried)
    with telling(arguments.json) as (say, measure):
        lines = bench.bench(tried, measure=measure, say=say)
        say(f"next: penstock lab report {arguments.name}")
    if arguments.json:
        from penstock.cli.values import write_json

        write_json({"results": lines})
    noisy = [each["case"] for each in lines if each["noisy"]]
    if noisy:
        status.warn(f"the machine was busy with other work during {', '.join(noisy)}")
    return status.OK
