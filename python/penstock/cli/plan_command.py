# SPDX-License-Identifier: Apache-2.0
"""``penstock plan``: how an expression would be calculated. Reads headers, no data; writes nothing."""

from __future__ import annotations

import argparse
import sys

from penstock.cli import operands, parser, status
from penstock.cli.eval_command import as_results
from penstock.expression import parse


def add_arguments(to: argparse.ArgumentParser) -> None:
    parser.add_operands(to)
    to.add_argument("-o", "--output", metavar="FILE", help="plan for a result that is saved there; nothing is written")
    to.add_argument("--overwrite", action="store_true", help="as for eval: the output may exist")
    to.add_argument("--dtype", type=operands.dtype_option, help="convert the result, such as float32")
    parser.add_engine_options(to)
    parser.add_json_option(to)


def run(arguments: argparse.Namespace) -> int:
    expression = parse(arguments.expression)
    files = operands.named_arrays(arguments.operands, expression)
    if arguments.output is not None:
        operands.output_path(arguments.output, list(files.values()), arguments.overwrite)
    ps = operands.engine(arguments)
    results = as_results(ps, expression, {name: file.open() for name, file in files.items()}, arguments.dtype)
    to_file = arguments.output not in (None, operands.STREAM)
    plan = ps.plan(*results, save=arguments.output if to_file else False)
    facts = plan.to_dict()
    if arguments.json:
        from penstock.cli.values import plain, write_json

        write_json({"expression": arguments.expression, **plain(facts)})
    else:
        sys.stdout.write(str(plan).rstrip("\n") + "\n")
    return status.OK if facts.get("fits", True) else status.NO_SPACE
