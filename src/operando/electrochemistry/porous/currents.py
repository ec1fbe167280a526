"""Currents of a porous cell on the faces of its grid, closed with what the reaction exchanges in every voxel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from operando.currents import FaceCurrents
from operando.electrochemistry.finite_volume import Faces, face_areas, flows_from_potential, net_outflow
from operando.electrochemistry.multigrid import conjugate_gradients, hierarchy_from_conductances
from operando.electrochemistry.porous.network import flows, networks_of
from operando.electrochemistry.stencil_numba import apply
from operando.errors import RunError

if TYPE_CHECKING:
    from operando.electrochemistry.porous.electrode import PorousCell
    from operando.electrochemistry.porous.newton import PorousState
    from operando.frames import Array

_REPEATS = 6
_DIGITS = 1e-15


@dataclass(frozen=True)
class PorousCurrents:
    """Current densities of both networks through every face, and what passes between them.

    Attributes
    ----------
    electronic, ionic:
        [A/m^2]; the first enters from the collector below, the second leaves for the counter electrode above.
    reaction:
        From the electronic into the ionic network in each voxel ``(z, y, x)`` [A].
    """

    electronic: FaceCurrents
    ionic: FaceCurrents
    reaction: Array

    @property
    def total(self) -> FaceCurrents:
        """Of both networks, without divergence: what the magnetics sees."""
        one, other = self.electronic, self.ionic
        return FaceCurrents(x=one.x + other.x, y=one.y + other.y, z=one.z + other.z, grid=one.grid)


class CurrentsOf:
    """Extract the currents of one cell's states; keeps what is the same for all of them."""

    def __init__(self, cell: PorousCell) -> None:
        self._cell, self._active = cell, np.flatnonzero(cell.active)
        networks = networks_of(cell)
        self._electronic, self._ionic = _Closing(networks.electronic), _Closing(networks.ionic)

    def __call__(self, state: PorousState, *, tolerance: float = 1e-10) -> PorousCurrents:
        """Find the currents of a state; see `face_currents`."""
        reaction = np.zeros(self._cell.grid.shape)
        reaction.ravel()[self._active] = np.asarray(state.current_density) * self._cell.surface.ravel()[self._active]
        electronic = flows(self._electronic.faces, state.electronic, below=state.voltage)
        return PorousCurrents(
            electronic=self._per_area(self._electronic(electronic, -reaction, tolerance)),
            ionic=self._per_area(self.ionic(state, reaction, tolerance=tolerance)),
            reaction=reaction,
        )

    def ionic(self, state: PorousState, released: Array, *, tolerance: float = 1e-10) -> Faces:
        """Find the ionic current through each face [A] that closes with a source of each voxel [A]."""
        found = flows(self._ionic.faces, state.ionic, above=-self._cell.counter_potential)
        return self._ionic(found, released, tolerance)

    def _per_area(self, through: Faces) -> FaceCurrents:
        z, y, x = (flow / area for flow, area in zip(through, face_areas(self._cell.grid.spacing), strict=True))
        return FaceCurrents(x=x, y=y, z=z, grid=self._cell.grid)


def face_currents(cell: PorousCell, state: PorousState) -> PorousCurrents:
    """Current density through every face of a state, ionic and electronic.

    Newton's method stops where the potentials are right to a nanovolt, not where currents balance. What is missing in
    each voxel is led through its own network to the electrode, so that ``div i_ionic = -div i_electronic`` is the
    reaction's to 1e-10 of all that reacts.

    Raises
    ------
    RunError
        If the currents do not close.
    """
    return CurrentsOf(cell)(state)


class _Closing:
    """One network, and how to lead through it what flows lack."""

    def __init__(self, faces: Faces) -> None:
        self.faces = faces
        self._nothing = np.zeros((len(faces.y), *faces.z.shape[1:]))
        self._hierarchy = hierarchy_from_conductances(conductances=faces, diagonal=self._nothing)

    def __call__(self, through: Faces, source: Array, tolerance: float) -> Faces:
        """Add to flows, in place, what they lack to leave each voxel with its source [A]."""
        total = float(np.abs(source).sum())
        # At rest next to nothing reacts, and the flows' own digits are what is left
        enough = max(tolerance * total, _DIGITS * sum(float(np.abs(flow).sum()) for flow in through))
        for _ in range(_REPEATS):
            missing = source - net_outflow(through)
            size = float(np.abs(missing).sum())
            if size <= enough:
                return through
            found = conjugate_gradients(
                operator=lambda u: apply(self.faces, self._nothing, u),
                b=missing / size,
                preconditioner=self._hierarchy,
                tolerance=max(0.1 * enough / size, 1e-9),
            )
            flows_from_potential(potential=found.value * size, conductances=self.faces, onto=through)
        raise RunError(f"Currents of the porous cell close only to {size / (total or 1.0):.1e} of what reacts.")
