"""From a field map to the sheet that made it: background, inversion, and what each uncertain setting changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from scipy.ndimage import gaussian_filter

from operando.errors import InputError
from operando.magnetism.background import background_from_map
from operando.magnetism.inverse_sheet import Inversion, invert_sheet
from operando.magnetism.inverse_source import SheetSource
from operando.magnetism.inverse_system import SmoothPrior
from operando.magnetism.sheet import HalfSpectrum, field_per_magnetisation, field_per_stream_function
from operando.magnetism.sheet_maps import FieldMaps
from operando.units import Measured

if TYPE_CHECKING:
    from operando.frames import Array
    from operando.study.magnetic.settings import Background, Magnetic

DRAWS = 16
"""Draws from the posterior; a standard deviation from so many is known to 18 %."""

POOLED = 4.0
"""Pixels over which the variance of a smooth source is pooled, as it hardly changes from one to the next."""

QUANTITIES = {"current": ("stream_function", "current_x", "current_y"), "magnetisation": ("magnetisation",)}
"""Maps that an inversion gives."""


def without_background(field: xr.Dataset, background: Background) -> xr.Dataset:
    """Subtract the background of each map.

    Raises
    ------
    InputError
        If pixels are missing under an upward-continued background, or too few are left for a polynomial.
    """
    if background.kind == "none":
        return field
    maps = field.field
    if background.kind == "upward" and not np.isfinite(maps.values).all():
        raise InputError(
            "magnetic.background.kind",
            must="a polynomial where pixels are masked",
            received="upward",
            remedy="Such as plane.",
        )
    below = background_from_map(maps, kind=background.kind, distance=background.distance)
    return field.assign(field=(maps - below).assign_attrs(units="T"))


def sheet_of_field(field: xr.Dataset, magnetic: Magnetic) -> xr.Dataset:
    """Invert a field map for the sheet that a study asks for.

    Parameters
    ----------
    field:
        As measured, background included: ``field``, ``direction``, and ``field_var`` where it is known.

    Returns
    -------
    Of a current: ``stream_function`` [A], ``current_x``, ``current_y`` [A/m]; of a magnetisation: ``magnetisation``, a
    moment per area [A] or, with a thickness, per volume [A/m]. Beside each lie ``_var``; ``_draws`` of its error
    ``(draw, y, x)``, from which the error of any sum follows; and ``_<term>``, its shift by one standard deviation of
    each systematic term. Attributes ``terms``, ``noise`` [T], ``misfit``, ``resolution`` [m].
    """
    found = _inverted(field, magnetic, draws=DRAWS)
    maps = _maps(found.source, magnetic)
    errors = [_maps(error, magnetic) for error in found.errors]
    sheet = xr.Dataset(coords={d: xr.Variable(d, getattr(found.maps, d), {"units": "m"}) for d in ("y", "x")})
    for name, values in maps.items():
        unit = _unit(name, magnetic)
        draws = np.stack([error[name] for error in errors])
        sheet[name] = xr.Variable(("y", "x"), values, {"units": unit})
        sheet[f"{name}_var"] = xr.Variable(("y", "x"), _variance(found, draws), {"units": _squared(unit)})
        sheet[f"{name}_draws"] = xr.Variable(("draw", "y", "x"), draws.astype(np.float32), {"units": unit})
    for term in systematic_terms(magnetic):
        low, high = (_mapped(*_moved(field, magnetic, term, sign), margin=found.margin) for sign in (-1, 1))
        for name in maps:
            shift = xr.Variable(("y", "x"), (high[name] - low[name]) / 2, {"units": _unit(name, magnetic)})
            sheet[f"{name}_{term}"] = shift
    return sheet.assign_attrs(
        terms=list(systematic_terms(magnetic)),
        noise=found.spectrum.noise,
        misfit=found.misfit,
        resolution=found.resolution(),
    )


def systematic_terms(magnetic: Magnetic) -> tuple[str, ...]:
    """Names of what is stated with an uncertainty that does not average away."""
    stated = {
        "stand_off": magnetic.sensor.stand_off.sigma,
        "layer_thickness": magnetic.source.thickness.sigma,
        "gradient_x": magnetic.background.gradient,
        "gradient_y": magnetic.background.gradient,
    }
    return tuple(term for term, sigma in stated.items() if sigma > 0)


def _moved(field: xr.Dataset, magnetic: Magnetic, term: str, sign: int) -> tuple[xr.Dataset, Magnetic]:
    """Field and settings with one term moved by its standard deviation up or down."""
    if term.startswith("gradient"):
        along = field[term[-1]]
        tilt = sign * magnetic.background.gradient * (along - along.mean())
        return field.assign(field=(field.field + tilt).transpose("axis", "y", "x").assign_attrs(units="T")), magnetic
    section, key = {"stand_off": ("sensor", "stand_off"), "layer_thickness": ("source", "thickness")}[term]
    settings = getattr(magnetic, section)
    value: Measured = getattr(settings, key)
    changed = settings.model_copy(update={key: Measured(value.value + sign * value.sigma)})
    return field, magnetic.model_copy(update={section: changed})


def _mapped(field: xr.Dataset, magnetic: Magnetic, *, margin: float) -> dict[str, Array]:
    return _maps(_inverted(field, magnetic, draws=0, margin=margin).source, magnetic)


def _inverted(field: xr.Dataset, magnetic: Magnetic, *, draws: int, margin: float | None = None) -> Inversion:
    source, sensor = magnetic.source, magnetic.sensor
    left = without_background(field, magnetic.background)
    maps = FieldMaps(left.field.values, left.direction.values, left.y.values, left.x.values)
    lengths = {
        "height": sensor.stand_off.value,
        "thickness": source.thickness.value,
        "sensor_thickness": sensor.thickness,
    }

    def transfer(modes: HalfSpectrum) -> Array:
        if source.invert == "current":
            return np.stack([field_per_stream_function(modes=modes, axis=u, **lengths) for u in maps.axes])
        along = source.magnetised_along
        return np.stack([field_per_magnetisation(modes=modes, axis=u, direction=along, **lengths) for u in maps.axes])

    return invert_sheet(
        maps,
        transfer=transfer,
        order=2 if source.invert == "current" else 1,
        noise=np.sqrt(field.field_var.values) if "field_var" in field else None,
        edges=source.edges,
        choice="likelihood",
        margin=margin,
        samples=draws,
        seed=0,
    )


def _maps(source: SheetSource, magnetic: Magnetic) -> dict[str, Array]:
    """Maps of a source, or of an error of it."""
    if magnetic.source.invert == "current":
        return dict(zip(QUANTITIES["current"], (source.image(), *source.current()), strict=True))
    return {"magnetisation": source.image() / (magnetic.source.thickness.value or 1.0)}


def _variance(found: Inversion, draws: Array) -> Array:
    pixels = POOLED if isinstance(found.prior, SmoothPrior) else 0.0
    return np.asarray(gaussian_filter((draws**2).mean(axis=0), pixels))


def _unit(name: str, magnetic: Magnetic) -> str:
    if name == "stream_function" or (name == "magnetisation" and not magnetic.source.thickness.value):
        return "A"
    return "A/m"


def _squared(unit: str) -> str:
    return {"A": "A^2", "A/m": "A^2/m^2"}[unit]
