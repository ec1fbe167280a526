"""What the cell description says about its phases, as far as images can show it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from operando.cell.phases import LABEL
from operando.errors import InputError
from operando.frames import Array, Grid
from operando.units import Measured


@dataclass(frozen=True)
class ExpectedPhase:
    """Where a phase may be, and how it looks.

    Attributes
    ----------
    name:
        One of `operando.cell.phases.PHASES`.
    neutron, xray:
        Expected attenuation and how well it is known, in the units of the volumes [1/m]; the X-ray one may be unknown.
    height:
        Lowest and highest z [m].
    radius:
        Smallest and largest distance from the cell's axis [m].
    """

    name: str
    neutron: Measured
    xray: Measured | None = None
    height: tuple[float, float] = (-math.inf, math.inf)
    radius: tuple[float, float] = (0.0, math.inf)

    def __post_init__(self) -> None:
        if self.name not in LABEL:
            raise InputError("phase", must=f"one of {', '.join(LABEL)}", received=self.name)
        for what, (low, high) in (("height", self.height), ("radius", self.radius)):
            if not low < high:
                raise InputError(f"{what} of {self.name}", must="an increasing pair", received=(low, high))
        if min(m.sigma for m in (self.neutron, self.xray or self.neutron)) <= 0:
            raise InputError(f"attenuation of {self.name}", must="given with an uncertainty", received=self.neutron)


@dataclass(frozen=True)
class ExpectedPhases:
    """All phases of a cell, and its axis.

    Attributes
    ----------
    axis:
        Where the cell's axis meets the plane z = 0, ``(x, y)`` [m].
    """

    phases: tuple[ExpectedPhase, ...]
    axis: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        names = [phase.name for phase in self.phases]
        if len(names) < 2 or len(set(names)) < len(names):
            raise InputError("expected phases", must="two or more, each once", received=names)

    @property
    def names(self) -> tuple[str, ...]:
        """Names in the order given."""
        return tuple(phase.name for phase in self.phases)

    def between(self, below: str, above: str, position: float) -> ExpectedPhases:
        """Return the same with the interface between two phases moved to where it was found [m]."""
        if below not in self.names or above not in self.names:
            raise InputError("interface", must=f"between two of {self.names}", received=(below, above))
        moved = []
        for phase in self.phases:
            low, high = phase.height
            height = (position if phase.name == above else low, position if phase.name == below else high)
            moved.append(replace(phase, height=height))
        return replace(self, phases=tuple(moved))

    def allowed_heights(self, grid: Grid, tolerance: float) -> Array:
        """Whether each phase may occur in each slice, (phases, nz)."""
        z = grid.coordinate("z")
        return np.stack([(z >= p.height[0] - tolerance) & (z <= p.height[1] + tolerance) for p in self.phases])

    def allowed_radii(self, grid: Grid, tolerance: float) -> Array:
        """Whether each phase may occur in each column, (phases, ny, nx)."""
        x, y = np.meshgrid(grid.coordinate("x") - self.axis[0], grid.coordinate("y") - self.axis[1])
        r = np.hypot(x, y)
        return np.stack([(r >= p.radius[0] - tolerance) & (r <= p.radius[1] + tolerance) for p in self.phases])
