# SPDX-License-Identifier: Apache-2.0
"""Results as lines of Markdown: numbers, tables of comparisons, and what each row ran on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Line = dict[str, Any]


def number(value: float) -> str:
    """Three significant figures, never as a power of ten."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def value_text(each: Line) -> str:
    if each["value"] is None:
        return "-"
    return f"{figure(each, 'value')}{'' if each['unit'] == 'x' else ' '}{each['unit']}"


def figure(each: Line, key: str) -> str:
    """One of a comparison's numbers; counts are whole."""
    return f"{each[key]:g}" if each["unit"] == "distinct" else number(each[key])


def interval_text(each: Line) -> str:
    return "-" if each["low"] is None else f"{figure(each, 'low')} to {figure(each, 'high')}"


def bar_text(each: Line) -> str:
    return "-" if each["bar"] is None else f"{'<=' if each['at_most'] else '>='} {figure(each, 'bar')}"


def table(lines: Iterable[Line]) -> list[str]:
    """One group's table; a row of several comparisons takes several lines."""
    text = [
        "| what | against | result | 95 % interval | spread | bar | verdict |",
        "|---|---|---|---|---|---|---|",
    ]
    for line in lines:
        mark = " \\*" if line["beside"]["noisy"] else ""
        if line.get("refused"):
            text.append(f"| {line['title']}{mark} | | | | | | refused: {cell(line['refused'])} |")
            continue
        for each in line["comparisons"]:
            spread = "-" if each["spread"] is None else spread_text(each)
            tail = each["verdict"] + (f": {cell(each['note'])}" if each["note"] else "")
            cells = [line["title"] + mark, each["peer"], value_text(each), interval_text(each), spread, bar_text(each)]
            text.append(f"| {' | '.join([*cells, tail])} |")
    return text


def spread_text(each: Line) -> str:
    return f"{each['spread']:.1%}" if each["unit"] == "x" else figure(each, "spread")


def cell(text: str) -> str:
    """Text that cannot end a table's cell."""
    return text.replace("|", "/").replace("\n", " ")


def setups(lines: Iterable[Line]) -> list[str]:
    """What each row ran on, how often, and what share of the machine it reached."""
    text = []
    for line in lines:
        if line.get("refused"):
            continue
        parts = [f"{line['setup']}; n = {line['n']}"]
        if line["checked"]:
            parts.append(f"checked: {line['checked']}")
        if line.get("peaks"):
            needs = ", ".join(f"{who} {bytes_ / 2**20:,.0f} MiB" for who, bytes_ in line["peaks"].items())
            parts.append(f"memory of a call: {needs}")
        if line["share_of_ceiling"] is not None:
            parts.append(
                f"{line['share_of_ceiling']:.0%} of the bytes a second of a {line['ceiling']} in the same quadruples"
            )
        text.append(f"* {line['title']}: {'; '.join(parts)}.")
    return text


def disturbances(lines: Iterable[Line]) -> list[str]:
    """The rows beside which something else ran."""
    noisy = [line for line in lines if line["beside"]["noisy"]]
    if not noisy:
        return ["Nothing else of weight ran beside any row.", ""]
    text = ["\\* Measured while others used the machine:", ""]
    for line in noisy:
        beside = line["beside"]
        names = f" ({cell(', '.join(beside['processes']))})" if beside["processes"] else ""
        text.append(
            f"* {line['title']}: others took {beside['others']:.2f} CPUs{names}, the host {beside['steal']:.2f}."
        )
    return [*text, ""]


def commits(lines: Iterable[Line]) -> list[str]:
    """What was measured, and whether its files were those of the commit."""
    return sorted({line["on"]["commit"] + (" with changes" if line["on"]["changed"] else "") for line in lines})


def origin(lines: list[Line]) -> list[str]:
    """The machine, the build and the versions."""
    on = lines[-1]["on"]
    versions = ", ".join(f"{name} {version}" for name, version in on["versions"].items())
    scales = sorted({line["scale"] for line in lines})
    days = sorted({line["when"][:10] for line in lines})
    text = [
        f"{on['machine']}, {on['cpus']} CPUs, {on['memory'] / 2**30:.0f} GiB, L3 {on['caches'][2] >> 20} MiB,",
        f"huge pages {on['huge_pages']}. CPU target {on['target']}, {lines[-1]['threads']} threads, {on['compiler']}.",
        f"{versions}. Commit {', '.join(commits(lines))}; measured {' and '.join(days)}.",
    ]
    if scales != [1]:
        text.append(f"Sizes are {', '.join(f'{scale:g}' for scale in scales)} of those named.")
    return [*text, ""]
