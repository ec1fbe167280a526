"""Magnetisation of para- and diamagnets in an applied field, and what is lost by ignoring their own field."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.constants import mu_0

from operando.errors import InputError
from operando.frames import grid_of, vectors_on_grid
from operando.units import in_units

Array = npt.NDArray[Any]

LARGEST_SUSCEPTIBILITY = 1e-2
"""Volume susceptibility up to which a body's own field is ignored without a word: at most 1 % of its magnetisation."""


class DemagnetisationWarning(UserWarning):
    """A susceptibility so large that a body's own field changes its magnetisation noticeably."""


def magnetisation_from_susceptibility(susceptibility: xr.DataArray, *, applied_field: Sequence[float]) -> xr.DataArray:
    """Magnetisation ``M = chi B0 / mu0`` of voxels that do not feel each other.

    A body magnetises by its inner field ``H0 - N M``; leaving N out overstates M by the fraction ``N chi``, from
    0 for a film along the field over chi / 3 for a sphere to chi for a film across it. A neighbour adds as much.

    Parameters
    ----------
    susceptibility:
        By volume, SI, ``(z, y, x)``, dimensionless.
    applied_field:
        Uniform, ``(x, y, z)`` [T].

    Returns
    -------
    ``magnetisation`` ``(component, z, y, x)`` [A/m].

    Warns
    -----
    DemagnetisationWarning
        Where a susceptibility exceeds 1e-2.
    """
    applied = np.asarray(applied_field, dtype=float)
    if applied.shape != (3,) or not np.isfinite(applied).all():
        raise InputError("applied field", must="three components (x, y, z) in tesla", received=applied_field)
    chi = in_units(susceptibility, unit="", name="susceptibility").transpose("z", "y", "x")
    if not np.isfinite(chi.values).all():
        raise InputError("susceptibility", must="finite everywhere", received="NaN or infinity")
    largest = float(np.abs(chi.values).max())
    if largest > LARGEST_SUSCEPTIBILITY:
        film, sphere = (error_from_ignored_demagnetisation(susceptibility=largest, factor=f) for f in (1.0, 1 / 3))
        warnings.warn(
            f"Susceptibility reaches {largest:.2g}: the body's own field, which is ignored here, changes its "
            f"magnetisation by up to {film:.1%} ({sphere:.1%} in a sphere).",
            DemagnetisationWarning,
            stacklevel=2,
        )
    values = chi.values * (applied / mu_0)[:, None, None, None]
    return vectors_on_grid(values, grid_of(chi), name="magnetisation", units="A/m")


def error_from_ignored_demagnetisation(*, susceptibility: float, factor: float = 1 / 3) -> float:
    """Fraction ``N chi`` by which ``M = chi H0`` overstates ``M = chi H0 / (1 + N chi)``.

    Parameters
    ----------
    susceptibility:
        By volume, SI.
    factor:
        Demagnetising factor N along the field: 1/3 for a sphere, 1 for a film across the field, which is the most.

    Raises
    ------
    InputError
        If the factor is not between 0 and 1.
    """
    if not 0 <= factor <= 1:
        raise InputError("demagnetising factor", must="between 0 and 1", received=factor)
    return factor * susceptibility


def moment_of_sphere(*, susceptibility: float, volume: float, applied_field: Sequence[float]) -> Array:
    """Exact moment of a sphere in a uniform field, ``m = V 3 chi / (3 + chi) B0 / mu0`` ``(x, y, z)`` [A m^2].

    Parameters
    ----------
    susceptibility:
        By volume, SI.
    volume:
        [m^3].
    applied_field:
        ``(x, y, z)`` [T].
    """
    per_field = volume * 3 * susceptibility / (3 + susceptibility) / mu_0
    return np.asarray(per_field * np.asarray(applied_field, dtype=float))
