"""From maps of a magnetic field back to the sheet current or the magnetisation that made it, with error bars."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.ndimage import gaussian_filter

from operando.errors import InputError
from operando.magnetism.inverse_sheet import Edges, Inversion, invert_sheet
from operando.magnetism.inverse_system import SmoothPrior, Transfer
from operando.magnetism.regularisation import Choice
from operando.magnetism.sheet import (
    HalfSpectrum,
    field_per_magnetisation,
    field_per_stream_function,
    point_spread_factor,
)
from operando.magnetism.sheet_maps import FieldMaps, field_maps
from operando.units import in_units

Array = npt.NDArray[Any]


def current_from_field(
    field: xr.DataArray,
    *,
    height: float,
    axis: Sequence[float] | Array | None = None,
    noise: float | xr.DataArray | None = None,
    thickness: float = 0.0,
    sensor_thickness: float = 0.0,
    point_spread: xr.DataArray | None = None,
    edges: Edges = "smooth",
    choice: Choice = "likelihood",
    margin: float | None = None,
    samples: int = 12,
    seed: int = 0,
) -> xr.Dataset:
    """Sheet current whose field was measured, for one component, any axis, or several.

    Parameters
    ----------
    field:
        [T]: ``(y, x)``, ``(component, y, x)`` or ``(axis, y, x)``; NaN where a pixel is missing. See `field_maps`.
    height:
        From the top of the current to the centre of the sensor layer [m].
    axis:
        Unit vector ``(x, y, z)`` that each map is the projection on; none for labelled components.
    noise:
        Standard deviation of a pixel [T], or a map of it like `field`; estimated from the map where None.
    thickness, sensor_thickness:
        Of the layer that carries the current and of the sensor [m].
    point_spread:
        The sensor's weight ``(y, x)`` against displacement, with coordinates in metres; divided by its sum.
    edges:
        ``smooth`` for currents that spread, ``sharp`` for conductors with edges.
    choice:
        How the prior's spectrum is learnt; see `spectrum_from_periodogram`.
    margin:
        Width of free surroundings [m], or zero for a source that runs on straight beyond the frame. Where None, zero
        if that explains the maps, else an eighth of the frame.
    samples:
        Draws from the posterior that the standard deviations are taken from; 0 for none.
    seed:
        Of those draws.

    Returns
    -------
    ``current`` ``(component, y, x)`` [A/m] with ``current_var``, and ``stream_function`` ``(y, x)`` [A], whose mean is
    arbitrary. Attributes: ``noise`` [T], ``misfit``, ``resolution`` [m] at the frame's centre, ``margin`` of free
    surroundings [m], and ``unseen`` where all maps are along one axis in the plane.

    Raises
    ------
    InputError
        If the map or a setting cannot be used.
    RunError
        If the map holds nothing but noise.
    """

    def factor(modes: HalfSpectrum, seen_along: Array) -> Array:
        lengths = {"height": height, "thickness": thickness, "sensor_thickness": sensor_thickness}
        return field_per_stream_function(modes=modes, axis=seen_along, **lengths)

    maps = field_maps(field, axis=axis)
    found = invert_sheet(
        maps,
        transfer=_transfer(maps, factor, point_spread),
        order=2,
        noise=_noise(noise, maps),
        edges=edges,
        choice=choice,
        margin=_checked(margin),
        samples=samples,
        seed=seed,
    )
    return current_from_inversion(found, field=field)


def magnetisation_from_field(
    field: xr.DataArray,
    *,
    direction: Sequence[float] | Array,
    height: float,
    axis: Sequence[float] | Array | None = None,
    noise: float | xr.DataArray | None = None,
    thickness: float = 0.0,
    sensor_thickness: float = 0.0,
    point_spread: xr.DataArray | None = None,
    edges: Edges = "smooth",
    choice: Choice = "likelihood",
    margin: float | None = None,
    samples: int = 12,
    seed: int = 0,
) -> xr.Dataset:
    """Sheet magnetisation along a known direction whose field was measured.

    A uniform sheet makes no field, so the mean is not determined: the median along the frame's border is set to zero,
    which is right where the border is mostly bare.

    Parameters
    ----------
    direction:
        Unit vector ``(x, y, z)`` of the magnetisation.
    field, height, axis, noise, thickness, sensor_thickness, point_spread, edges, choice, margin, samples, seed:
        As in `current_from_field`.

    Returns
    -------
    ``magnetisation`` ``(y, x)`` with ``magnetisation_var``: moment per area [A], or [A/m] where a thickness is given.
    Attributes as in `current_from_field`, and ``mean``.
    """

    def factor(modes: HalfSpectrum, seen_along: Array) -> Array:
        lengths = {"height": height, "thickness": thickness, "sensor_thickness": sensor_thickness}
        return field_per_magnetisation(modes=modes, axis=seen_along, direction=direction, **lengths)

    maps = field_maps(field, axis=axis)
    found = invert_sheet(
        maps,
        transfer=_transfer(maps, factor, point_spread),
        order=1,
        noise=_noise(noise, maps),
        edges=edges,
        choice=choice,
        margin=_checked(margin),
        samples=samples,
        seed=seed,
    )
    image = found.source.image()
    level = float(np.median(_border(image)))
    scale, units = (thickness, "A/m") if thickness else (1.0, "A")
    data = {"magnetisation": _labelled(found, (image - level) / scale, field, units)}
    if found.errors:
        errors = np.stack([e.image() for e in found.errors])
        errors -= np.stack([_border(e).mean() for e in errors])[:, None, None]
        data["magnetisation_var"] = _labelled(found, pooled_variance(found, errors) / scale**2, field, f"({units})^2")
    return xr.Dataset(data, attrs=_attributes(found) | {"mean": "undetermined: relative to the frame's border"})


def current_from_inversion(found: Inversion, *, field: xr.DataArray) -> xr.Dataset:
    """Label the current, its variance and its stream function as `field` is."""
    data = {
        "current": _labelled(found, found.source.current(), field, "A/m"),
        "stream_function": _labelled(found, found.source.image(), field, "A"),
    }
    if found.errors:
        variance = pooled_variance(found, np.stack([e.current() for e in found.errors]))
        data["current_var"] = _labelled(found, variance, field, "A^2/m^2")
    return xr.Dataset(data, attrs=_attributes(found))


def pooled_variance(found: Inversion, errors: Array) -> Array:
    """Mean square of the draws, pooled over neighbouring pixels, among which the true variance hardly changes."""
    pixels = 4.0 if isinstance(found.prior, SmoothPrior) else 1.0
    return np.asarray(gaussian_filter((errors**2).mean(axis=0), [0.0] * (errors.ndim - 3) + [pixels, pixels]))


def _border(image: Array) -> Array:
    return np.concatenate([image[0], image[-1], image[1:-1, 0], image[1:-1, -1]])


def _transfer(
    maps: FieldMaps, factor: Callable[[HalfSpectrum, Array], Array], point_spread: xr.DataArray | None
) -> Transfer:
    def transfer(modes: HalfSpectrum) -> Array:
        return np.stack([factor(modes, u) for u in maps.axes]) * _spread(modes, point_spread)

    return transfer


def _spread(modes: HalfSpectrum, point_spread: xr.DataArray | None) -> Array | float:
    if point_spread is None:
        return 1.0
    values = point_spread.transpose("y", "x").values.astype(float)
    if not (np.isfinite(values).all() and values.sum() != 0):
        raise InputError("point spread", must="finite, with a sum that is not zero", received=values.sum())
    y, x = (in_units(point_spread[d].variable, unit="m", name=f"point spread {d}").values for d in ("y", "x"))
    return point_spread_factor(modes=modes, values=values / values.sum(), x=x, y=y)


def _noise(noise: float | xr.DataArray | None, maps: FieldMaps) -> Array | None:
    if noise is None:
        return None
    if isinstance(noise, xr.DataArray):
        levels = field_maps(
            noise,
            axis=maps.axes if noise.ndim == 3 and "axis" in noise.dims else (0, 0, 1) if noise.ndim == 2 else None,
            name="noise",
        ).values
    else:
        levels = np.asarray(float(noise))
    levels = np.broadcast_to(levels, maps.values.shape)
    if not (levels[np.isfinite(maps.values)] > 0).all():
        raise InputError("noise", must="positive at every measured pixel", received=float(np.nanmin(levels)))
    return levels


def _checked(margin: float | None) -> float | None:
    if margin is not None and not (np.isfinite(margin) and margin >= 0):
        raise InputError("margin", must="a length in metres, zero or more", received=margin)
    return margin


def _labelled(found: Inversion, values: Array, field: xr.DataArray, units: str) -> xr.DataArray:
    coords: dict[str, Any] = {d: xr.Variable(d, getattr(found.maps, d), {"units": "m"}) for d in ("y", "x")}
    if values.ndim == 3:
        coords["component"] = ["x", "y"]
    labelled = xr.DataArray(values, dims=("component", "y", "x")[3 - values.ndim :], coords=coords)
    flipped = {d: slice(None, None, -1) for d in ("y", "x") if field[d].values[0] > field[d].values[-1]}
    return labelled.isel(flipped).assign_attrs(units=units)


def _attributes(found: Inversion) -> dict[str, Any]:
    return _unseen(found.maps.axes) | {
        "edges": "smooth" if isinstance(found.prior, SmoothPrior) else "sharp",
        "noise": found.spectrum.noise,
        "misfit": found.misfit,
        "margin": found.margin,
        "resolution": found.resolution(),
        "prior_amplitude": found.spectrum.amplitude,
        "prior_wavenumber": found.spectrum.wavenumber,
        "prior_exponent": found.spectrum.exponent,
        "prior_slope": found.spectrum.slope,
    }


def _unseen(axes: Array) -> dict[str, str]:
    """Say what a single axis in the plane is blind to: its factor vanishes along a line of k."""
    if np.abs(axes[:, 2]).max() > 1e-6 or np.linalg.matrix_rank(axes[:, :2], tol=1e-6) > 1:
        return {}
    x, y = axes[0, :2]
    return {"unseen": f"what varies along ({-y:.3g}, {x:.3g}) only, across the axis"}
