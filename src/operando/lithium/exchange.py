"""Isotope exchange in the cathode, closed by mass: what left is known from the image, the charge and the separator.

Exchange between active material and electrolyte inside the cathode changes no attenuation. What changes is which
isotopes leave. With ``dN`` the lithium and ``dN6`` the Li-6 that the cathode has lost [mol], three sums are measured:

- cathode: ``-integral(dmu) dV = N_A (sigma6 dN6 + sigma7 (dN - dN6))``,
- charge: ``Q = F dN``,
- separator, whose lithium is fixed in number: ``integral(dmu) dV = N_A (sigma6 - sigma7) (dN6 - f_a dN)``, with
  ``f_a`` the Li-6 fraction of what it handed on to the anode.

Three equations in two unknowns, so that the data can also disagree. No density and no porosity enters.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from operando.errors import InputError
from operando.lithium.budget import Figure, undetermined
from operando.lithium.checked import (
    checked,
    contrast_from_cross_sections,
    fraction,
    not_negative,
    positive,
)
from operando.materials.formula import AVOGADRO, LITHIUM6_NATURAL
from operando.units import FARADAY

Array = npt.NDArray[np.float64]
Triple = tuple[float, float, float]

SIGNIFICANCE = 2.0
"""Lithium lost, in its standard deviations, below which nothing is said about its isotopes."""


@dataclass(frozen=True)
class BalanceData:
    """Three measured sums since the initial state, always in the order cathode, charge, separator.

    Attributes
    ----------
    cathode_loss, separator_gain:
        Attenuation lost by the cathode and gained by the separator, integrated over their volumes [m^2].
    charge:
        Charge passed times the current efficiency, positive when the cathode loses lithium [C].
    statistical:
        Independent standard deviations of the three, in their units.
    relative:
        One-sigma shifts of the three by each named cause that scales them, as fractions: ``attenuation scale`` is
        ``(s, 0, s)``, ``current efficiency`` is ``(0, s, 0)``.
    absolute:
        The same for causes that add to them, in their units: attenuation taken by one layer from the other is
        ``(s, 0, s)``.
    """

    cathode_loss: float
    charge: float
    separator_gain: float
    statistical: Triple
    relative: Mapping[str, Triple] = field(default_factory=dict)
    absolute: Mapping[str, Triple] = field(default_factory=dict)

    def __post_init__(self) -> None:
        checked(np.array(self.values), unit="", name="cathode_loss, charge, separator_gain")
        not_negative(np.array(self.statistical), unit="", name="statistical")
        for name, shifts in {**self.relative, **self.absolute}.items():
            checked(np.array(shifts), unit="", name=f"shifts by {name}")

    @property
    def values(self) -> Triple:
        """The three sums in order."""
        return self.cathode_loss, self.charge, self.separator_gain


@dataclass(frozen=True)
class Balance:
    """Lithium that the cathode has lost, and how well the three sums agree.

    Attributes
    ----------
    lost_lithium, lost_lithium6:
        Of all lithium and of Li-6 [mol].
    statistical:
        Covariance of the two from counting noise [mol^2].
    shifts:
        Shift of the two by one standard deviation of each systematic cause [mol].
    chi2:
        Of the three sums against the two unknowns: one degree of freedom.
    residuals:
        Sum less fit, in total standard deviations, in the order cathode, charge, separator.
    """

    lost_lithium: float
    lost_lithium6: float
    statistical: Array
    shifts: Mapping[str, tuple[float, float]]
    chi2: float
    residuals: Triple

    @property
    def closure(self) -> float:
        """Probability of a chi2 at least as large if image, separator and charge agree."""
        return math.erfc(math.sqrt(self.chi2 / 2))

    @property
    def lost_lithium_sigma(self) -> float:
        """Total standard deviation of the lithium lost [mol]."""
        return math.hypot(math.sqrt(self.statistical[0, 0]), *(shift[0] for shift in self.shifts.values()))

    def figure(
        self,
        *,
        name: str,
        unit: str,
        function: Callable[[float, float], float],
        terms: Mapping[str, float] | None = None,
        expected: float | None = None,
        note: str = "",
    ) -> Figure:
        """Return a figure that follows from the lithium and the Li-6 lost, with its errors propagated linearly.

        Parameters
        ----------
        function:
            Takes ``dN`` and ``dN6`` [mol].
        terms:
            Further systematic shifts, of what else `function` uses.
        """
        at = np.array([self.lost_lithium, self.lost_lithium6])
        steps = 1e-4 * np.abs(at).max() * np.eye(2)
        gradient = np.array([(function(*(at + d)) - function(*(at - d))) / (2 * d.sum()) for d in steps])
        return Figure(
            name=name,
            value=float(function(*at)),
            unit=unit,
            statistical=math.sqrt(max(float(gradient @ self.statistical @ gradient), 0.0)),
            terms={cause: float(gradient @ shift) for cause, shift in self.shifts.items()} | dict(terms or {}),
            expected=expected,
            note=note,
        )


def balance_from_data(
    *, data: BalanceData, anode_fraction: float, anode_fraction_sigma: float, sigma6: float, sigma7: float
) -> Balance:
    """Weighted least squares of the three sums, shared systematic causes in the covariance.

    Relative shifts are taken at the fitted sums, not at the measured ones: a common scale would otherwise pull the fit
    below all data (Peelle's puzzle, doi:10.1016/0168-9002(94)90719-6).

    Parameters
    ----------
    anode_fraction, anode_fraction_sigma:
        Li-6 fraction of the lithium handed to the anode, averaged over the charge; see
        `plane.mean_crossing_fraction`.

    Raises
    ------
    InputError
        If two of the sums carry no error of their own, so that their weights are not defined.
    """
    contrast = contrast_from_cross_sections(sigma6=sigma6, sigma7=sigma7)
    handed_on = float(checked(anode_fraction, unit="", name="anode_fraction"))
    not_negative(anode_fraction_sigma, unit="", name="anode_fraction_sigma")
    optical = AVOGADRO * contrast
    model = np.array([[AVOGADRO * sigma7, optical], [FARADAY, 0.0], [-handed_on * optical, optical]])
    values = np.array(data.values)
    predicted = values
    for _ in range(3):
        plane = (0.0, 0.0, optical * predicted[1] / FARADAY * anode_fraction_sigma)
        causes = {name: np.array(shift) * predicted for name, shift in data.relative.items()}
        causes |= {name: np.array(shift) for name, shift in data.absolute.items()} | {"anode plane": np.array(plane)}
        solution, deviations = _weighted(model, np.diag(np.square(data.statistical)), list(causes.values()))
        predicted = model @ solution @ values
    lost, lost6 = solution @ values
    residual = values - predicted
    covariance = np.diag(np.square(data.statistical)) + sum(np.outer(s, s) for s in causes.values())
    pulls = residual / deviations
    whitened = np.linalg.solve(covariance / np.outer(deviations, deviations), pulls)
    return Balance(
        lost_lithium=float(lost),
        lost_lithium6=float(lost6),
        statistical=solution @ np.diag(np.square(data.statistical)) @ solution.T,
        shifts={name: (float((solution @ s)[0]), float((solution @ s)[1])) for name, s in causes.items()},
        chi2=max(float(pulls @ whitened), 0.0),
        residuals=(float(pulls[0]), float(pulls[1]), float(pulls[2])),
    )


def lithiation_figure(
    *, balance: Balance, active_lithium: float, active_lithium_sigma: float = 0.0, initial_lithiation: float = 1.0
) -> Figure:
    """Mean lithiation of the cathode, ``x_0 - dN / N_active``.

    Parameters
    ----------
    active_lithium, active_lithium_sigma:
        Lithium of the full active material and its standard deviation [mol].
    """
    full = positive(active_lithium, unit="mol", name="active_lithium")
    relative = float(active_lithium_sigma / full)
    return balance.figure(
        name="mean lithiation, mass-conserving exchange",
        unit="",
        function=lambda lost, _: initial_lithiation - lost / full,
        terms={"active mass": balance.lost_lithium / full * relative},
    )


def leaving_fraction_figure(*, balance: Balance) -> Figure:
    """Li-6 fraction of all the lithium that has left, ``dN6 / dN``."""
    name = "Li-6 fraction of the lithium that left the cathode"
    if not _significant(balance):
        return undetermined(name=name, unit="", why="Too little lithium has left the cathode to tell its isotopes.")
    return balance.figure(name=name, unit="", function=lambda lost, lost6: lost6 / lost)


def exchange_extent_figure(
    *,
    balance: Balance,
    mixture_fraction: float,
    mixture_fraction_sigma: float = 0.0,
    active_fraction: float = LITHIUM6_NATURAL,
) -> Figure:
    """Extent of exchange, from 0 where the active material's own lithium leaves to 1 where the mixture does.

    Above 1 the electrolyte's lithium leaves first and the active material's takes its place.
    """
    name = "extent of isotope exchange"
    if not _significant(balance):
        return undetermined(name=name, unit="", why="Too little lithium has left the cathode to tell its isotopes.")

    def extent(lost: float, lost6: float, mixture: float = mixture_fraction) -> float:
        return exchange_extent_from_fractions(
            leaving_fraction=lost6 / lost, active_fraction=active_fraction, mixture_fraction=mixture
        )

    slope = extent(balance.lost_lithium, balance.lost_lithium6) / (active_fraction - mixture_fraction)
    return balance.figure(
        name=name, unit="", function=extent, terms={"mixture fraction": slope * mixture_fraction_sigma}
    )


def exchange_extent_from_fractions(
    *, leaving_fraction: float, active_fraction: float, mixture_fraction: float
) -> float:
    """Extent ``eps`` in ``f_leave = (1 - eps) f_active + eps f_mixture``."""
    if not active_fraction > mixture_fraction:
        raise InputError(
            "mixture_fraction",
            must="below active_fraction",
            received=(mixture_fraction, active_fraction),
            remedy="Without isotope contrast inside the cathode exchange leaves no trace.",
        )
    return (active_fraction - leaving_fraction) / (active_fraction - mixture_fraction)


def mixture_fraction_from_amounts(
    *, active_lithium: float, electrolyte_lithium: float, active_fraction: float, electrolyte_fraction: float
) -> float:
    """Li-6 fraction of the cathode's pooled lithium, ``(n_a f_a + n_e f_e) / (n_a + n_e)``; amounts in mol."""
    active = positive(active_lithium, unit="mol", name="active_lithium")
    electrolyte = not_negative(electrolyte_lithium, unit="mol", name="electrolyte_lithium")
    fractions = (
        fraction(active_fraction, name="active_fraction"),
        fraction(electrolyte_fraction, name="electrolyte_fraction"),
    )
    return float((active * fractions[0] + electrolyte * fractions[1]) / (active + electrolyte))


def _significant(balance: Balance) -> bool:
    return balance.lost_lithium > SIGNIFICANCE * balance.lost_lithium_sigma


def _weighted(model: Array, statistical: Array, causes: list[Array]) -> tuple[Array, Array]:
    """Weights (unknown, sum) of generalised least squares, and the sums' total standard deviations."""
    covariance = statistical + sum(np.outer(s, s) for s in causes)
    deviations = np.sqrt(np.diag(covariance))
    if np.any(deviations == 0) or np.linalg.eigvalsh(covariance / np.outer(deviations, deviations))[0] < 1e-12:
        raise InputError(
            "statistical",
            must="above zero for every sum that shares all its systematic errors with another",
            received=tuple(np.sqrt(np.diag(statistical))),
        )
    correlation = covariance / np.outer(deviations, deviations)
    scaled = model / deviations[:, None]
    column = np.abs(scaled).max(axis=0)
    weighted = np.linalg.solve(correlation, scaled / column)
    normal = (scaled / column).T @ weighted
    solution = np.linalg.solve(normal, weighted.T) / column[:, None] / deviations
    return np.asarray(solution), np.asarray(deviations)
