# SPDX-License-Identifier: Apache-2.0
"""Draws the demo's results: demo_pictures.py RESULT.npz PICTURES.npy FOLDER"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

APART = 20
EACH = 8  # crops of lowest and of highest contrast on the contact sheet
THUMB = (256, 192)
INK, PAPER, GREY = (20, 20, 20), (255, 255, 255), (200, 200, 200)


def mean_picture(results: Any) -> Image.Image:
    """The mean of all crops as a picture."""
    return Image.fromarray(np.clip(np.rint(results["mean_picture"]), 0, 255).astype(np.uint8))


def histogram(counts: Any) -> Image.Image:
    """Bars of the share of pixels by luminance, the axes labelled."""
    left, top, bar, height = 70, 40, 3, 360
    image = Image.new("RGB", (left + 256 * bar + 30, top + height + 60), PAPER)
    pen = ImageDraw.Draw(image)
    share = counts / max(1, counts.sum())
    highest = max(float(share.max()), 1e-12)
    bottom = top + height
    for part in range(5):
        y = bottom - height * part // 4
        pen.line([(left, y), (left + 256 * bar, y)], fill=GREY)
        pen.text((left - 8, y), f"{highest * part / 4:.2%}", fill=INK, anchor="rm")
    for value, each in enumerate(share):
        x = left + value * bar
        pen.rectangle(
            [x, bottom - round(height * float(each) / highest), x + bar - 1, bottom], fill=(value, value, value)
        )
    for value in range(0, 257, 32):
        pen.text((left + value * bar, bottom + 10), str(value), fill=INK, anchor="ma")
    pen.text((left + 128 * bar, bottom + 32), "luminance (BT.601)", fill=INK, anchor="ma")
    pen.text((left, top - 26), f"share of {int(counts.sum()):,} pixels", fill=INK)
    return image


def spread(order: list[int]) -> list[int]:
    """The first of ``order``, leaving out near neighbours of one already chosen: crops overlap theirs."""
    chosen: list[int] = []
    for index in order:
        if len(chosen) < EACH and all(abs(index - other) >= APART for other in chosen):
            chosen.append(index)
    return chosen


def contact_sheet(results: Any, crops: Any) -> Image.Image:
    """The crops of lowest and of highest contrast, each with its number, contrast and mean luminance."""
    contrast, mean = results["luminance_contrast"], results["luminance_mean"]
    order = [int(each) for each in np.argsort(contrast, kind="stable")]
    rows = [("lowest contrast", spread(order)), ("highest contrast", spread(order[::-1]))]
    count = max(len(chosen) for _, chosen in rows)
    columns = 4
    lines = -(-count // columns)
    band = 28 + lines * (THUMB[1] + 24)
    image = Image.new("RGB", (columns * (THUMB[0] + 8) + 8, 2 * band + 8), PAPER)
    pen = ImageDraw.Draw(image)
    for number, (title, chosen) in enumerate(rows):
        pen.text((8, number * band + 10), title, fill=INK)
        for place, index in enumerate(chosen):
            x = 8 + place % columns * (THUMB[0] + 8)
            y = number * band + 28 + place // columns * (THUMB[1] + 24)
            image.paste(Image.fromarray(np.asarray(crops[index])).resize(THUMB), (x, y))
            text = f"crop {index}: std {contrast[index]:.1f}, mean {mean[index]:.1f}"
            pen.text((x, y + THUMB[1] + 4), text, fill=INK)
    return image


def main() -> None:
    results = np.load(sys.argv[1])
    crops = np.load(sys.argv[2], mmap_mode="r")
    folder = Path(sys.argv[3])
    drawn = {
        "mean.png": mean_picture(results),
        "histogram.png": histogram(results["luminance_histogram"]),
        "contrast.png": contact_sheet(results, crops),
    }
    for name, image in drawn.items():
        image.save(folder / name)
        print(f"drew {folder / name}")


if __name__ == "__main__":
    main()
