"""How noise averages over a slice that was reconstructed by filtered back-projection.

Its noise is not white: the ramp filter takes out low frequencies, so that the mean over a region is far quieter than
the noise of a voxel over the root of their number.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from operando.errors import InputError
from operando.tomography.filters import Filter


def mean_variance_ratio(
    *, weights: npt.NDArray[np.float64] | npt.NDArray[np.bool_], filter: Filter = "ram-lak"
) -> float:
    """Variance of a weighted mean over a slice, over what independent voxels of the same variance would give.

    The noise power of a slice from many projections goes as ``|k| W(k)^2``, ``W`` the window beside the ramp, out to
    the Nyquist frequency (Riederer, Pelc and Chesler 1978, doi:10.1088/0031-9155/23/3/008). With ``m(k)`` the transform
    of the weights, the ratio is ``<P |m|^2> / (<P> <|m|^2>)``. The noise of voxels that all share one variance is
    assumed; noise that projections or pixels share, such as an open beam's, does not average this way.

    Parameters
    ----------
    weights:
        Weight of each voxel in the mean, or a mask, dims ``(y, x)``.
    """
    weight = np.asarray(weights, dtype=float)
    if weight.ndim != 2 or not np.isfinite(weight).all() or not weight.any():
        raise InputError("weights", must="two-dimensional, finite and somewhere not zero", received=weight.shape)
    shape = tuple(2 * n for n in weight.shape)
    ky, kx = np.meshgrid(*(np.fft.fftfreq(n) for n in shape), indexing="ij")
    k = np.hypot(ky, kx)
    # Each bin of the transform is an area: its mean of |k| is not zero at the origin.
    k[0, 0] = np.sqrt(1 / (np.pi * shape[0] * shape[1])) * 2 / 3
    taper = np.cos(np.pi * np.minimum(k, 0.5)) ** 2 if filter == "hann" else 1.0
    power = np.where(k <= 0.5, k * np.square(taper), 0.0)
    seen = np.abs(np.fft.fft2(weight, shape)) ** 2
    return float((power * seen).mean() / (power.mean() * seen.mean()))
