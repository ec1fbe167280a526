"""The figures that an analysis is to find, from the evolution that made its data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from operando.cell.amounts import amounts_from_cell, cathode_thickness_from_cell
from operando.electrochemistry.front import front_depth_from_profile

if TYPE_CHECKING:
    from operando.electrochemistry.state import Evolution


def truth_figures(evolution: Evolution, time: float) -> dict[str, float]:
    """Figures of a cell at `time` [s], in SI.

    ``charge_passed`` [C]; ``mean_lithiation`` per formula unit; ``front_depth`` [m], see
    `operando.electrochemistry.front`, nan before lithium leaves; ``cathode_lithium6``, ``separator_lithium6`` and
    ``separator_lithium6_gained`` since time zero [mol]; ``separator_lithium6_fraction``; ``anode_lithium`` [mol].
    """
    amounts = amounts_from_cell(cell=evolution.cell)
    now, first = evolution.inventory(time), evolution.inventory(0.0)
    profile = evolution.lithiation_profile(time).dropna("z")
    depth = cathode_thickness_from_cell(cell=evolution.cell) - profile.z.values
    return {
        "charge_passed": evolution.charge_passed(time),
        "mean_lithiation": (now.cathode.total - amounts.cathode_electrolyte) / amounts.active,
        "front_depth": front_depth_from_profile(depth=depth[::-1], delithiation=1.0 - np.asarray(profile.values)[::-1]),
        "cathode_lithium6": now.cathode.lithium6,
        "separator_lithium6": now.separator.lithium6,
        "separator_lithium6_gained": now.separator.lithium6 - first.separator.lithium6,
        "separator_lithium6_fraction": now.separator.lithium6_fraction,
        "anode_lithium": now.anode.total,
    }
