"""Least squares for particles' susceptibilities on uncertain geometry: each source of error an unknown of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve

from operando.errors import RunError
from operando.magnetism.particle_prior import Prior

Array = npt.NDArray[Any]

STEPS = 8
SETTLED = 0.02
"""Change of every unknown, in standard deviations, at which steps end."""

UNHEARD = 0.3
"""Squared effect, in variances of noise summed over the map, of all the patches that are left out."""


@dataclass(frozen=True)
class Design:
    """A map in units of its noise, and what makes it; rows are values of the map.

    ``d = (F + sum_k (a_k dF_k + a_k^2 ddF_k) + sum_q o_q P_q) chi + B b + noise`` with ``a, o ~ N(0, 1)`` and b free.

    Attributes
    ----------
    data:
        d, ``(row,)``.
    fields:
        F, per unit susceptibility, ``(row, particle)``.
    shifts:
        dF_k: what one standard deviation of each shared error does to F, ``(error, row, particle)``.
    bends:
        ddF_k, where one standard deviation goes beyond what is linear.
    patches, owner:
        P_q: what one standard deviation of each patch of outline adds to its owner's field, ``(row, patch)``.
    background:
        B, ``(row, shape)``.
    """

    data: Array
    fields: Array
    shifts: Array
    bends: Array
    patches: Array
    owner: Array
    background: Array


@dataclass(frozen=True)
class Solution:
    """Susceptibilities with errors by source.

    Attributes
    ----------
    susceptibility, covariance:
        Of all particles, errors of every kind included.
    noise, outlines, prior:
        Variances by the map's noise, by the patches together, and by what was expected beforehand.
    shifts:
        What one standard deviation of each shared error does, ``(error, particle)``; it moves all particles together.
    errors, errors_sd:
        What the map says of the shared errors, in their standard deviations.
    information:
        A of the likelihood ``exp(-1/2 chi' A chi + c' chi)`` once all else is accounted for.
    chi_squared, freedom:
        Misfit and its expectation.
    """

    susceptibility: Array
    covariance: Array
    noise: Array
    outlines: Array
    prior: Array
    shifts: Array
    errors: Array
    errors_sd: Array
    information: Array
    chi_squared: float
    freedom: int
    learnt: Prior


def solve_particles(design: Design, *, start: Prior, learn: Callable[[Array, Array], Prior] | None = None) -> Solution:
    """Find the susceptibilities by Gauss-Newton steps.

    Patches act as noise whose covariance is that of the last step: were they fitted together with chi, a larger chi
    would make their displacements cheaper, and all susceptibilities come out too large.

    Parameters
    ----------
    start:
        Prior to begin with, and to keep unless `learn` makes another from the information A and c.

    Raises
    ------
    RunError
        If the steps do not settle.
    """
    count, shapes, errors = design.fields.shape[1], design.background.shape[1], len(design.shifts)
    patches, owner = _heard(design, start)
    chi, a, prior = start.mean.copy(), np.zeros(errors), start
    free = slice(0, count)
    for _ in range(STEPS):
        particles = (
            design.fields + np.einsum("k,krp->rp", a, design.shifts) + np.einsum("k,krp->rp", a**2, design.bends)
        )
        slopes = design.shifts + 2 * a[:, None, None] * design.bends
        moved = np.concatenate([np.einsum("krp,p->rk", slopes, chi), patches * chi[owner]], axis=1)
        matrix = np.concatenate([particles, design.background, moved], axis=1)
        target = design.data + moved[:, :errors] @ a
        normal, right = matrix.T @ matrix, matrix.T @ target
        own = np.ones(shapes + errors + owner.size)
        own[:shapes] = 1e-9 * np.diag(normal)[count : count + shapes]
        rest = normal[count:, count:] + np.diag(own)
        across = np.linalg.solve(rest, normal[count:, free])
        information = normal[free, free] - normal[free, count:] @ across
        weighted = right[free] - across.T @ right[count:]
        prior = learn(information, weighted) if learn is not None else start
        tight = np.linalg.inv(prior.covariance)
        inverse = _inverse(normal, tight, own)
        right[free] += tight @ prior.mean
        unknowns = inverse @ right
        step = np.abs(unknowns[free] - chi) / np.sqrt(np.diag(inverse)[free])
        chi, a = unknowns[free], unknowns[count + shapes :][:errors]
        if step.max() < SETTLED:
            break
    else:
        raise RunError("The particles' susceptibilities did not settle: is the geometry this map's?")
    residual = target - matrix @ unknowns
    by_noise = np.einsum("ij,jk,ik->i", inverse[free], normal, inverse[free])
    last = slice(count + shapes, count + shapes + errors)
    return Solution(
        susceptibility=chi,
        covariance=inverse[free, free],
        noise=by_noise,
        outlines=(inverse[free, last.stop :] ** 2).sum(axis=1),
        prior=np.einsum("ij,jk,ik->i", inverse[free, free], tight, inverse[free, free]),
        shifts=inverse[free, last].T.copy(),
        errors=a,
        errors_sd=np.sqrt(np.diag(inverse)[last]),
        information=information,
        chi_squared=float(residual @ residual + np.square(unknowns[count + shapes :]).sum()),
        freedom=int(residual.size - count - shapes),
        learnt=prior,
    )


def _heard(design: Design, start: Prior) -> tuple[Array, Array]:
    """Patches that show above the noise."""
    scale = np.sqrt(start.mean**2 + np.diag(start.covariance))[design.owner]
    effect = (design.patches**2).sum(axis=0) * scale**2
    order = np.argsort(effect)
    kept = np.sort(order[np.cumsum(effect[order]) > UNHEARD])
    return design.patches[:, kept], design.owner[kept]


def _inverse(normal: Array, tight: Array, own: Array) -> Array:
    """Invert the normal matrix with its priors, in units in which its diagonal is 1."""
    full = normal.copy()
    full[: len(tight), : len(tight)] += tight
    full[range(len(tight), len(full)), range(len(tight), len(full))] += own
    unit = 1 / np.sqrt(np.diag(full))
    return np.asarray(cho_solve(cho_factor(full * np.outer(unit, unit)), np.eye(len(full))) * np.outer(unit, unit))
