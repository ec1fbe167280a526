"""Shapes of particles as gauges: functions of the offset from the centre that are 1 on the surface of a unit particle.

A gauge grows in proportion to the offset, so that ``gauge(offset / radius) < s`` is the particle scaled by s. Offsets
are arrays ``(dimension, ...)``, of two or three dimensions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Gauge = Callable[[Array], Array]


def sphere_gauge(offset: Array) -> Array:
    """Gauge of a sphere, or of a disc in two dimensions: ``|d|``."""
    return np.asarray(np.sqrt((offset**2).sum(axis=0)))


def superellipsoid_gauge(*, aspect: float, exponent: float, turn: Array) -> Gauge:
    """Gauge of a superellipsoid, ``(sum_i |d_i / a_i|^p)^(1/p)``.

    Parameters
    ----------
    aspect:
        First axis over the others; the product of all axes is 1.
    exponent:
        p: 2 for an ellipsoid, large for a box with rounded edges, 1 for an octahedron.
    turn:
        Rows: the body's axes.
    """
    dimension = len(turn)
    axes = aspect ** (np.array([dimension - 1.0, *[-1.0] * (dimension - 1)]) / dimension)
    scaled_turn = turn / axes[:, None]

    def gauge(offset: Array) -> Array:
        body = np.abs(np.tensordot(scaled_turn, offset, axes=1))
        return np.asarray((body**exponent).sum(axis=0) ** (1 / exponent))

    return gauge


def polyhedron_gauge(*, normals: Array, distances: Array) -> Gauge:
    """Gauge of a convex polyhedron, ``max_k n_k . d / h_k``, from its faces' normals and distances."""

    def gauge(offset: Array) -> Array:
        return np.asarray(np.max(np.tensordot(normals / distances[:, None], offset, axes=1), axis=0))

    return gauge


def random_polyhedron(*, dimension: int, faces: int, rng: np.random.Generator) -> Gauge:
    """Draw a polyhedron (a polygon in two dimensions): faces all round, jittered, at 0.8 to 1.1 from the centre."""
    jitter = 0.5 * faces ** (-1 / (dimension - 1)) * rng.standard_normal((faces, dimension))
    outward: Array = (_directions(dimension, faces) + jitter) @ random_turn(dimension=dimension, rng=rng)
    normals = np.asarray(outward / np.linalg.norm(outward, axis=1, keepdims=True))
    return polyhedron_gauge(normals=normals, distances=rng.uniform(0.8, 1.1, faces))


def random_turn(*, dimension: int, rng: np.random.Generator) -> Array:
    """Draw a rotation, uniformly; rows are orthonormal axes."""
    q, r = np.linalg.qr(rng.standard_normal((dimension, dimension)))
    return np.asarray(q * np.sign(np.diag(r)))


def _directions(dimension: int, count: int) -> Array:
    """Spread directions evenly: equal angles in the plane, Fibonacci's spiral on the sphere."""
    i: Array = np.arange(count) + 0.5
    if dimension == 2:
        angle = 2 * np.pi * i / count
        return np.stack([np.cos(angle), np.sin(angle)], axis=1)
    height, azimuth = 1 - 2 * i / count, np.pi * (1 + 5**0.5) * i
    ring = np.sqrt(1 - height**2)
    return np.stack([ring * np.cos(azimuth), ring * np.sin(azimuth), height], axis=1)
