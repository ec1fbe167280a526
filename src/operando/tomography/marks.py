"""X-ray to neutron registration of a cylindrical cell by its own marks.

A cell is nearly a body of revolution: a search over rotations compares, almost everywhere, like with like. So each
degree of freedom is taken from what shows it best: scale and axis from the bore, height from the face of the
cathode's collector, and the turn about z from the wrinkles of the foil, which both beams see as attenuation summed
through the anode.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy import ndimage

Array = npt.NDArray[Any]

ANGLES = 720
"""Steps of a full turn."""

FOUND = 0.5
"""Least correlation of the two foils at the best turn."""

AHEAD = 1.5
"""How many times higher than at any other turn the best correlation must be."""

HANDED = 0.12
"""How far the best correlation must lie above that with one foil mirrored.

Smooth foils resemble their mirror images: up to 0.7 was seen beside 0.9."""

FOIL_SIGMA = np.radians(1.0)
"""What the two beams make of one foil differently, as an error of the turn [rad]: scatter over simulated cells."""

AGREEMENT = np.radians(4.0)
"""Largest difference between the turns that the inner and the outer half of the foil show."""


class MarksStatus(StrEnum):
    """Outcome; the value is the message for people."""

    REGISTERED = "The X-ray volume is registered by bore, collector and foil."
    NO_FOIL = "Registration failed: the foil looks different to X-rays and neutrons at every turn."
    AMBIGUOUS = "Registration failed: two turns fit the foil almost equally well."
    MIRRORED = (
        "Registration failed: the mirror image of one volume fits the other as well. Check the order of its axes."
    )
    UNSTABLE = "Registration failed: the inner and the outer half of the foil show different turns."

    @property
    def succeeded(self) -> bool:
        """Whether the affine may be used."""
        return self is MarksStatus.REGISTERED


@dataclass(frozen=True)
class Marks:
    """What marks a cell's place in one volume.

    Attributes
    ----------
    radius:
        Of the bore [m].
    axis:
        Where the bore's axis is, ``(x, y)`` [m].
    face:
        z of the cathode collector's face [m].
    foil:
        Attenuation summed through the anode, ``(y, x)``.
    """

    radius: float
    axis: tuple[float, float]
    face: float
    foil: xr.DataArray


@dataclass(frozen=True)
class MarkedRegistration:
    """Where the moving volume lies in the fixed one's frame.

    Attributes
    ----------
    affine:
        Moving to fixed world points ``(x, y, z, 1)`` [m], 4 x 4.
    scale:
        True over stated voxel size of the moving volume.
    turn, turn_sigma:
        Rotation about z from moving to fixed; its error from the difference between the foil's halves [rad].
    correlation, runner_up, mirrored:
        Of the foils at the best turn, at the best turn more than 30 deg away, and with one foil mirrored.
    """

    affine: Array
    scale: float
    turn: float
    turn_sigma: float
    correlation: float
    runner_up: float
    mirrored: float
    status: MarksStatus


def bore_from_slices(slices: xr.DataArray) -> tuple[float, tuple[float, float]]:
    """Radius and axis ``(x, y)`` of the bore [m], from slices in which a pin fills it.

    From the area and the centroid of what lies above half the rim's height: averages over thousands of voxels.
    """
    mean = slices.mean("z").values
    x, y = np.asarray(slices.x.values), np.asarray(slices.y.values)
    voxel = float(x[1] - x[0])
    inside = mean > (mean.max() + np.median(mean)) / 4
    centre = np.average(x, weights=inside.sum(axis=0)), np.average(y, weights=inside.sum(axis=1))
    rough = voxel * float(np.sqrt(inside.sum() / np.pi))
    distance = np.hypot(y[:, None] - centre[1], x[None, :] - centre[0])
    rim, wall = (float(np.median(mean[np.abs(distance - r * rough) < 0.04 * rough])) for r in (0.93, 1.12))
    within = (distance < 1.1 * rough) & (mean > (rim + wall) / 2)
    axis = float(np.average(x, weights=within.sum(axis=0))), float(np.average(y, weights=within.sum(axis=1)))
    return voxel * float(np.sqrt(within.sum() / np.pi)), axis


def registration_from_marks(*, fixed: Marks, moving: Marks) -> MarkedRegistration:
    """Bring the moving volume's marks onto the fixed one's."""
    scale = fixed.radius / moving.radius
    radii = np.linspace(0.08, 0.92, 28)
    first = _polar(fixed.foil, fixed.axis, radii * fixed.radius)
    second = _polar(moving.foil, moving.axis, radii * moving.radius)
    correlation, mirror = _correlation(first, second), _correlation(first, second[::-1])
    best = int(np.argmax(correlation))
    away = np.abs((np.arange(ANGLES) - best + ANGLES // 2) % ANGLES - ANGLES // 2) > ANGLES / 12
    halves = [_peak(_correlation(first[:, part], second[:, part])) for part in (slice(None, 16), slice(16, None))]
    turn = _peak(correlation)
    split = float(np.abs(np.angle(np.exp(1j * (halves[0] - halves[1])))))
    values = float(correlation[best]), float(correlation[away].max()), float(mirror.max())
    return MarkedRegistration(
        affine=_affine(fixed, moving, scale, turn),
        scale=scale,
        turn=turn,
        turn_sigma=float(np.hypot(split / 2, FOIL_SIGMA)),
        correlation=values[0],
        runner_up=values[1],
        mirrored=values[2],
        status=_status(*values, split),
    )


def _status(correlation: float, runner_up: float, mirrored: float, split: float) -> MarksStatus:
    objections = (
        (correlation < FOUND and mirrored < FOUND, MarksStatus.NO_FOIL),
        (correlation < mirrored + HANDED, MarksStatus.MIRRORED),
        (correlation < AHEAD * runner_up, MarksStatus.AMBIGUOUS),
        (split > AGREEMENT, MarksStatus.UNSTABLE),
    )
    return next((status for objection, status in objections if objection), MarksStatus.REGISTERED)


def _polar(foil: xr.DataArray, axis: tuple[float, float], radii: Array) -> Array:
    """Foil on ``(angle, radius)`` about the axis, less its mean over each ring, weighted by the rings' area."""
    x, y = np.asarray(foil.x.values), np.asarray(foil.y.values)
    angle = np.linspace(0, 2 * np.pi, ANGLES, endpoint=False)[:, None]
    places = (
        (axis[1] + radii * np.sin(angle) - y[0]) / (y[1] - y[0]),
        (axis[0] + radii * np.cos(angle) - x[0]) / (x[1] - x[0]),
    )
    rings = ndimage.map_coordinates(ndimage.gaussian_filter(foil.values.astype(float), 1.0), places, order=1)
    return np.asarray((rings - rings.mean(axis=0)) * np.sqrt(radii))


def _correlation(first: Array, second: Array) -> Array:
    """Correlation after turning the second by each angle."""
    product = np.fft.fft(first, axis=0) * np.conj(np.fft.fft(second, axis=0))
    return np.asarray(np.fft.ifft(product.sum(axis=1)).real / np.sqrt((first**2).sum() * (second**2).sum()))


def _peak(correlation: Array) -> float:
    """Angle of the highest correlation [rad], to a fraction of a step by a parabola."""
    best = int(np.argmax(correlation))
    low, top, high = (float(correlation[(best + k) % correlation.size]) for k in (-1, 0, 1))
    step = best + 0.5 * (low - high) / (low - 2 * top + high)
    return float(np.angle(np.exp(2j * np.pi * step / correlation.size)))


def _affine(fixed: Marks, moving: Marks, scale: float, turn: float) -> Array:
    affine = np.eye(4)
    cosine, sine = np.cos(turn), np.sin(turn)
    affine[:3, :3] = scale * np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])
    affine[:3, 3] = np.array([*fixed.axis, fixed.face]) - affine[:3, :3] @ np.array([*moving.axis, moving.face])
    return affine
