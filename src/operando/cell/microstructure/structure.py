"""A microstructure on voxels: which phase, which particle and which grain each voxel belongs to.

The imaged surface is the plane z = 0, its normal z points to the sensor, and the sample lies at z < 0. The layers
follow each other along x, from the negative to the positive electrode; y runs along the layers. A section that is the
same at every depth is one voxel along z, as thick as the sample is deep.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from operando.errors import InputError
from operando.frames import Grid

Array = npt.NDArray[Any]

STRUCTURE_PHASES = ("void", "electrolyte", "active", "lithium")
"""Label ``i`` of a microstructure's phase means ``STRUCTURE_PHASES[i]``."""

STRUCTURE_LABEL = {name: label for label, name in enumerate(STRUCTURE_PHASES)}
"""Label of each phase of a microstructure."""


@dataclass(frozen=True)
class Microstructure:
    """Labels of every voxel.

    Attributes
    ----------
    phase:
        Indices into `STRUCTURE_PHASES`, uint8 ``(z, y, x)``.
    particle:
        Number of the particle of active material, from 1, and 0 elsewhere; int32 ``(z, y, x)``.
    grain:
        Number of the electrolyte's grain, from 1, and 0 elsewhere; int32 ``(z, y, x)``.
    """

    grid: Grid
    phase: Array
    particle: Array
    grain: Array

    def __post_init__(self) -> None:
        for name in ("phase", "particle", "grain"):
            labels = getattr(self, name)
            if np.shape(labels) != self.grid.shape or labels.dtype.kind not in "iu":
                raise InputError(
                    f"{name} labels",
                    must=f"integers of shape {self.grid.shape}",
                    received=f"{labels.dtype} of shape {np.shape(labels)}",
                )
        if self.phase.max(initial=0) >= len(STRUCTURE_PHASES) or self.phase.min(initial=0) < 0:
            raise InputError("phase labels", must=f"0 to {len(STRUCTURE_PHASES) - 1}", received=np.unique(self.phase))
        for name, phase in (("particle", "active"), ("grain", "electrolyte")):
            if ((getattr(self, name) > 0) != self.mask(phase)).any():
                raise InputError(f"{name} labels", must=f"above zero where, and only where, {phase} is", received="not")

    def mask(self, phase: str) -> Array:
        """Tell where a phase is, bool ``(z, y, x)``."""
        if phase not in STRUCTURE_LABEL:
            raise InputError("phase", must=f"one of {', '.join(STRUCTURE_PHASES)}", received=phase)
        return np.asarray(self.phase == STRUCTURE_LABEL[phase])

    @property
    def particles(self) -> int:
        """How many particles there are."""
        return int(self.particle.max(initial=0))

    @property
    def grains(self) -> int:
        """How many grains there are."""
        return int(self.grain.max(initial=0))

    def dataset(self) -> xr.Dataset:
        """Labelled arrays ``phase``, ``particle``, ``grain`` with coordinates in metres."""
        return xr.Dataset(
            {
                "phase": self.grid.array(self.phase, name="phase", units="").assign_attrs(phases=STRUCTURE_PHASES),
                "particle": self.grid.array(self.particle, name="particle", units=""),
                "grain": self.grid.array(self.grain, name="grain", units=""),
            }
        )


def section_grid(*, shape: tuple[int, int, int], spacing: tuple[float, float, float]) -> Grid:
    """Place voxels so that the imaged surface is z = 0 and the outer faces at -x and -y lie at zero."""
    origin = (-(shape[0] - 0.5) * spacing[0], spacing[1] / 2, spacing[2] / 2)
    return Grid(shape=shape, spacing=spacing, origin=origin)


def resolved_axes(grid: Grid) -> tuple[int, ...]:
    """Axes of ``(z, y, x)`` along which there is more than one voxel; a structure is uniform along the others."""
    return tuple(axis for axis in range(3) if grid.shape[axis] > 1)
