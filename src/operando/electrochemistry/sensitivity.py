"""How a current changes with the conductivity of every voxel, at the price of one more solve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import xarray as xr

from operando.electrochemistry.conduction import Conduction, Electrode, solve_conduction
from operando.electrochemistry.finite_volume import Faces
from operando.errors import InputError
from operando.frames import Grid
from operando.units import in_units


def current_and_gradient(
    conductivity: xr.DataArray,
    *,
    electrodes: Mapping[str, Electrode],
    of: str,
    contact_resistance: Faces | None = None,
    grid: Grid | None = None,
) -> tuple[Conduction, xr.DataArray]:
    """Solve conduction, and find the gradient of the current from one electrode, at fixed potentials, by the adjoint.

    ``dI / ds_v = 1 / s_v^2  sum over faces of v of (V / 2) J J'``, with V the voxel's volume, J the current density
    through the face, and J' that with 1 V at the electrode and 0 V at all others. At a fixed current between two
    electrodes the voltage U changes by ``dU / ds = -(U / I) dI / ds``.

    Parameters
    ----------
    conductivity, electrodes, contact_resistance, grid:
        As for `solve_conduction`.
    of:
        Name of the electrode.

    Returns
    -------
    The conduction, and the gradient ``(z, y, x)`` [V m], which is A per S/m; 0 where nothing conducts and in metals.

    Raises
    ------
    InputError
        As `solve_conduction`, and if no electrode has the name.
    """
    if of not in electrodes:
        raise InputError("of", must=f"one of {', '.join(electrodes)}", received=of)
    unit = {name: replace(e, potential=float(name == of)) for name, e in electrodes.items()}
    forward, adjoint = (
        solve_conduction(conductivity, electrodes=given, contact_resistance=contact_resistance, grid=grid)
        for given in (electrodes, unit)
    )
    known = forward.currents.grid
    values = in_units(conductivity, unit="S/m", name="conductivity").transpose("z", "y", "x").values.astype(float)
    for electrode in electrodes.values():
        if electrode.voxels is not None:
            values = np.where(electrode.voxels, 0.0, values)
    product = {axis: getattr(forward.currents, axis) * getattr(adjoint.currents, axis) for axis in "zyx"}
    at_faces = product["z"][1:] + product["z"][:-1] + product["y"][:, 1:] + product["y"][:, :-1]
    at_faces = at_faces + product["x"][:, :, 1:] + product["x"][:, :, :-1]
    gradient = np.divide(at_faces * known.voxel_volume / 2, values**2, out=np.zeros_like(values), where=values > 0)
    return forward, known.array(gradient, name="current_gradient", units="V*m")
