"""Fields of a thin sheet in Fourier space: current by its stream function, and magnetisation.

Conventions: ``F(k) = sum f exp(-i k.r)``; x grows with the column, y with the row, z from the sheet to the sensor, and
the three are right-handed. With the stream function psi [A], ``J = (d psi/dy, -d psi/dx)``: a current to +x lies
where psi grows with y, runs anticlockwise around a maximum of psi seen from +z, and makes ``By < 0`` above itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft
from scipy.constants import mu_0

from operando.errors import InputError

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class HalfSpectrum:
    """The half of a real map's Fourier transform that determines the other half.

    Attributes
    ----------
    shape:
        Pixels of the map along ``(y, x)``.
    pixel:
        Pixel size along ``(y, x)`` [m].
    """

    shape: tuple[int, int]
    pixel: tuple[float, float]

    @cached_property
    def kx(self) -> Array:
        """Wavenumbers along x for odd factors such as i kx [rad/m]; zero on the Nyquist line, which has no sign."""
        k = 2 * np.pi * scipy.fft.rfftfreq(self.shape[1], self.pixel[1])
        if self.shape[1] % 2 == 0:
            k[-1] = 0
        return np.broadcast_to(k, self.spectral_shape)

    @cached_property
    def ky(self) -> Array:
        """Wavenumbers along y for odd factors [rad/m]."""
        k = 2 * np.pi * scipy.fft.fftfreq(self.shape[0], self.pixel[0])
        if self.shape[0] % 2 == 0:
            k[self.shape[0] // 2] = 0
        return np.broadcast_to(k[:, None], self.spectral_shape)

    @cached_property
    def k(self) -> Array:
        """Magnitude of the wavevector [rad/m], Nyquist lines included."""
        kx = 2 * np.pi * scipy.fft.rfftfreq(self.shape[1], self.pixel[1])
        ky = 2 * np.pi * scipy.fft.fftfreq(self.shape[0], self.pixel[0])
        return np.asarray(np.hypot(ky[:, None], kx))

    @cached_property
    def multiplicity(self) -> Array:
        """How many modes of the full transform each stands for: two, but one on the lines that are their own mirror."""
        count = np.full(self.spectral_shape, 2.0)
        count[:, 0] = 1
        if self.shape[1] % 2 == 0:
            count[:, -1] = 1
        return count

    @property
    def spectral_shape(self) -> tuple[int, int]:
        """Shape of the half-spectrum."""
        return self.shape[0], self.shape[1] // 2 + 1

    def spectrum(self, maps: Array) -> Array:
        """Transform maps ``(..., y, x)``."""
        return np.asarray(scipy.fft.rfft2(maps))

    def image(self, spectrum: Array) -> Array:
        """Transform back."""
        return np.asarray(scipy.fft.irfft2(spectrum, s=self.shape))

    def product(self, a: Array, b: Array) -> float:
        """Inner product of two maps, given their spectra."""
        return float((self.multiplicity * (a.real * b.real + a.imag * b.imag)).sum()) / self.shape[0] / self.shape[1]


def unit_vector(axis: Sequence[float] | Array, *, name: str) -> Array:
    """Check a direction ``(x, y, z)``.

    Raises
    ------
    InputError
        If it is no unit vector.
    """
    unit = np.asarray(axis, dtype=float)
    if unit.shape != (3,) or not np.isclose(np.linalg.norm(unit), 1.0, rtol=0, atol=1e-6):
        raise InputError(name, must="a unit vector (x, y, z)", received=axis, remedy="Divide it by its length.")
    return unit


def thickness_factor(*, k: Array, thickness: float) -> Array:
    """Attenuation of a source layer that extends by `thickness` below its top, ``(1 - exp(-k t)) / (k t)``.

    The layer's current or magnetisation is summed over its thickness; the factor tends to 1 for a thin layer.

    Parameters
    ----------
    k:
        [rad/m].
    thickness:
        [m].
    """
    kt = np.asarray(k * _length(thickness, "thickness"), dtype=float)
    return np.where(kt > 0, -np.expm1(-kt) / np.where(kt > 0, kt, 1.0), 1.0)


def sensor_factor(*, k: Array, thickness: float) -> Array:
    """Mean over a sensor layer about its centre, ``sinh(k d / 2) / (k d / 2)``.

    Parameters
    ----------
    k:
        [rad/m].
    thickness:
        [m].
    """
    half = np.asarray(k * _length(thickness, "sensor thickness") / 2, dtype=float)
    return np.where(half > 0, np.sinh(half) / np.where(half > 0, half, 1.0), 1.0)


def upward_factor(*, k: Array, height: float, thickness: float = 0.0, sensor_thickness: float = 0.0) -> Array:
    """How a field decays from a layer to a sensor: ``exp(-k h)`` with the factors of both thicknesses.

    Parameters
    ----------
    k:
        [rad/m].
    height:
        From the top of the source layer to the centre of the sensor layer [m].
    thickness, sensor_thickness:
        Of the source and of the sensor [m].

    Raises
    ------
    InputError
        If a length is negative, or the sensor reaches into the source.
    """
    if not (np.isfinite(height) and height >= _length(sensor_thickness, "sensor thickness") / 2):
        raise InputError(
            "height",
            must=f"at least half the sensor's thickness ({sensor_thickness / 2:g} m)",
            received=height,
            remedy="It is measured from the top of the source to the centre of the sensor.",
        )
    # exp(-k h) sinh(k d / 2) without overflow at large k
    lower = np.exp(-k * (height - sensor_thickness / 2))
    return lower * thickness_factor(k=k, thickness=sensor_thickness) * thickness_factor(k=k, thickness=thickness)


def field_per_stream_function(
    *,
    modes: HalfSpectrum,
    axis: Sequence[float] | Array,
    height: float,
    thickness: float = 0.0,
    sensor_thickness: float = 0.0,
) -> Array:
    """Field along an axis per stream function, ``Bu = mu0/2 exp(-k h) (uz k - i ux kx - i uy ky) psi``.

    Parameters
    ----------
    modes:
        Of the map.
    axis:
        Unit vector u ``(x, y, z)``.
    height, thickness, sensor_thickness:
        As in `upward_factor` [m].

    Returns
    -------
    One factor for each mode [T/A].

    References
    ----------
    Roth, Sepulveda and Wikswo 1989, doi:10.1063/1.342549; Lima and Weiss 2009, doi:10.1029/2008JB006006.
    """
    return field_per_magnetisation(
        modes=modes,
        axis=axis,
        direction=(0.0, 0.0, 1.0),
        height=height,
        thickness=thickness,
        sensor_thickness=sensor_thickness,
    )


def field_per_magnetisation(
    *,
    modes: HalfSpectrum,
    axis: Sequence[float] | Array,
    direction: Sequence[float] | Array,
    height: float,
    thickness: float = 0.0,
    sensor_thickness: float = 0.0,
) -> Array:
    """Field along an axis per sheet magnetisation along a direction.

    ``Bu = mu0/2 exp(-k h) (uz k - i u.k) (mz k - i m.k) / k``; the mean makes no field. A sheet magnetisation along
    +z is a stream function.

    Parameters
    ----------
    modes:
        Of the map.
    axis, direction:
        Unit vectors u and m ``(x, y, z)``.
    height, thickness, sensor_thickness:
        As in `upward_factor` [m].

    Returns
    -------
    One factor for each mode [T/A].
    """
    u, m = unit_vector(axis, name="axis"), unit_vector(direction, name="direction")
    seen = u[2] * modes.k - 1j * (u[0] * modes.kx + u[1] * modes.ky)
    made = m[2] * modes.k - 1j * (m[0] * modes.kx + m[1] * modes.ky)
    decay = upward_factor(k=modes.k, height=height, thickness=thickness, sensor_thickness=sensor_thickness)
    return np.asarray(mu_0 / 2 * decay * seen * made / np.where(modes.k > 0, modes.k, 1.0))


def current_from_stream_function(*, stream: Array, modes: HalfSpectrum) -> Array:
    """Sheet current of a stream function, ``J = (d psi/dy, -d psi/dx)``: divergence-free by construction.

    Parameters
    ----------
    stream:
        Spectrum of psi [A].

    Returns
    -------
    ``(2, y, x)``: Jx, Jy [A/m].
    """
    return modes.image(np.stack([1j * modes.ky * stream, -1j * modes.kx * stream]))


def point_spread_factor(*, modes: HalfSpectrum, values: Array, x: Array, y: Array) -> Array:
    """Fourier transform of a kernel sampled on pixels of its own, ``sum f(r) exp(-i k.r)``.

    Parameters
    ----------
    modes:
        Of the map.
    values:
        Kernel ``(y, x)``.
    x, y:
        Displacement from source to sensor [m]: a kernel that peaks at x > 0 shifts the map to +x.

    Returns
    -------
    One factor for each mode, in units of `values`; divide by their sum for a mean over the sensor.
    """
    kx = 2 * np.pi * scipy.fft.rfftfreq(modes.shape[1], modes.pixel[1])
    ky = 2 * np.pi * scipy.fft.fftfreq(modes.shape[0], modes.pixel[0])
    return np.asarray(np.exp(-1j * np.outer(ky, y)) @ values @ np.exp(-1j * np.outer(x, kx)))


def _length(value: float, name: str) -> float:
    if not (np.isfinite(value) and value >= 0):
        raise InputError(name, must="a length in metres, zero or more", received=value)
    return value
