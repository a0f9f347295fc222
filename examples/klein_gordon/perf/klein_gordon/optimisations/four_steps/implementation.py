# SPDX-License-Identifier: Apache-2.0
"""Four steps in one expression, so that fields go through memory once for all four."""

import numpy as np
from klein_gordon import step

import penstock as ps

DEPTH = 4


def run(inputs):
    """As the fused try, with an evaluation every fourth step."""
    u, p = ps.asarray(inputs["u"]), ps.asarray(inputs["p"])
    for done in range(1, inputs["steps"] + 1):
        u, p = step(u, p, ps), u
        if done % DEPTH == 0 or done == inputs["steps"]:
            ps.evaluate(u, p)
    return {"u": np.asarray(u), "p": np.asarray(p)}
