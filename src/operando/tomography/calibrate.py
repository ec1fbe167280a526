"""From grey values to attenuation, with what the references can tell and what they cannot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import xarray as xr

from operando.errors import InputError
from operando.frames import Array
from operando.units import Measured

NO_HARDENING = Measured(0.0)
"""An exact zero: the grey value is linear in the attenuation."""


@dataclass(frozen=True)
class Reference:
    """A region whose attenuation is known from elsewhere.

    Attributes
    ----------
    grey:
        Mean grey value of the region and the standard deviation of that mean, in the volume's unit.
    attenuation:
        Expected attenuation and its own standard deviation, apart from the nuisances below [1/m].
    weight:
        Factor on the reference's say; 1 takes the stated errors as they are, 0.25 doubles them.
    """

    name: str
    grey: Measured
    attenuation: Measured
    weight: float = 1.0


@dataclass(frozen=True)
class Nuisance:
    """Something uncertain that changes the attenuation of several references together.

    Attributes
    ----------
    prior:
        What is known of it beforehand; the references' attenuations hold at the prior's value.
    response:
        Change of each named reference's attenuation per unit [1/m]; zero for those not named.
    """

    name: str
    prior: Measured
    response: Mapping[str, float]


class CalibrationStatus(StrEnum):
    """Outcome of a calibration; the value is the message for people."""

    GOOD = "The references agree with each other and fix scale and offset."
    EXACT = "Scale and offset are fixed, but no reference is left over to test them."
    WEAK = "The references lie too close together: the scale is known to worse than a tenth."
    TENSION = "The references contradict each other beyond their stated errors."


@dataclass(frozen=True)
class Learnt:
    """What the references told about one nuisance.

    Attributes
    ----------
    prior, posterior:
        Before and after.
    with_scale:
        Posterior correlation with the scale; near one, only their combination is known.
    """

    prior: Measured
    posterior: Measured
    with_scale: float

    @property
    def narrowing(self) -> float:
        """Posterior over prior width; one means that the references say nothing about it."""
        return self.posterior.sigma / self.prior.sigma if self.prior.sigma else 1.0

    @property
    def identified(self) -> bool:
        """Whether the references at least halve the prior width."""
        return self.narrowing < 0.5


@dataclass(frozen=True)
class Calibration:
    """``v = scale mu (1 - hardening mu) + offset``.

    Attributes
    ----------
    scale, offset:
        Grey value per attenuation [m times the grey unit], and grey value of nothing.
    hardening:
        Relative loss of apparent attenuation per attenuation [m].
    covariance:
        Of ``(scale, offset, hardening)``.
    displacements:
        For each independent source of error, how far one standard deviation of it moves ``(scale, offset,
        hardening)`` together. Their outer products add up to `covariance`.
    learnt:
        What was learnt about each nuisance.
    confounded:
        Pairs of nuisances that the references cannot tell apart: posterior correlation beyond 0.9.
    chi2, degrees_of_freedom:
        Misfit of all references and priors, and how many references are left over.
    residuals:
        Grey value less the fitted one, in standard deviations, by reference.
    """

    scale: float
    offset: float
    hardening: float
    covariance: Array
    displacements: Mapping[str, Array]
    learnt: Mapping[str, Learnt]
    confounded: tuple[tuple[str, str], ...]
    chi2: float
    degrees_of_freedom: int
    residuals: Mapping[str, float]
    status: CalibrationStatus = field(default=CalibrationStatus.GOOD)

    def grey(self, attenuation: Array | float) -> Array:
        """Grey value of an attenuation [1/m]."""
        mu = np.asarray(attenuation)
        return np.asarray(self.scale * mu * (1 - self.hardening * mu) + self.offset)

    def attenuation(self, grey: Array | float) -> Array:
        """Attenuation [1/m] of a grey value; past the turning point of the hardening law, the turning point."""
        apparent = (np.asarray(grey) - self.offset) / self.scale
        if self.hardening == 0:
            return apparent
        return np.asarray(2 * apparent / (1 + np.sqrt(np.maximum(1 - 4 * self.hardening * apparent, 0.0))))

    def attenuation_shift(self, attenuation: Array | float, source: str) -> Array:
        """How far one standard deviation of a named source of error moves an attenuation [1/m], with its sign."""
        mu = np.asarray(attenuation)
        scale, offset, hardening = self.displacements[source]
        moved = scale * mu * (1 - self.hardening * mu) + offset - self.scale * hardening * mu**2
        return np.asarray(-moved / self.slope(mu))

    def systematic(self, attenuation: Array | float) -> Array:
        """Standard deviation of an attenuation from the calibration as a whole [1/m]."""
        shifts = [self.attenuation_shift(attenuation, source) for source in self.displacements]
        return np.asarray(np.sqrt(np.sum(np.square(shifts), axis=0)))

    def slope(self, attenuation: Array | float) -> Array:
        """Change of the grey value with the attenuation."""
        return self.scale * (1 - 2 * self.hardening * np.asarray(attenuation))


def calibration_from_references(
    *, references: Sequence[Reference], nuisances: Sequence[Nuisance] = (), hardening: Measured = NO_HARDENING
) -> Calibration:
    """Fit ``v = scale m (1 - hardening m) + offset`` with ``m = attenuation + sum_k response_k (theta_k - prior_k)``.

    Eq. 5 of Vestin et al. (2026) with its uncertain parts named: Gaussian priors on the nuisances, on every
    reference's own attenuation and on the hardening; none on scale and offset. Gauss-Newton to the maximum of the
    posterior, whose curvature gives the widths. One material and air, without nuisances, are the paper's procedure.

    Parameters
    ----------
    references:
        Two or more regions of different attenuation.
    nuisances:
        Porosity, enrichment, scatter and the like, each named and acting on any of the references.
    hardening:
        Prior of the hardening coefficient [m]; without a width it is taken as exact.

    Raises
    ------
    InputError
        If fewer than two references are given, all have the same attenuation, names repeat, or an error is missing.
    """
    _check(references, nuisances)
    prior, width = _priors(references, nuisances, hardening)
    respond = np.array([[n.response.get(r.name, 0.0) for n in nuisances] for r in references]).reshape(
        len(references), len(nuisances)
    )
    grey = np.array([r.grey.value for r in references])
    grey_sigma = np.array([r.grey.sigma / np.sqrt(r.weight) for r in references])
    own = slice(3, 3 + len(references))
    start = np.polyfit(prior[own] * (1 - prior[2] * prior[own]), grey, 1)
    state = prior.copy()
    state[:2] = start
    free = np.isfinite(width) & (width > 0)
    free[:2] = True
    for _ in range(100):
        values, jacobian = _model(state, prior, respond, own)
        rows = np.vstack([jacobian / grey_sigma[:, None], np.diag(1 / np.where(free, width, np.inf))[2:]])
        misfit = np.concatenate([(grey - values) / grey_sigma, ((prior - state) / np.where(free, width, np.inf))[2:]])
        size = np.where(free, np.maximum(np.abs(state), np.where(np.isfinite(width), width, 0.0)), 0.0)
        size[:2] = np.maximum(np.abs(state[:2]), [abs(start[0]), np.ptp(grey)])
        scaled = np.linalg.lstsq(rows * size, misfit, rcond=1e-14)[0]
        state = state + scaled * size
        if np.abs(scaled).max() < 1e-12:
            break
    inverse = np.linalg.pinv(rows * size, rcond=1e-14) * size[:, None]
    covariance = inverse @ inverse.T
    return _calibration(references, nuisances, state, prior, width, covariance, inverse, misfit, free)


def calibrated(volume: xr.Dataset, *, calibration: Calibration) -> xr.Dataset:
    """Turn grey values into attenuation.

    Parameters
    ----------
    volume:
        ``attenuation`` and ``attenuation_var`` in grey values, dims ``(z, y, x)``.

    Returns
    -------
    The same in 1/m and 1/m^2. The variance holds the voxels' noise alone; what all voxels share stays in the
    calibration, and ``attrs["systematic"]`` names those sources.

    Raises
    ------
    InputError
        If the variance is missing.
    """
    if "attenuation" not in volume or "attenuation_var" not in volume:
        raise InputError("volume", must="with attenuation and attenuation_var", received=sorted(map(str, volume)))
    mu = volume["attenuation"].copy(data=calibration.attenuation(volume["attenuation"].values))
    gain = calibration.slope(mu.values)
    return volume.assign(
        attenuation=mu.assign_attrs(units="1/m"),
        attenuation_var=(volume["attenuation_var"] / gain**2).assign_attrs(units="1/m^2"),
    ).assign_attrs(systematic=tuple(calibration.displacements))


def reference_from_region(
    volume: xr.DataArray, mask: xr.DataArray, *, name: str, attenuation: Measured, block: int = 8
) -> Reference:
    """Measure the grey value of a region; the error of its mean comes from the scatter between blocks of voxels.

    Raises
    ------
    InputError
        If the region touches fewer than four blocks.
    """
    index = np.nonzero(mask.values)
    blocks = np.ravel_multi_index(tuple(i // block for i in index), [n // block + 1 for n in volume.shape])
    _, member = np.unique(blocks, return_inverse=True)
    count = np.bincount(member)
    if count.size < 4:
        raise InputError(f"region {name}", must="spread over four blocks or more", received=f"{count.size}")
    values = volume.values[index].astype(float)
    mean = values.mean()
    deviation = np.bincount(member, values - mean)
    sigma = np.sqrt((deviation**2).sum() * count.size / (count.size - 1)) / values.size
    return Reference(name, Measured(float(mean), float(sigma)), attenuation)


def _check(references: Sequence[Reference], nuisances: Sequence[Nuisance]) -> None:
    if len(references) < 2:
        raise InputError(
            "references",
            must="two or more",
            received=f"{len(references)}",
            remedy="Add air, whose attenuation is zero, or a second material.",
        )
    names = [r.name for r in references] + [n.name for n in nuisances]
    if len(set(names)) < len(names) or "hardening" in names:
        raise InputError("references and nuisances", must="named differently, none hardening", received=names)
    for reference in references:
        numbers = (reference.grey.value, reference.grey.sigma, reference.attenuation.value, reference.weight)
        if not np.isfinite(numbers).all() or reference.grey.sigma <= 0 or reference.weight <= 0:
            raise InputError(
                f"reference {reference.name}", must="finite, with a grey error above zero", received=reference
            )
    values = [r.attenuation.value for r in references]
    if np.ptp(values) <= 1e-9 * max(1.0, *map(abs, values)):
        raise InputError(
            "references",
            must="of different attenuation",
            received=f"all at {values[0]:g} 1/m",
            remedy="Scale and offset cannot be told apart from one point; add a reference that differs.",
        )
    known = {r.name for r in references}
    for nuisance in nuisances:
        if nuisance.prior.sigma <= 0 or not set(nuisance.response) <= known:
            raise InputError(
                f"nuisance {nuisance.name}", must="with a width, and acting on references", received=nuisance
            )


def _priors(references: Sequence[Reference], nuisances: Sequence[Nuisance], hardening: Measured) -> tuple[Array, Array]:
    """Prior means and widths of scale, offset, hardening, each reference's attenuation, each nuisance."""
    own = [(r.attenuation.value, r.attenuation.sigma / np.sqrt(r.weight)) for r in references]
    shared = [(n.prior.value, n.prior.sigma) for n in nuisances]
    table = np.array([(0.0, np.inf), (0.0, np.inf), (hardening.value, hardening.sigma), *own, *shared])
    return table[:, 0], table[:, 1]


def _model(state: Array, prior: Array, respond: Array, own: slice) -> tuple[Array, Array]:
    """Grey values of the references and their derivatives."""
    scale, offset, hardening = state[:3]
    mu = state[own] + respond @ (state[own.stop :] - prior[own.stop :])
    apparent = mu * (1 - hardening * mu)
    slope = scale * (1 - 2 * hardening * mu)
    jacobian = np.column_stack([apparent, np.ones_like(mu), -scale * mu**2, np.diag(slope), slope[:, None] * respond])
    return scale * apparent + offset, jacobian


def _calibration(
    references: Sequence[Reference],
    nuisances: Sequence[Nuisance],
    state: Array,
    prior: Array,
    width: Array,
    covariance: Array,
    inverse: Array,
    misfit: Array,
    free: Array,
) -> Calibration:
    count = len(references)
    sources = [
        *(f"grey {r.name}" for r in references),
        "hardening",
        *(f"attenuation {r.name}" for r in references),
        *(n.name for n in nuisances),
    ]
    used = [True] * count + list(free[2:])
    displacements = {source: inverse[:3, k] for k, (source, use) in enumerate(zip(sources, used, strict=True)) if use}
    sigma = np.sqrt(np.diag(covariance))
    correlation = covariance / np.maximum(np.outer(sigma, sigma), 1e-300)
    named = {n.name: 3 + count + k for k, n in enumerate(nuisances)}
    if free[2]:
        named = {"hardening": 2, **named}
    learnt = {
        name: Learnt(
            Measured(float(prior[i]), float(width[i])),
            Measured(float(state[i]), float(sigma[i])),
            float(correlation[0, i]),
        )
        for name, i in named.items()
    }
    pairs = [(a, b) for k, a in enumerate(named) for b in list(named)[k + 1 :]]
    chi2, spare = float(misfit @ misfit), count - 2
    if sigma[0] > 0.1 * abs(state[0]):
        status = CalibrationStatus.WEAK
    elif spare == 0:
        status = CalibrationStatus.EXACT
    else:
        status = CalibrationStatus.TENSION if chi2 > spare + 3 * np.sqrt(2 * spare) else CalibrationStatus.GOOD
    return Calibration(
        scale=float(state[0]),
        offset=float(state[1]),
        hardening=float(state[2]),
        covariance=covariance[:3, :3],
        displacements=displacements,
        learnt=learnt,
        confounded=tuple(p for p in pairs if abs(correlation[named[p[0]], named[p[1]]]) > 0.9),
        chi2=chi2,
        degrees_of_freedom=spare,
        residuals={r.name: float(m) for r, m in zip(references, misfit[:count], strict=True)},
        status=status,
    )
