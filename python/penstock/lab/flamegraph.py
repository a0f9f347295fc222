# SPDX-License-Identifier: Apache-2.0
"""Stacks with their seconds as a flamegraph: callers below, callees above, width = share of the time."""

from __future__ import annotations

import colorsys
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from penstock.lab.svg import GREY, head, number_text

WIDTH, ROW, TOP, MARGIN = 1200, 18, 52, 16
# Narrower ones are not drawn; their time shows in their caller's width.
LEAST_PIXELS = 0.4
_LETTER = 6.6


@dataclass
class Node:
    """One function in one place of the tree; ``seconds`` includes all that it called."""

    name: str
    seconds: float = 0.0
    children: dict[str, Node] = field(default_factory=dict)

    def add(self, names: Sequence[str], seconds: float) -> None:
        """Counts ``seconds`` here and along ``names``, outermost first."""
        node = self
        node.seconds += seconds
        for name in names:
            node = node.children.setdefault(name, Node(name))
            node.seconds += seconds

    def depth(self) -> int:
        """Levels below this one and itself."""
        return 1 + max((each.depth() for each in self.children.values()), default=0)


def tree(stacks: Mapping[tuple[str, ...], float]) -> Node:
    """The tree of stacks of function names, outermost first, with their seconds."""
    root = Node("all")
    for names, seconds in stacks.items():
        root.add(names, seconds)
    return root


def draw(root: Node, title: str, width: int = WIDTH) -> str:
    """The picture as one ``<svg>`` element; hovering shows a function's name, seconds and share.

    Siblings are in alphabetical order, so that two profiles of one program look alike.
    """
    levels = _drawn_depth(root, width - 2 * MARGIN, root.seconds)
    height = TOP + ROW * levels + MARGIN
    about = f"{number_text(root.seconds, 's')}; a function lies on its caller, its width is its share of the time"
    text = head(width, height, title, about)
    text.append('<g font-size="11" font-family="monospace">')
    if root.seconds > 0:
        _draw(root, MARGIN, height - MARGIN - ROW, (width - 2 * MARGIN) / root.seconds, root.seconds, text)
    else:
        text.append(
            f'<text x="{MARGIN}" y="{TOP + 12}" fill="{GREY}">No sample was taken: the run was too short.</text>'
        )
    return "\n".join([*text, "</g>", "</svg>"]) + "\n"


def _drawn_depth(node: Node, pixels: float, total: float) -> int:
    """Levels of the tree that are wide enough to be drawn."""
    below = [each for each in node.children.values() if total > 0 and each.seconds / total * pixels >= LEAST_PIXELS]
    return 1 + max((_drawn_depth(each, pixels, total) for each in below), default=0)


def _draw(node: Node, x: float, y: float, scale: float, total: float, text: list[str]) -> None:
    wide = node.seconds * scale
    if wide < LEAST_PIXELS:
        return
    share = node.seconds / total
    hover = f"{node.name}\n{number_text(node.seconds, 's')}, {share:.1%}"
    label = _fitting(node.name, wide)
    text.append(
        f'<g class="f" data-x="{(x - MARGIN) / scale / total:.6f}" data-w="{share:.6f}">'
        f"<title>{escape(hover)}</title>"
        f'<rect x="{x:.1f}" y="{y:g}" width="{max(wide - 0.5, 0.3):.1f}" height="{ROW - 1}" rx="1" '
        f'fill="{colour(node.name)}"/>'
        + (f'<text x="{x + 3:.1f}" y="{y + 12.5:g}">{escape(label)}</text>' if label else "")
        + "</g>"
    )
    for name in sorted(node.children):
        child = node.children[name]
        _draw(child, x, y - ROW, scale, total, text)
        x += child.seconds * scale


def _fitting(name: str, pixels: float) -> str:
    letters = int((pixels - 6) / _LETTER)
    if letters >= len(name):
        return name
    return name[: letters - 1] + "…" if letters >= 4 else ""


def colour(name: str) -> str:
    """A warm colour that depends on the name alone."""
    mixed = zlib.crc32(name.encode())
    hue, lightness, saturation = 15 + mixed % 40, 62 + mixed // 4096 % 14, 70 + mixed // 64 % 20
    red, green, blue = colorsys.hls_to_rgb(hue / 360, lightness / 100, saturation / 100)
    return f"#{round(255 * red):02x}{round(255 * green):02x}{round(255 * blue):02x}"
