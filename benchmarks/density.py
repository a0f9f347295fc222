# SPDX-License-Identifier: Apache-2.0
"""The density of sea water: a long polynomial, as ocean models calculate it at every point and step.

The international equation of state EOS-80: N. P. Fofonoff, R. C. Millard, "Algorithms for computation of fundamental
properties of seawater", UNESCO technical papers in marine science 44 (1983), section 3.
"""

from __future__ import annotations

from typing import Any

from numpy import sqrt


def equation_of_state(s: Any, t: Any, p: Any) -> Any:
    """Density in kg/m3 of salinity `s` (practical scale), temperature `t` (degrees Celsius) and pressure `p` (bar).

    Valid for 0 to 42, -2 to 40 and 0 to 1000. `sqrt` is whatever the function's globals name so: each peer its own.
    """
    root = sqrt(s)
    water = 999.842594 + t * (
        6.793952e-2 + t * (-9.095290e-3 + t * (1.001685e-4 + t * (-1.120083e-6 + t * 6.536332e-9)))
    )
    linear = 8.24493e-1 + t * (-4.0899e-3 + t * (7.6438e-5 + t * (-8.2467e-7 + t * 5.3875e-9)))
    surface = water + s * (linear + root * (-5.72466e-3 + t * (1.0227e-4 + t * -1.6546e-6)) + s * 4.8314e-4)
    fresh = 19652.21 + t * (148.4206 + t * (-2.327105 + t * (1.360477e-2 + t * -5.155288e-5)))
    bulk = fresh + s * (
        54.6746
        + t * (-0.603459 + t * (1.09987e-2 + t * -6.1670e-5))
        + root * (7.944e-2 + t * (1.6483e-2 + t * -5.3009e-4))
    )
    pure = 3.239908 + t * (1.43713e-3 + t * (1.16092e-4 + t * -5.77905e-7))
    first = pure + s * (2.2838e-3 + t * (-1.0981e-5 + t * -1.6078e-6) + root * 1.91075e-4)
    second = 8.50935e-5 + t * (-6.12293e-6 + t * 5.2787e-8) + s * (-9.9348e-7 + t * (2.0816e-8 + t * 9.1697e-10))
    return surface / (1 - p / (bulk + p * (first + p * second)))


# (s, t, p) -> density, from the same publication.
CHECKED = {
    (0.0, 5.0, 0.0): 999.96675,
    (0.0, 5.0, 1000.0): 1044.12802,
    (35.0, 5.0, 0.0): 1027.67547,
    (35.0, 25.0, 0.0): 1023.34306,
    (35.0, 25.0, 1000.0): 1062.53817,
}
# Additions, multiplications, divisions and the root, counted in the lines above.
OPERATIONS = 82
