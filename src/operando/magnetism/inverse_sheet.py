"""From maps of a magnetic field back to the sheet current or the magnetisation that made it, with error bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.ndimage import gaussian_filter

from operando.errors import InputError
from operando.magnetism.inverse_edges import EdgePrior, estimate_with_edges
from operando.magnetism.inverse_system import SheetSystem, SmoothPrior, Transfer, extended, free_space
from operando.magnetism.regularisation import Choice, SourceSpectrum, periodogram, spectrum_from_periodogram, taper
from operando.magnetism.resolution import point_response, width_at_half_maximum
from operando.magnetism.sheet import (
    HalfSpectrum,
    current_from_stream_function,
    field_per_magnetisation,
    field_per_stream_function,
    point_spread_factor,
)
from operando.magnetism.sheet_maps import FieldMaps, field_maps
from operando.units import in_units

Array = npt.NDArray[Any]
Edges = Literal["smooth", "sharp"]

ITERATIONS = 150
"""Steps of conjugate gradients for a smooth source."""

ROUNDS, ROUND_ITERATIONS = 10, 40
"""Reweightings for sharp edges, and steps of conjugate gradients in each."""


@dataclass(frozen=True)
class Inversion:
    """What one inversion found; spectra live on the extended domain.

    Attributes
    ----------
    source:
        Spectrum of the posterior mean.
    errors:
        Spectra of draws from the posterior about it.
    """

    maps: FieldMaps
    system: SheetSystem
    prior: SmoothPrior | EdgePrior
    spectrum: SourceSpectrum
    source: Array
    errors: list[Array]

    @property
    def misfit(self) -> float:
        """Mean squared residual over its variance; less than 1 by the share of pixels that the source takes up."""
        residual = np.nan_to_num(self.maps.values) - self.system.predict(self.source)
        seen = self.system.precision > 0
        return float((self.system.precision * residual**2).sum() / seen.sum())

    def resolution(self, *, at: tuple[int, int] | None = None) -> float:
        """Width at half maximum of the image of a point at a pixel, the frame's centre where None [m]."""
        ny, nx = self.maps.shape
        iterations = ITERATIONS if isinstance(self.prior, SmoothPrior) else 2 * ITERATIONS
        response = point_response(self.system, self.prior, at=at or (ny // 2, nx // 2), iterations=iterations)
        return width_at_half_maximum(response=response, pixel=self.maps.pixel)


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
        Domain beyond the frame on each side [m]; half the frame, and at least five heights, where None.
    samples:
        Draws from the posterior that the standard deviations are taken from; 0 for none.
    seed:
        Of those draws.

    Returns
    -------
    ``current`` ``(component, y, x)`` [A/m] with ``current_var``, and ``stream_function`` ``(y, x)`` [A], whose mean is
    arbitrary. Attributes: ``noise`` [T], ``misfit``, ``resolution`` [m] at the frame's centre.

    Raises
    ------
    InputError
        If the map or a setting cannot be used.
    RunError
        If the map holds nothing but noise.
    """
    maps = field_maps(field, axis=axis)

    def transfer(modes: HalfSpectrum) -> Array:
        lengths = {"height": height, "thickness": thickness, "sensor_thickness": sensor_thickness}
        seen = [field_per_stream_function(modes=modes, axis=u, **lengths) for u in maps.axes]
        return np.stack(seen) * _spread(modes, point_spread)

    found = invert_sheet(
        maps,
        transfer=transfer,
        order=2,
        noise=_noise(noise, maps, "T"),
        edges=edges,
        choice=choice,
        margin=_margin(maps, margin, height),
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

    A uniform sheet makes no field: the mean is known only as far as the sheet is seen to end, and the rest of it
    comes from the prior, with mean zero; the variance says so.

    Parameters
    ----------
    direction:
        Unit vector ``(x, y, z)`` of the magnetisation.
    field, height, axis, noise, thickness, sensor_thickness, point_spread, edges, choice, margin, samples, seed:
        As in `current_from_field`.

    Returns
    -------
    ``magnetisation`` ``(y, x)`` with ``magnetisation_var``: moment per area [A], or [A/m] where a thickness is given.
    Attributes as in `current_from_field`.
    """
    maps = field_maps(field, axis=axis)

    def transfer(modes: HalfSpectrum) -> Array:
        lengths = {"height": height, "thickness": thickness, "sensor_thickness": sensor_thickness}
        seen = [field_per_magnetisation(modes=modes, axis=u, direction=direction, **lengths) for u in maps.axes]
        return np.stack(seen) * _spread(modes, point_spread)

    found = invert_sheet(
        maps,
        transfer=transfer,
        order=1,
        noise=_noise(noise, maps, "T"),
        edges=edges,
        choice=choice,
        margin=_margin(maps, margin, height),
        samples=samples,
        seed=seed,
    )
    scale = thickness or 1.0
    image = found.system.modes.image(found.source)
    if edges == "sharp":
        image = image - np.median(image)
    units = "A/m" if thickness else "A"
    data: dict[str, xr.DataArray] = {
        "magnetisation": _labelled(found, found.system.crop(image) / scale, field, units, ("y", "x"))
    }
    if found.errors:
        errors = np.stack([found.system.crop(found.system.modes.image(e)) for e in found.errors]) / scale
        data["magnetisation_var"] = _labelled(found, _pooled(found, errors), field, f"({units})^2", ("y", "x"))
    return xr.Dataset(data, attrs=_attributes(found, edges))


def current_from_inversion(found: Inversion, *, field: xr.DataArray) -> xr.Dataset:
    """Label the current, its variance and its stream function as `field` is."""
    modes, crop = found.system.modes, found.system.crop
    dims = ("component", "y", "x")
    data = {
        "current": _labelled(
            found, crop(current_from_stream_function(stream=found.source, modes=modes)), field, "A/m", dims
        ),
        "stream_function": _labelled(found, crop(modes.image(found.source)), field, "A", ("y", "x")),
    }
    if found.errors:
        errors = np.stack([crop(current_from_stream_function(stream=e, modes=modes)) for e in found.errors])
        data["current_var"] = _labelled(found, _pooled(found, errors), field, "A^2/m^2", dims)
    return xr.Dataset(data, attrs=_attributes(found, "sharp" if isinstance(found.prior, EdgePrior) else "smooth"))


def invert_sheet(
    maps: FieldMaps,
    *,
    transfer: Transfer,
    order: int,
    noise: Array | None,
    edges: Edges,
    choice: Choice,
    margin: float,
    samples: int,
    seed: int,
) -> Inversion:
    """Invert maps that see a sheet through any Fourier factors.

    Parameters
    ----------
    transfer:
        Signal of each map per unit of source, for given modes ``(map, ky, kx)``.
    order:
        2 where the source is a stream function, whose slope is to be found; 1 where it is a magnetisation.
    noise:
        Standard deviation of each pixel ``(map, y, x)``; None where it has to be estimated.
    edges, choice, margin, samples, seed:
        As in `current_from_field`.
    """
    if edges not in ("smooth", "sharp"):
        raise InputError("edges", must="smooth or sharp", received=edges)
    if samples < 0 or samples == 1:
        raise InputError("samples", must="0, or 2 and more", received=samples)
    random = np.random.default_rng(seed)
    spectrum = learnt_spectrum(maps, transfer=transfer, order=order, noise=noise, choice=choice)
    system = _system(maps, transfer, spectrum, noise, margin)
    power = _source_power(spectrum, system.modes)
    smooth = SmoothPrior(power)
    values = np.nan_to_num(maps.values)
    source = system.estimate(values, smooth, iterations=ITERATIONS)
    if edges == "smooth":
        errors = [_smooth_error(system, smooth, random) for _ in range(samples)]
        return Inversion(maps, system, smooth, spectrum, source, errors)
    source, prior, _ = estimate_with_edges(
        system, values, order=order, start=source, random=random, rounds=ROUNDS, iterations=ROUND_ITERATIONS
    )
    errors = [_edge_error(system, prior, random) for _ in range(samples)]
    return Inversion(maps, system, prior, spectrum, source, errors)


def learnt_spectrum(
    maps: FieldMaps, *, transfer: Transfer, order: int, noise: Array | None, choice: Choice
) -> SourceSpectrum:
    """Prior of the source's spectrum and the noise, from the tapered maps combined as they see the source best."""
    modes = HalfSpectrum(shape=maps.shape, pixel=maps.pixel)
    factors = transfer(modes)
    whole = maps.filled()
    tapered = modes.spectrum((whole - whole.mean(axis=(1, 2), keepdims=True)) * taper(maps.shape))
    gain = (np.abs(factors) ** 2).sum(axis=0)
    combined = np.abs((factors.conj() * tapered).sum(axis=0)) ** 2 / np.where(gain > 0, gain, 1.0)
    power = np.where(gain > 0, combined, (np.abs(tapered) ** 2).mean(axis=0)) / whole[0].size
    rings = periodogram(
        k=modes.k,
        power=power,
        gain=gain,
        count=modes.multiplicity,
        width=2 * np.pi / min(n * p for n, p in zip(maps.shape, maps.pixel, strict=True)),
    )
    level = None if noise is None else float(np.sqrt(np.nanmean(np.where(np.isnan(maps.values), np.nan, noise**2))))
    return spectrum_from_periodogram(rings, slopes=(0, 1) if order == 2 else (0,), noise=level, choice=choice)


def _source_power(spectrum: SourceSpectrum, modes: HalfSpectrum) -> Array:
    """Power of the source at each mode of the domain; that of the mean is taken from the longest waves."""
    longest = float(modes.k[modes.k > 0].min())
    power = spectrum.power(np.maximum(modes.k, longest))
    return np.asarray(np.maximum(power, 1e-30 * power.max()))


def _system(
    maps: FieldMaps, transfer: Transfer, spectrum: SourceSpectrum, noise: Array | None, margin: float
) -> SheetSystem:
    modes, frame = extended(shape=maps.shape, pixel=maps.pixel, margin=margin)
    deviation = np.full(maps.values.shape, spectrum.noise) if noise is None else noise
    precision = np.where(np.isnan(maps.values), 0.0, 1 / deviation**2)
    return SheetSystem(modes=modes, frame=frame, transfers=free_space(transfer, modes), precision=precision)


def _noise_draw(system: SheetSystem, random: np.random.Generator) -> Array:
    weight = np.sqrt(system.precision)
    draw = random.standard_normal(system.precision.shape)
    return np.where(weight > 0, draw / np.where(weight > 0, weight, 1.0), 0.0)


def _smooth_error(system: SheetSystem, prior: SmoothPrior, random: np.random.Generator) -> Array:
    """Error of the inversion on a source drawn from the prior: a draw from the posterior, incomplete steps included."""
    truth = prior.sample(system.modes, random)
    seen = system.predict(truth) + _noise_draw(system, random)
    return system.estimate(seen, prior, iterations=ITERATIONS) - truth


def _edge_error(system: SheetSystem, prior: EdgePrior, random: np.random.Generator) -> Array:
    right = system.back(system.precision * _noise_draw(system, random)) + prior.pull(random)
    return system.solve(right, prior, iterations=2 * ITERATIONS)


def _pooled(found: Inversion, errors: Array) -> Array:
    """Mean square of the draws, pooled over neighbouring pixels, among which the true variance hardly changes."""
    pixels = 4.0 if isinstance(found.prior, SmoothPrior) else 1.0
    return np.asarray(gaussian_filter((errors**2).mean(axis=0), [0.0] * (errors.ndim - 3) + [pixels, pixels]))


def _spread(modes: HalfSpectrum, point_spread: xr.DataArray | None) -> Array | float:
    if point_spread is None:
        return 1.0
    values = point_spread.transpose("y", "x").values.astype(float)
    if not (np.isfinite(values).all() and values.sum() != 0):
        raise InputError("point spread", must="finite, with a sum that is not zero", received=values.sum())
    y, x = (in_units(point_spread[d].variable, unit="m", name=f"point spread {d}").values for d in ("y", "x"))
    return point_spread_factor(modes=modes, values=values / values.sum(), x=x, y=y)


def _noise(noise: float | xr.DataArray | None, maps: FieldMaps, unit: str) -> Array | None:
    if noise is None:
        return None
    if isinstance(noise, xr.DataArray):
        levels = field_maps(
            noise,
            axis=maps.axes if noise.ndim == 3 and "axis" in noise.dims else (0, 0, 1) if noise.ndim == 2 else None,
            unit=unit,
            name="noise",
        ).values
    else:
        levels = np.asarray(float(noise))
    levels = np.broadcast_to(levels, maps.values.shape)
    if not (levels[np.isfinite(maps.values)] > 0).all():
        raise InputError("noise", must="positive at every measured pixel", received=float(np.nanmin(levels)))
    return levels


def _margin(maps: FieldMaps, margin: float | None, height: float) -> float:
    if margin is None:
        return max(0.5 * max(n * p for n, p in zip(maps.shape, maps.pixel, strict=True)), 5 * height)
    if not (np.isfinite(margin) and margin >= 0):
        raise InputError("margin", must="a length in metres, zero or more", received=margin)
    return margin


def _labelled(found: Inversion, values: Array, field: xr.DataArray, units: str, dims: tuple[str, ...]) -> xr.DataArray:
    coords: dict[str, Any] = {d: xr.Variable(d, getattr(found.maps, d), {"units": "m"}) for d in ("y", "x")}
    if "component" in dims:
        coords["component"] = ["x", "y"]
    labelled = xr.DataArray(values, dims=dims, coords=coords, attrs={"units": units})
    order = {d: slice(None, None, -1) for d in ("y", "x") if field[d].values[0] > field[d].values[-1]}
    return labelled.isel(order)


def _attributes(found: Inversion, edges: Edges) -> dict[str, Any]:
    return {
        "edges": edges,
        "noise": found.spectrum.noise,
        "misfit": found.misfit,
        "resolution": found.resolution(),
        "prior_amplitude": found.spectrum.amplitude,
        "prior_wavenumber": found.spectrum.wavenumber,
        "prior_exponent": found.spectrum.exponent,
        "prior_slope": found.spectrum.slope,
    }
