"""The smooth estimate of a source, and what it does beyond the frame.

Leads run on straight; so does, nearly, whatever lies well within the frame. If such a source explains the maps, it is
the estimate. Sources with edges, and currents that bend near the frame's edge, cannot be told so: a straight source
that explains the maps to a tenth is then begun with, which settles the total of what leaves the frame, and the rest
is left to a source that is free around the frame.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from operando.magnetism.inverse_edges import Derivatives, derivatives
from operando.magnetism.inverse_open import open_sheet
from operando.magnetism.inverse_source import SheetSource
from operando.magnetism.inverse_straight import straight_sheet
from operando.magnetism.inverse_system import SheetSystem, SmoothPrior, Transfer
from operando.magnetism.regularisation import SourceSpectrum
from operando.magnetism.sheet_maps import FieldMaps, patched

Array = npt.NDArray[Any]

ITERATIONS = 300
"""Most steps of conjugate gradients for given weights."""

TRIAL = 100
"""Steps within which a source that runs on straight explains the maps, if it can."""

UNEXPLAINED = 1.2
"""Misfit of a smooth source from which its straight continuation is not believed."""

BLUNT = 0.1
"""Noise, over the root mean square of the maps, to which the source that is begun with explains them."""

MARGIN, LEAST_MARGIN = 0.125, 8
"""Width of free surroundings over the frame's longer side, and the fewest pixels of it."""


@dataclass(frozen=True)
class SmoothEstimate:
    """What was found, and the system in which it may be refined.

    Attributes
    ----------
    system, prior:
        Of the last estimate.
    values:
        What of the maps was left for it to explain ``(map, y, x)``.
    source:
        What it found ``(y, x)``.
    begun:
        The straight source that explains the rest of the maps, where one was needed.
    """

    system: SheetSystem
    prior: SmoothPrior
    values: Array
    source: Array
    begun: SheetSource = field(default_factory=lambda: SheetSource(()))

    def whole(self, source: Array | None = None) -> SheetSource:
        """Add a refined estimate, or this one, to what was begun with."""
        return SheetSource((*self.begun.parts, (self.system, self.source if source is None else source)))

    def steps_begun(self, operators: Derivatives) -> Array:
        """Derivatives of what was begun with, on the system's domain ``(derivative, y, x)``."""
        steps = np.zeros((len(operators.matrices), *self.system.shape))
        for straight, image in self.begun.parts:
            steps[(slice(None), *self.system.frame)] += derivatives(straight, order=operators.order).of(image)
        return steps


def smooth_estimate(
    maps: FieldMaps, *, spectrum: SourceSpectrum, transfer: Transfer, precision: Array, margin: float | None
) -> SmoothEstimate:
    """Find the posterior mean of a stationary Gaussian source.

    Parameters
    ----------
    spectrum:
        Of the source.
    transfer:
        Signal of each map per unit of source, for given modes ``(map, ky, kx)``.
    precision:
        Inverse variance of each pixel ``(map, y, x)``; zero where it is missing.
    margin:
        Width of free surroundings [m], or zero for a source that runs on straight; where None, zero if that explains
        the maps.
    """
    values = np.nan_to_num(maps.values)
    frame: dict[str, Any] = {"transfer": transfer, "shape": maps.shape, "pixel": maps.pixel}
    if not margin:
        system = straight_sheet(**frame, precision=precision)
        prior = _prior(spectrum, system)
        source = estimate_past_holes(system, values, prior, iterations=TRIAL)
        if margin == 0 or system.misfit(values, source) < UNEXPLAINED:
            source = system.estimate(values, prior, start=source, iterations=ITERATIONS - TRIAL)
            return SmoothEstimate(system, prior, values, source)
    straight = straight_sheet(**frame, precision=_blunted(precision, maps.values))
    begun = estimate_past_holes(straight, values, _prior(spectrum, straight), iterations=TRIAL)
    left = np.where(precision > 0, values - straight.predict(begun), 0.0)
    surrounded = open_sheet(**frame, precision=precision, margin=margin or _margin(maps))
    prior = _prior(spectrum, surrounded)
    source = estimate_past_holes(surrounded, left, prior, iterations=ITERATIONS)
    return SmoothEstimate(surrounded, prior, left, source, SheetSource(((straight, begun),)))


def estimate_past_holes(system: SheetSystem, maps: Array, prior: SmoothPrior, *, iterations: int) -> Array:
    """Posterior mean of the source, begun from maps whose holes are patched.

    Conjugate gradients fill a hole last of all, so that they must not begin from nothing there.
    """
    missing = system.precision == 0
    if not missing.any():
        return system.estimate(maps, prior, iterations=iterations)
    level = np.array([p[~m].mean() for p, m in zip(system.precision, missing, strict=True)])
    whole = replace(system, precision=np.where(missing, level[:, None, None], system.precision))
    patches = np.stack([patched(np.where(m, np.nan, one)) for one, m in zip(maps, missing, strict=True)])
    start = whole.estimate(patches, prior, iterations=iterations)
    return system.estimate(maps, prior, start=start, iterations=iterations)


def _prior(spectrum: SourceSpectrum, system: SheetSystem) -> SmoothPrior:
    """Power of the source at each mode of the domain; that of the mean is taken from the longest wave."""
    k = system.wavenumbers
    power = spectrum.power(np.maximum(k, k[k > 0].min()))
    return SmoothPrior(np.asarray(np.maximum(power, 1e-30 * power.max())), system.filtered)


def _blunted(precision: Array, maps: Array) -> Array:
    level = BLUNT * np.nanstd(maps, axis=(1, 2)).max()
    return np.asarray(np.minimum(precision, 1 / level**2))


def _margin(maps: FieldMaps) -> float:
    longest = max(n * p for n, p in zip(maps.shape, maps.pixel, strict=True))
    return max(MARGIN * longest, LEAST_MARGIN * max(maps.pixel))
