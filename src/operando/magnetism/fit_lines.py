"""Resonance lines from cubes of spectra: batched fits with start values, error bars and a verdict for every pixel."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import xarray as xr

from operando.errors import InputError
from operando.magnetism.fit_solver import BOUNDED, CONVERGED, MISSING, solve_spectra
from operando.magnetism.fit_start import start_from_spectra
from operando.magnetism.fit_verdict import Verdict, masked_map, misfits, verdict_map
from operando.magnetism.nv import NUCLEI, Nitrogen
from operando.units import in_units

Array = npt.NDArray[Any]

Shape = Literal["lorentzian", "gaussian"]

SIGNIFICANCE = 5.0
"""Depth over its standard error below which a dip is taken for noise."""

NARROWEST = 1.5
"""Full width, in samples, below which a line is taken for a glitch."""

_ROUNDING = 1e-12
"""Relative to the background, a dip that no instrument resolves."""

_BLOCK = 8192
_MAX_STEPS = 60
_PILOTS = 96
_PILOT_STEPS = 10


@dataclass(frozen=True)
class _Task:
    """What is fitted, on frequencies scaled to (-1, 1)."""

    frequency: Array
    lines: int
    gaussian: bool
    multiplet: Array

    @property
    def middle(self) -> float:
        return float(self.frequency[0] + self.frequency[-1]) / 2

    @property
    def scale(self) -> float:
        return float(self.frequency[-1] - self.frequency[0]) / 2

    @property
    def x(self) -> Array:
        return (self.frequency - self.middle) / self.scale

    @property
    def offsets(self) -> Array:
        return self.multiplet / self.scale

    @property
    def sample(self) -> float:
        return float(np.median(np.diff(self.x)))

    @property
    def parameters(self) -> int:
        return 2 + 3 * self.lines


@dataclass(frozen=True)
class _Fit:
    """Parameters, inverse normal matrices, sums of squares with and without lines, and outcomes, one a spectrum."""

    parameters: Array
    inverse: Array
    squares: Array
    flat_squares: Array
    outcome: Array

    def lineless(self, task: _Task) -> Array:
        """Tell where the lines explain no more of the spectrum than lines fitted to noise, or to rounding, do."""
        noise = self.squares / (task.x.size - task.parameters)
        rounding = task.x.size * (_ROUNDING * self.parameters[:, 0]) ** 2
        return np.asarray(self.flat_squares - self.squares <= SIGNIFICANCE**2 * task.lines * noise + rounding)


def fit_lines(
    cube: xr.DataArray,
    *,
    lines: int,
    shape: Shape = "lorentzian",
    nitrogen: Nitrogen | None = None,
    noise: float | None = None,
    width: float | None = None,
) -> xr.Dataset:
    """Fit dips on a sloping background to every spectrum of a cube.

    ``s(f) = a + b f - sum_i d_i mean_m S((f - f_i - h_m) / w_i)`` with the offsets h_m of the nitrogen's hyperfine
    multiplet. Centres, widths and depths of all lines are free. Least squares with equal weights: a dip of a few per
    cent changes shot noise by a few per cent only.

    Parameters
    ----------
    cube:
        Dims frequency, y, x in any order; coordinate frequency ascending, with units; values with units.
    lines:
        Dips per spectrum, a hyperfine multiplet counted as one.
    shape:
        Of one dip.
    nitrogen:
        Isotope of which the hyperfine splitting is seen; None where it is not resolved.
    noise:
        Standard deviation of one value, in the cube's units. Without it the scatter about the fit is taken, and a
        misfit cannot be told.
    width:
        Full width at half depth to begin with [Hz]; without it the best of several on a few of the spectra.

    Returns
    -------
    Dims line (ascending frequency), y, x: ``centre`` [Hz], ``width`` (full, at half depth, of one dip of the
    multiplet) [Hz], ``contrast`` (depth, summed over the multiplet, over background at the centre), each with
    ``_var``. ``centre_cov`` with dims line, line_2, y, x [Hz^2]. Dims y, x: ``background`` at mid-sweep, ``noise``
    (scatter about the fit), ``verdict`` (see `Verdict`). Whatever the verdict masks is NaN.

    Raises
    ------
    InputError
        If the frequencies are not ascending, units are missing, or there are fewer samples than parameters.
    """
    ordered, task = _checked(cube, lines, shape, nitrogen, noise, width)
    spectra = _by_pixel(ordered)
    half = width / 2 / task.scale if width else _half_width(spectra, task)
    blocks = [spectra[i : i + _BLOCK] for i in range(0, len(spectra), _BLOCK)]
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        fits = list(pool.map(lambda block: _fitted(block, task, half), blocks))
    whole = _Fit(*(np.concatenate([getattr(f, name) for f in fits]) for name in _Fit.__dataclass_fields__))
    return _labelled(whole, task, ordered, noise)


def _checked(
    cube: xr.DataArray, lines: int, shape: str, nitrogen: str | None, noise: float | None, width: float | None
) -> tuple[xr.DataArray, _Task]:
    if set(cube.dims) != {"frequency", "y", "x"} or "frequency" not in cube.coords:
        raise InputError("cube", must="labelled with dims frequency, y, x", received=f"dims {tuple(cube.dims)}")
    if "units" not in cube.attrs:
        raise InputError("cube", must="labelled with units", received="no units attribute", remedy='Such as "count".')
    if shape not in ("lorentzian", "gaussian"):
        raise InputError("line shape", must="lorentzian or gaussian", received=shape)
    if nitrogen is not None and nitrogen not in NUCLEI:
        raise InputError("nitrogen", must="14N, 15N or None", received=nitrogen)
    frequency = in_units(cube.coords["frequency"], unit="Hz", name="frequency").values.astype(float)
    if frequency.size < 2 or not (np.diff(frequency) > 0).all():
        remedy = 'Sort the cube: cube.sortby("frequency"), once no frequency occurs twice.'
        raise InputError("frequency", must="finite and strictly ascending", received=frequency[:5], remedy=remedy)
    if not 1 <= lines <= 8:
        raise InputError("lines", must="1 to 8", received=lines)
    if frequency.size < 4 + 3 * lines:
        remedy = "Sweep more frequencies or fit fewer lines."
        must = f"at least {4 + 3 * lines} frequencies for {lines} lines"
        raise InputError("cube", must=must, received=frequency.size, remedy=remedy)
    if noise is not None and not noise > 0:
        raise InputError("noise", must="positive", received=noise)
    if width is not None and not 0 < width < np.ptp(frequency):
        raise InputError("width", must="positive and less than the sweep", received=width)
    multiplet = NUCLEI[nitrogen].multiplet if nitrogen else np.zeros(1)
    task = _Task(frequency=frequency, lines=lines, gaussian=shape == "gaussian", multiplet=multiplet)
    return cube.transpose("y", "x", "frequency"), task


def _by_pixel(ordered: xr.DataArray) -> Array:
    return np.ascontiguousarray(ordered.values.reshape(-1, ordered.sizes["frequency"]), dtype=float)


def _half_width(spectra: Array, task: _Task) -> float:
    """Median half width of the fits of a few spectra, begun with the width that serves most of them best."""
    whole = np.flatnonzero(np.isfinite(spectra).all(axis=1))
    if not whole.size:
        return 2 * task.sample
    pilots = spectra[whole[np.linspace(0, whole.size - 1, min(_PILOTS, whole.size)).astype(int)]]
    tried = [_solved(pilots, task, half, _PILOT_STEPS) for half in np.geomspace(task.sample, 0.7 / task.lines, 6)]
    best = tried[int(np.argmin([np.median(fit.squares) for fit in tried]))]
    return float(np.median(best.parameters[:, 3::3]))


def _fitted(spectra: Array, task: _Task, half: float) -> _Fit:
    """Fit; where that does not settle, try again from narrower and wider lines and keep the best."""
    fit = _solved(spectra, task, half)
    again = np.flatnonzero((fit.outcome != CONVERGED) & (fit.outcome != MISSING) & ~fit.lineless(task))
    for factor in (0.5, 2.0) if again.size else ():
        other = _solved(spectra[again], task, half * factor)
        better = (other.outcome == CONVERGED) & (
            (fit.outcome[again] != CONVERGED) | (other.squares < fit.squares[again])
        )
        for name in _Fit.__dataclass_fields__:
            getattr(fit, name)[again[better]] = getattr(other, name)[better]
    return fit


def _solved(spectra: Array, task: _Task, half: float, steps: int = _MAX_STEPS) -> _Fit:
    start = start_from_spectra(
        spectra=spectra, x=task.x, offsets=task.offsets, gaussian=task.gaussian, half=half, lines=task.lines
    )
    free = [-np.inf, -np.inf]
    lowest = np.array(free + [-1.0, task.sample / 8, -np.inf] * task.lines)
    highest = np.array([np.inf, np.inf] + [1.0, 1.0, np.inf] * task.lines)
    inverse, squares, outcome = solve_spectra(
        spectra, task.x, task.offsets, int(task.gaussian), lowest, highest, start, steps
    )
    return _Fit(start, inverse, squares, _flat_squares(spectra, task.x), outcome)


def _flat_squares(spectra: Array, x: Array) -> Array:
    """Sum of squared residuals about a straight line."""
    flat = np.linalg.qr(np.stack([np.ones_like(x), x], axis=1))[0]
    rest = spectra - (spectra @ flat) @ flat.T
    return np.asarray(np.einsum("ij,ij->i", rest, rest))


def _verdicts(fit: _Fit, task: _Task, noise: float | None) -> Array:
    """One `Verdict` a spectrum; where several apply, the one that explains most."""
    p, freedom = fit.parameters, task.x.size - task.parameters
    variance = np.diagonal(fit.inverse, axis1=1, axis2=2) * (fit.squares / freedom)[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        faint = ~(p[:, 4::3] > SIGNIFICANCE * np.sqrt(variance[:, 4::3])).all(axis=1)
        narrow = (2 * p[:, 3::3] < NARROWEST * task.sample).any(axis=1)
        order = np.argsort(p[:, 2::3], axis=1)
        centre, spread = (np.take_along_axis(a[:, 2::3], order, axis=1) for a in (p, np.sqrt(variance)))
        apart = np.diff(centre, axis=1) > 3 * np.hypot(spread[:, 1:], spread[:, :-1])
        verdict = np.full(len(p), Verdict.GOOD, np.uint8)
        if noise is not None:
            verdict[misfits(fit.squares / noise**2, freedom=freedom)] = Verdict.MISFIT
        verdict[~apart.all(axis=1)] = Verdict.MERGED
        verdict[faint] = Verdict.NO_LINE
        verdict[fit.outcome == BOUNDED] = Verdict.AT_BOUND
        verdict[narrow] = Verdict.TOO_NARROW
    verdict[(fit.outcome != CONVERGED) & (fit.outcome != BOUNDED)] = Verdict.NOT_CONVERGED
    verdict[fit.lineless(task)] = Verdict.NO_LINE
    verdict[fit.outcome == MISSING] = Verdict.MISSING
    return verdict


def _labelled(fit: _Fit, task: _Task, ordered: xr.DataArray, noise: float | None) -> xr.Dataset:
    p, pixels = fit.parameters, np.arange(len(fit.parameters))[:, None]
    verdict = _verdicts(fit, task, noise)
    scatter = np.sqrt(fit.squares / (task.x.size - task.parameters))
    variance_scale = noise**2 if noise is not None else scatter[:, None, None] ** 2
    covariance = fit.inverse * variance_scale
    order = np.argsort(p[:, 2::3], axis=1)
    at = 2 + 3 * order
    centre, half, depth = (p[pixels, at + k] for k in range(3))
    centre_cov = covariance[pixels[:, :, None], at[:, :, None], at[:, None, :]] * task.scale**2
    half_var, depth_var = (covariance[pixels, at + k, at + k] for k in (1, 2))
    level = p[:, :1] + p[:, 1:2] * centre
    level[level == 0] = np.nan
    per_line = {
        "centre": (task.middle + task.scale * centre, "Hz"),
        "centre_var": (np.diagonal(centre_cov, axis1=1, axis2=2), "Hz^2"),
        "width": (2 * task.scale * half, "Hz"),
        "width_var": ((2 * task.scale) ** 2 * half_var, "Hz^2"),
        "contrast": (depth / level, ""),
        "contrast_var": (depth_var / level**2, ""),
    }
    per_pixel = {"background": p[:, 0], "noise": scatter}
    plane = xr.DataArray(np.zeros(ordered.shape[:2]), dims=("y", "x"), coords=_plane_coords(ordered))
    fitted = xr.Dataset(attrs={"shape": "gaussian" if task.gaussian else "lorentzian"})
    for name, (values, units) in per_line.items():
        fitted[name] = masked_map(values, verdict=verdict, template=plane, units=units, dims=("line",))
    fitted["centre_cov"] = masked_map(
        centre_cov, verdict=verdict, template=plane, units="Hz^2", dims=("line", "line_2")
    )
    for name, values in per_pixel.items():
        fitted[name] = masked_map(values, verdict=verdict, template=plane, units=str(ordered.attrs["units"]))
    fitted["verdict"] = verdict_map(verdict.reshape(plane.shape), plane)
    return fitted


def _plane_coords(ordered: xr.DataArray) -> dict[str, Any]:
    return {str(name): c for name, c in ordered.coords.items() if "frequency" not in c.dims}
