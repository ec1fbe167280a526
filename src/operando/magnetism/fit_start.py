"""Where to begin a fit: the dips that matched filters find, one after the other."""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np
import numpy.typing as npt

from operando.magnetism.fit_solver import model_into

Array = npt.NDArray[Any]


def start_from_spectra(*, spectra: Array, x: Array, offsets: Array, gaussian: bool, half: float, lines: int) -> Array:
    """Start values by matching pursuit with dips of one width.

    Templates and spectra are freed of a sloping background; each line found is taken out of all filter outputs by
    the templates' products with each other, which is cheap, before the next is sought.

    Parameters
    ----------
    spectra:
        ``(spectrum, frequency)``.
    x, offsets, half:
        Frequencies scaled to (-1, 1), offsets within a multiplet and half width on that scale.

    Returns
    -------
    ``(spectrum, 2 + 3 lines)`` as `operando.magnetism.fit_solver` orders them, by ascending centre.
    """
    templates = _dips_at(x, x=x, offsets=offsets, gaussian=gaussian, half=half)
    flat = np.linalg.qr(np.stack([np.ones_like(x), x], axis=1))[0]
    bare = templates - (templates @ flat) @ flat.T
    products = bare @ bare.T
    found, depth = _pursue(np.ascontiguousarray(spectra @ -bare.T), products, lines)
    centre = x[found]
    order = np.argsort(centre, axis=1)
    centre, depth = np.take_along_axis(centre, order, 1), np.take_along_axis(depth, order, 1)
    rest = spectra + sum(depth[:, k, None] * templates[np.take_along_axis(found, order, 1)[:, k]] for k in range(lines))
    level, slope = np.linalg.lstsq(np.stack([np.ones_like(x), x], axis=1), np.nan_to_num(rest).T, rcond=None)[0]
    start = np.empty((len(spectra), 2 + 3 * lines))
    start[:, 0], start[:, 1] = level, slope
    start[:, 2::3], start[:, 3::3], start[:, 4::3] = centre, half, depth
    return start


def _dips_at(centres: Array, *, x: Array, offsets: Array, gaussian: bool, half: float) -> Array:
    """Dips of unit depth, positive, ``(centre, frequency)``."""
    model, jacobian = np.empty_like(x), np.empty((5, x.size))
    dips = np.empty((centres.size, x.size))
    for i, centre in enumerate(centres):
        model_into(np.array([0.0, 0.0, centre, half, -1.0]), x, offsets, int(gaussian), model, jacobian)
        dips[i] = model
    return dips


@nb.njit(cache=True, nogil=True)
def _pursue(outputs: Any, products: Any, lines: int) -> tuple[Any, Any]:
    count, n = outputs.shape
    found = np.zeros((count, lines), np.int64)
    depth = np.zeros((count, lines))
    norm = 1.0 / np.sqrt(np.diag(products))
    for i in range(count):
        output = outputs[i]
        for k in range(lines):
            best, at = -np.inf, 0
            for j in range(n):
                if output[j] * norm[j] > best:
                    best, at = output[j] * norm[j], j
            found[i, k] = at
            depth[i, k] = output[at] * norm[at] ** 2
            for j in range(n):
                output[j] -= depth[i, k] * products[at, j]
    return found, depth
