"""Open-circuit potentials against Li/Li+ at room temperature, from tables."""

from __future__ import annotations

from functools import cache
from typing import Any

from operando.errors import InputError
from operando.materials.curve import Curve, curve_from_points
from operando.materials.tables import rows_from_table

OPEN_CIRCUIT_MATERIALS = ("LixCoO2", "NCM83", "LiIn", "Li")
"""Materials with a table; NCM83 (LiNi0.83Co0.11Mn0.06O2) has that of NMC811, LiIn the two-phase plateau with In."""


@cache
def open_circuit_curve(material: str) -> Curve:
    """Potential [V] against lithiation x, 0 to 1.

    Beyond its points the table goes on straight: a solver that oversteps meets a potential that still falls with x.
    LixCoO2 has points from 0.40 to 0.99, NCM83 from 0.25 to 1.

    Raises
    ------
    InputError
        If the material has no table.
    """
    if material not in OPEN_CIRCUIT_MATERIALS:
        raise InputError("material", must=f"one of {', '.join(OPEN_CIRCUIT_MATERIALS)}", received=material)
    rows = [row for row in rows_from_table("open_circuit") if row["material"] == material]
    return curve_from_points(
        x=[float(row["lithiation"]) for row in rows], y=[float(row["potential_V"]) for row in rows]
    )


def open_circuit_potential_from_lithiation(*, lithiation: Any, material: str) -> Any:
    """Open-circuit potential [V] against Li/Li+ of `material` at lithiation x; numpy or JAX arrays."""
    return open_circuit_curve(material)(lithiation)


def open_circuit_slope_from_lithiation(*, lithiation: Any, material: str) -> Any:
    """Derivative dU/dx [V] of the open-circuit potential."""
    return open_circuit_curve(material).slope(lithiation)
