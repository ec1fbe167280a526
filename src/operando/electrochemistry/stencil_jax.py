"""The seven-point stencil in JAX, for accelerators and for use beside other JAX code; the same functions as on CPU.

Each kernel is compiled apart: as one function XLA would recompute stencils that it fuses. Relaxation is red-black.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from operando.electrochemistry.finite_volume import Faces

Array = Any


def dot(a: Array, b: Array) -> float:
    """``a . b``."""
    return float(jnp.vdot(a, b))


@jax.jit
def plus(u: Array, factor: float, v: Array) -> Array:
    """``u + factor v``."""
    return u + factor * v


@partial(jax.jit, static_argnums=2)
def scaled(u: Array, factor: float, kind: Any) -> Array:
    """``factor u`` in another precision."""
    return (factor * u).astype(kind)


@jax.jit
def apply(faces: Faces, diagonal: Array, u: Array) -> Array:
    """``A u``."""
    out = diagonal * u
    for axis, conductance in enumerate(faces):
        outside = [(1, 1) if a == axis else (0, 0) for a in range(3)]
        flow = jnp.diff(jnp.pad(u, outside), axis=axis) * conductance
        out = out - jnp.diff(flow, axis=axis)
    return out


@jax.jit
def inverse_diagonal(faces: Faces, diagonal: Array) -> Array:
    """One over each voxel's sum of conductances; 0 where nothing conducts."""
    fz, fy, fx = faces
    total = fz[1:] + fz[:-1] + fy[:, 1:] + fy[:, :-1] + fx[:, :, 1:] + fx[:, :, :-1] + diagonal
    return jnp.where(total > 0, 1 / jnp.where(total > 0, total, 1), 0)


def relax(faces: Faces, inverse: Array, b: Array, u: Array | None, *, upwards: bool) -> Array:
    """One symmetric half of relaxation on ``A u = b``; from zero where `u` is None."""
    if u is None:
        u = jnp.zeros_like(b)
    for colour in (0, 1) if upwards else (1, 0):
        u = _relax(faces, inverse, b, u, colour)
    return u


@partial(jax.jit, static_argnums=4)
def residual_on_coarse(faces: Faces, inverse: Array, b: Array, u: Array, factors: tuple[int, int, int]) -> Array:
    """Sum of ``b - A u`` over the voxels of each coarse voxel."""
    own = jnp.where(inverse > 0, u / jnp.where(inverse > 0, inverse, 1), 0)
    r = jnp.where(inverse > 0, b + _neighbours(faces, u) - own, 0)
    for axis, factor in enumerate(factors):
        if factor == 2:
            odd = [(0, r.shape[a] % 2 if a == axis else 0) for a in range(3)]
            r = jnp.pad(r, odd)
            r = r.reshape(*r.shape[:axis], -1, 2, *r.shape[axis + 1 :]).sum(axis=axis + 1)
    return r


@partial(jax.jit, static_argnums=2)
def add_from_coarse(coarse: Array, u: Array, factors: tuple[int, int, int]) -> Array:
    """Add to each voxel the value of its coarse voxel."""
    for axis, factor in enumerate(factors):
        if factor == 2:
            coarse = jnp.repeat(coarse, 2, axis=axis, total_repeat_length=u.shape[axis])
    return u + coarse


@jax.jit
def _relax(faces: Faces, inverse: Array, b: Array, u: Array, colour: int) -> Array:
    z, y, x = (jnp.arange(n) for n in u.shape)
    mine = (z[:, None, None] + y[:, None] + x) % 2 == colour
    return jnp.where(mine, inverse * (b + _neighbours(faces, u)), u)


def _neighbours(faces: Faces, u: Array) -> Array:
    """Sum of conductance times value over the six neighbours."""
    total = jnp.zeros_like(u)
    for axis, conductance in enumerate(faces):
        n = u.shape[axis]
        before, after = (jax.lax.slice_in_dim(conductance, s, s + n, axis=axis) for s in (0, 1))
        outside = [(1, 1) if a == axis else (0, 0) for a in range(3)]
        padded = jnp.pad(u, outside)
        lower, upper = (jax.lax.slice_in_dim(padded, s, s + n, axis=axis) for s in (0, 2))
        total = total + before * lower + after * upper
    return total
