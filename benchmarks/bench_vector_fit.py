"""Field vectors of 128 x 128 pixels from eight lines each, beside scipy on the diagonalised Hamiltonian.

The peer is what the published packages do: per pixel, least squares over `numpy.linalg.eigvalsh` of four centres. Also
the closed-form lines beside numpy's eigenvalues, for a million fields.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.optimize import least_squares

from operando.magnetism.hamiltonian import hamiltonian_from_field
from operando.magnetism.lines import lines_from_field
from operando.magnetism.nv import NV, nv_frames_from_cut
from operando.magnetism.vector_fit import fit_vector

Array = npt.NDArray[Any]

SIDE, ERROR, SOME, FIELDS = 128, 20e3, 64, 1_000_000
BIAS = np.array([1.1e-3, 2.3e-3, 4.5e-3])
FRAMES = nv_frames_from_cut(cut="100")


def main() -> None:
    """Print both comparisons."""
    rng = np.random.default_rng(0)
    fields = BIAS + 20e-6 * rng.standard_normal((SIDE, SIDE, 3))
    lines = np.sort(lines_from_field(field=fields, frames=FRAMES).reshape(SIDE, SIDE, 8), axis=-1)
    lines = lines + ERROR * rng.standard_normal(lines.shape)
    fit_vector(_labelled(lines[:2, :2]), frames=FRAMES, bias=BIAS)
    labelled = _labelled(lines)
    ours, fitted = _seconds(lambda: fit_vector(labelled, frames=FRAMES, bias=BIAS))
    step = SIDE**2 // SOME
    theirs, other = _seconds(lambda: [_scipy(one) for one in lines.reshape(-1, 8)[::step]])
    theirs *= step
    truth = fields.reshape(-1, 3)
    print(f"{'field of 128 x 128 pixels':34}{'CPU s':>9}{'ratio':>9}{'rmse nT':>10}")
    found = np.moveaxis(fitted.field.values, 0, -1).reshape(-1, 3)
    print(f"{'operando':34}{ours:9.3f}{1:9.1f}{_rms(found - truth):10.1f}")
    print(f"{'scipy over eigvalsh':34}{theirs:9.1f}{theirs / ours:9.1f}{_rms(np.array(other) - truth[::step]):10.1f}")
    many = BIAS + 1e-3 * rng.standard_normal((FIELDS, 3))
    closed, a = _seconds(lambda: lines_from_field(field=many, frames=FRAMES))
    local = np.einsum("cij,nj->nci", FRAMES, many[: FIELDS // 20])
    numpy_, levels = _seconds(lambda: np.linalg.eigvalsh(hamiltonian_from_field(field=local)))
    numpy_ *= 20
    worst = np.abs(a[: FIELDS // 20] - (levels[..., 1:] - levels[..., :1])).max()
    print(f"\n{'lines of four centres, 1e6 fields':34}{'CPU s':>9}{'ratio':>9}{'worst Hz':>10}")
    print(f"{'operando, closed form':34}{closed:9.3f}{1:9.1f}{0:10.1e}")
    print(f"{'numpy.linalg.eigvalsh':34}{numpy_:9.2f}{numpy_ / closed:9.1f}{worst:10.1e}")


def _labelled(lines: Array) -> xr.Dataset:
    centre = xr.DataArray(np.moveaxis(lines, -1, 0), dims=("line", "y", "x"), attrs={"units": "Hz"})
    covariance = np.zeros((8, 8, *lines.shape[:2]))
    covariance[np.arange(8), np.arange(8)] = ERROR**2
    return xr.Dataset({"centre": centre, "centre_cov": (("line", "line_2", "y", "x"), covariance)})


def _scipy(measured: Array) -> Array:
    def residual(p: Array) -> Array:
        local = FRAMES @ (p[:3] * 1e-3)
        levels = np.linalg.eigvalsh(hamiltonian_from_field(field=local, splitting=NV.splitting + p[3] * 1e6))
        return np.asarray((np.sort((levels[:, 1:] - levels[:, :1]).ravel()) - measured) / ERROR)

    return np.asarray(least_squares(residual, [*(BIAS * 1e3), 0.0], method="lm").x[:3] * 1e-3)


def _seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def _rms(error: Array) -> float:
    return float(np.sqrt((error**2).mean())) * 1e9


if __name__ == "__main__":
    main()
