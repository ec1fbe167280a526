"""How much longer, and how much narrower, the way through a phase is than through a block of the same material."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from operando.electrochemistry.conduction import Conduction, Electrode, solve_conduction
from operando.electrochemistry.finite_volume import Faces
from operando.errors import InputError
from operando.frames import Grid

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Transport:
    """Effective transport through one phase along an axis.

    Attributes
    ----------
    fraction:
        Volume fraction of the phase, pockets included.
    relative_conductivity:
        Effective conductivity over that of the phase itself.
    conduction:
        The solve, at 1 V and 1 S/m; its `pruned` voxels are the pockets.
    """

    fraction: float
    relative_conductivity: float
    conduction: Conduction

    @property
    def tortuosity(self) -> float:
        """``tortuosity factor = fraction / relative conductivity``, of which a straight pore has 1."""
        return self.fraction / self.relative_conductivity


def transport_through_phase(
    *, phase: Array, grid: Grid, axis: str, tolerance: float = 1e-6, contact: Faces | None = None
) -> Transport:
    """Find the effective conductivity and the tortuosity factor of a phase.

    Electrodes lie on both sides across the axis; the other sides insulate.

    Parameters
    ----------
    phase:
        Boolean ``(z, y, x)``.
    axis:
        ``z``, ``y`` or ``x``.
    tolerance:
        Net current of all voxels over the total current, which bounds the relative error of the flow through any cut.
    contact:
        Area-specific resistance of each face, of grain boundaries for example, times the phase's conductivity [m].

    Raises
    ------
    InputError
        If the phase is not boolean, or does not lead through.
    """
    if axis not in ("x", "y", "z"):
        raise InputError("axis", must="x, y or z", received=axis)
    if phase.dtype != bool:
        raise InputError("phase", must="boolean", received=str(phase.dtype))
    ends = {"in": Electrode(1.0, side=f"-{axis}"), "out": Electrode(0.0, side=f"+{axis}")}
    conductivity = grid.array(phase.astype(float), name="conductivity", units="S/m")
    found = solve_conduction(conductivity, electrodes=ends, grid=grid, tolerance=tolerance, contact_resistance=contact)
    number, step = grid.shape["zyx".index(axis)], grid.spacing["zyx".index(axis)]
    block = grid.voxel_volume * np.prod(grid.shape) / (number * step) ** 2
    return Transport(float(phase.mean()), found.total_current / float(block), found)
