# SPDX-License-Identifier: Apache-2.0
"""The reference: klein_gordon.py's step in plain NumPy, a pass over memory for each operation."""

from klein_gordon import energy, start, step


def inputs(case, seed):
    """The two fields that a run starts from, off the clock; the same for every try."""
    u, p = start(case["n"], case["dimensions"], seed)
    return {"u": u, "p": p, "steps": case["steps"]}


def run(inputs):
    """The last two fields."""
    u, p = inputs["u"], inputs["p"]
    for _ in range(inputs["steps"]):
        u, p = step(u, p), u
    return {"u": u, "p": p}


def energy_drift(inputs, outputs):
    """The relative change of the conserved energy."""
    before = energy(inputs["u"], inputs["p"])
    return (energy(outputs["u"], outputs["p"]) - before) / before
