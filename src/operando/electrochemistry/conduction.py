"""Steady conduction through a microstructure: the potential, and currents that close to the last digits.

``div(s grad u) = 0`` with electrodes at fixed potentials. Currents are kept on faces. Solves are repeated on
what the flows still leave in the voxels: so these close although a steep contrast cancels digits of the potential.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from operando.cell.microstructure.connectivity import joined_to
from operando.currents import FaceCurrents
from operando.electrochemistry.connectivity import necks_in, parts_of
from operando.electrochemistry.finite_volume import (
    SIDES,
    Faces,
    conductances_from_conductivity,
    face_areas,
    flows_from_potential,
    missing_in_voxels,
    net_outflow,
    on_side,
    side_conductance_from_conductivity,
    voxels_at,
)
from operando.electrochemistry.multigrid import (
    Solution,
    Status,
    conjugate_gradients,
    hierarchy_from_conductances,
    kernels_for,
)
from operando.errors import InputError, RunError
from operando.frames import Grid, grid_of
from operando.units import in_units

Array = npt.NDArray[Any]

REPEATS = 6
"""Solves at most; each but the first only mends what the one before left."""

FINEST = 1e-10
"""Least relative residual asked of one solve."""


@dataclass(frozen=True)
class Electrode:
    """Something at one potential: a whole side of the grid, or voxels of a metal within it.

    Attributes
    ----------
    potential:
        [V].
    side:
        The side it lies on, such as ``-x``; with `voxels`, the side by which their lead leaves.
    voxels:
        Boolean ``(z, y, x)``: metal, all of it at one potential. Without a side the current ends in its surface.
    contact_resistance:
        Area-specific, between a side's electrode and the voxels there [Ohm m^2].
    """

    potential: float
    side: str | None = None
    voxels: Array | None = None
    contact_resistance: float = 0.0

    def __post_init__(self) -> None:
        if self.side is None and self.voxels is None:
            raise InputError("electrode", must="on a side or made of voxels", received="neither")
        if self.side is not None and self.side not in SIDES:
            raise InputError("electrode side", must=f"one of {', '.join(SIDES)}", received=self.side)
        if not np.isfinite(self.potential):
            raise InputError("electrode potential", must="finite", received=self.potential)
        if not (np.isfinite(self.contact_resistance) and self.contact_resistance >= 0):
            raise InputError("contact resistance", must="finite and not negative", received=self.contact_resistance)


@dataclass(frozen=True)
class Conduction:
    """Steady conduction between electrodes.

    Attributes
    ----------
    potential:
        ``(z, y, x)`` [V]; NaN where nothing conducts or no electrode reaches.
    currents:
        Through every face, within metal electrodes that have a lead too.
    current:
        From each electrode into the material [A], by name.
    iterations:
        Of conjugate gradients, all repeats together.
    closure:
        Sum over voxels of the absolute net current, over the total current: no cut misses more than this.
    status:
        Why the solver stopped.
    pruned:
        Conducting voxels left out because no electrode reaches them.
    """

    potential: xr.DataArray
    currents: FaceCurrents
    current: Mapping[str, float]
    iterations: int
    closure: float
    status: Status
    pruned: int

    @property
    def total_current(self) -> float:
        """What all electrodes together put in, and take out [A]."""
        return _total(self.current)

    @cached_property
    def necks(self) -> int:
        """Conducting voxels that alone hold two parts together: what flows through them the image hardly knows."""
        return int(necks_in(np.isfinite(self.potential.values)).sum())

    def times(self, factor: float) -> Conduction:
        """The same with all potentials and currents multiplied, which is a solution too."""
        flows = self.currents
        return replace(
            self,
            potential=(self.potential * factor).assign_attrs(self.potential.attrs),
            currents=FaceCurrents(x=flows.x * factor, y=flows.y * factor, z=flows.z * factor, grid=flows.grid),
            current={name: factor * i for name, i in self.current.items()},
        )


def solve_conduction(
    conductivity: xr.DataArray,
    *,
    electrodes: Mapping[str, Electrode],
    contact_resistance: Faces | None = None,
    grid: Grid | None = None,
    tolerance: float = 1e-9,
) -> Conduction:
    """Find the potential and the currents between electrodes.

    Parameters
    ----------
    conductivity:
        ``(z, y, x)`` with units; 0 where nothing conducts. Its value in voxels of a metal electrode does not matter.
    electrodes:
        Two at least, by name.
    contact_resistance:
        Area-specific resistance of each face [Ohm m^2], of grain boundaries for example.
    grid:
        Needed where an axis has a single voxel, whose size no coordinate tells.
    tolerance:
        Of the closure: net current of all voxels over the total current.

    Raises
    ------
    InputError
        For a conductivity that is negative or not finite, electrodes that touch, or no path between any two.
    RunError
        If the currents do not close to the tolerance.
    """
    values, known = _checked(conductivity, grid)
    if contact_resistance is not None and not all((r >= 0).all() and np.isfinite(r).all() for r in contact_resistance):
        raise InputError("contact resistance", must="finite and not negative", received="another value")
    metals = _metals(electrodes, known.shape)
    fixed = metals >= 0
    reached = _reached(values, metals, electrodes)
    pruned = int(((values > 0) & ~reached & ~fixed).sum())
    keep = np.where(reached | fixed, values, 0.0)
    conductances = _conductances(keep, metals, electrodes, known, contact_resistance)
    potential = np.zeros(known.shape)
    for number, electrode in enumerate(electrodes.values()):
        potential[metals == number] = electrode.potential
    outside = {e.side: e.potential for e in electrodes.values() if e.side and e.voxels is None}
    flows = flows_from_potential(potential=potential, conductances=conductances, outside=outside)
    flows, potential, solution = _closed(
        flows, potential, conductances, fixed, lambda f: _total(_currents_in(f, electrodes, metals)), tolerance
    )
    current = _currents_in(flows, electrodes, metals)
    for number, electrode in enumerate(electrodes.values()):
        if electrode.voxels is not None and electrode.side is not None:
            flows = _with_lead(flows, electrode, metals == number, known, _total(current), tolerance)
    areas = face_areas(known.spacing)
    shown = np.where(reached | fixed, potential, np.nan)
    return Conduction(
        potential=known.array(shown, name="potential", units="V"),
        currents=FaceCurrents(z=flows.z / areas[0], y=flows.y / areas[1], x=flows.x / areas[2], grid=known),
        current=current,
        iterations=solution.iterations,
        closure=solution.residual,
        status=solution.status,
        pruned=pruned,
    )


def _total(current: Mapping[str, float]) -> float:
    return sum(abs(i) for i in current.values()) / 2


def _checked(conductivity: xr.DataArray, grid: Grid | None) -> tuple[Array, Grid]:
    if set(conductivity.dims) != {"z", "y", "x"}:
        raise InputError("conductivity", must="labelled with dims z, y, x", received=f"dims {tuple(conductivity.dims)}")
    labelled = in_units(conductivity, unit="S/m", name="conductivity").transpose("z", "y", "x")
    values = np.ascontiguousarray(labelled.values, dtype=float)
    if not np.isfinite(values).all():
        raise InputError("conductivity", must="finite", received="NaN or infinity", remedy="Make a metal an electrode.")
    if values.min() < 0:
        raise InputError("conductivity", must="not negative", received=float(values.min()))
    if grid is None and min(values.shape) == 1:
        raise InputError(
            "conductivity grid",
            must="given for a grid that is one voxel thick along an axis",
            received=values.shape,
            remedy="Its coordinates do not tell the voxel's size: pass grid=Grid(...).",
        )
    known = grid or grid_of(labelled)
    if known.shape != values.shape:
        raise InputError("conductivity grid", must=f"of shape {values.shape}", received=known.shape)
    return values, known


def _metals(electrodes: Mapping[str, Electrode], shape: tuple[int, int, int]) -> Array:
    """Number of the electrode that each voxel is metal of, or -1; refuses electrodes that touch."""
    if len(electrodes) < 2:
        raise InputError("electrodes", must="two at least", received=list(electrodes))
    for name, electrode in electrodes.items():
        voxels = electrode.voxels
        if voxels is not None and (np.shape(voxels) != shape or voxels.dtype != bool or not voxels.any()):
            raise InputError(f"electrode {name}", must=f"some voxels, boolean of shape {shape}", received=voxels)
    for (first, a), (second, b) in combinations(electrodes.items(), 2):
        if _touch(a, b, shape):
            raise InputError(
                "electrodes", must="apart", received=f"{first} touching {second}", remedy="Leave a voxel between them."
            )
    metals = np.full(shape, -1, dtype=np.int16)
    for number, electrode in enumerate(electrodes.values()):
        if electrode.voxels is not None:
            metals[electrode.voxels] = number
    return metals


def _touch(a: Electrode, b: Electrode, shape: tuple[int, int, int]) -> bool:
    """Whether two electrodes share a voxel or a face; opposite sides of the grid never do."""
    from scipy import ndimage

    if a.voxels is not None and b.voxels is not None:
        return bool((ndimage.binary_dilation(a.voxels) & b.voxels).any())
    if a.voxels is None and b.voxels is None:
        return a.side == b.side or str(a.side)[1] != str(b.side)[1]
    metal, side = (a, b) if a.voxels is not None else (b, a)
    return bool(voxels_at(np.asarray(metal.voxels), str(side.side)).any())


def _conductances(
    values: Array, metals: Array, electrodes: Mapping[str, Electrode], grid: Grid, contact: Faces | None
) -> Faces:
    """Conductances of all faces, those to electrodes on sides included, those within metals 0."""
    ideal, inner = np.where(metals >= 0, np.inf, values), metals >= 0
    conductances = conductances_from_conductivity(conductivity=ideal, spacing=grid.spacing, contact_resistance=contact)
    if inner.any():
        for axis, faces in enumerate(conductances):
            moved, metal = np.moveaxis(faces, axis, 0), np.moveaxis(inner, axis, 0)
            moved[1:-1][metal[1:] & metal[:-1]] = 0.0
    for electrode in electrodes.values():
        if electrode.voxels is None:
            on_side(conductances, str(electrode.side))[...] = side_conductance_from_conductivity(
                conductivity=values,
                side=str(electrode.side),
                spacing=grid.spacing,
                contact_resistance=electrode.contact_resistance,
            )
    return conductances


def _reached(values: Array, metals: Array, electrodes: Mapping[str, Electrode]) -> Array:
    """Conducting voxels that some electrode reaches; refuses a grid in which no two electrodes are connected."""
    from scipy import ndimage

    parts, count = parts_of((values > 0) & (metals < 0))
    reached = np.zeros((len(electrodes), count + 1), dtype=bool)
    for number, electrode in enumerate(electrodes.values()):
        if electrode.voxels is None:
            at = voxels_at(parts, str(electrode.side))
        else:
            at = parts[np.asarray(ndimage.binary_dilation(electrode.voxels))]
        reached[number, np.unique(at)] = True
    reached[:, 0] = False
    if not (reached.sum(axis=0) >= 2).any():
        raise InputError(
            "conductivity",
            must="a conducting path between two electrodes",
            received=f"{count} separate parts, none of which touches two of {', '.join(electrodes)}",
            remedy="Voxels conduct through their faces only: look for gaps, or give thin phases more voxels.",
        )
    return np.asarray(reached.any(axis=0))[parts]


def _closed(
    flows: Faces,
    potential: Array,
    conductances: Faces,
    fixed: Array,
    reference: Callable[[Faces], float],
    tolerance: float,
) -> tuple[Faces, Array, Solution]:
    """Add to flows and potential, in place, what is missing, again and again, until the flows close."""
    free, diagonal = _free_of(conductances, fixed)
    hierarchy = hierarchy_from_conductances(conductances=free, diagonal=diagonal)
    kernels, iterations, closure = kernels_for(diagonal), 0, np.inf
    # of the start's flows, all at the electrodes, the total is as many times too large as voxels lie between these
    spare = 1 / max(fixed.shape)
    for _ in range(REPEATS):
        missing, total = missing_in_voxels(flows, fixed)
        before, closure = closure, total / (reference(flows) or 1.0)
        if closure <= tolerance:
            return flows, potential, Solution(potential, Status.CONVERGED, iterations, closure)
        if closure > before / 2:
            break
        aim, spare = min(max(0.3 * spare * tolerance / closure, FINEST), 0.1), 1.0
        found = conjugate_gradients(
            operator=lambda u: kernels.apply(free, diagonal, u), b=missing, preconditioner=hierarchy, tolerance=aim
        )
        iterations += found.iterations
        potential = kernels.plus(potential, 1.0, found.value)
        flows = flows_from_potential(potential=found.value, conductances=conductances, onto=flows)
    raise RunError(
        f"Currents close only to {closure:.1e} of the total, not to {tolerance:.1e}. "
        "A conductivity above 1e8 times the least is better given as a metal electrode."
    )


def _free_of(conductances: Faces, fixed: Array) -> tuple[Faces, Array]:
    """The system of the voxels that are free: faces to fixed voxels become a diagonal."""
    diagonal, free = np.zeros(fixed.shape), []
    if not fixed.any():
        return conductances, diagonal
    for axis, faces in enumerate(conductances):
        kept = faces.copy()
        moved, to, metal = np.moveaxis(kept, axis, 0), np.moveaxis(diagonal, axis, 0), np.moveaxis(fixed, axis, 0)
        tied = np.where(metal[1:] | metal[:-1], moved[1:-1], 0.0)
        to[1:] += tied
        to[:-1] += tied
        moved[1:-1] -= tied
        free.append(kept)
    diagonal[fixed] = 0.0
    return Faces(*free), diagonal


def _currents_in(flows: Faces, electrodes: Mapping[str, Electrode], metals: Array) -> dict[str, float]:
    """Current from each electrode into the material [A]."""
    current = {}
    out = net_outflow(flows) if any(e.voxels is not None for e in electrodes.values()) else np.zeros(0)
    for number, (name, electrode) in enumerate(electrodes.items()):
        if electrode.voxels is None:
            inwards = 1 if str(electrode.side)[0] == "-" else -1
            current[name] = inwards * float(on_side(flows, str(electrode.side)).sum())
        else:
            current[name] = float(out[metals == number].sum())
    return current


def _with_lead(flows: Faces, electrode: Electrode, metal: Array, grid: Grid, total: float, tolerance: float) -> Faces:
    """Add the current within a metal, from its surface to the side where its lead leaves, by a second solve."""
    side, uniform = str(electrode.side), metal.astype(float)
    lead = np.zeros(grid.shape, dtype=bool)
    voxels_at(lead, side)[...] = voxels_at(metal, side)
    if not np.array_equal(joined_to(metal, lead), metal):
        raise InputError("electrode", must=f"all connected with side {side}", received="metal apart from its lead")
    inner = conductances_from_conductivity(conductivity=uniform, spacing=grid.spacing)
    on_side(inner, side)[...] = side_conductance_from_conductivity(
        conductivity=uniform, side=side, spacing=grid.spacing
    )
    return _closed(flows, np.zeros(grid.shape), inner, ~metal, lambda _: total, tolerance)[0]
