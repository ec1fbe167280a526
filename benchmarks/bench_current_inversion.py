"""Sheet current from a noisy field map: relative error, coverage and CPU time beside Tikhonov and the Roth filter.

The fields come from closed forms that the inversion does not use: Hankel integrals of Gaussian vortices, and the
Biot-Savart law of straight segments for strip loops with sharp edges. Pixels of 0.1 um, 20 nT of noise; the sources
close within the frame. Our prior and noise are learnt from the map; Tikhonov's strength is chosen by generalised
cross-validation, the cut-off of the Roth filter from the truth. Run as
`python benchmarks/bench_current_inversion.py 256 vortices loops`.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft
import xarray as xr
from scipy.constants import mu_0
from scipy.interpolate import CubicSpline
from scipy.special import j0, j1

from operando.magnetism.inverse_field import current_from_field

Array = npt.NDArray[Any]

UM = 1e-6
PIXEL = 0.1 * UM
NOISE = 20e-9
HEIGHTS = 0.3 * UM, 1.0 * UM, 2.0 * UM
COMPONENTS = {"Bz": [2], "all": [0, 1, 2]}

VORTICES = [  # current [A], centre and width, each as a fraction of the frame
    (2e-3, -0.117, 0.039, 0.078),
    (-1e-3, 0.156, -0.117, 0.059),
    (1.5e-3, 0.078, 0.195, 0.070),
]
LOOPS = [(1e-3, 0.0, 0.0, 0.31, 0.25), (-0.5e-3, 0.08, -0.05, 0.12, 0.10)]  # current, centre, half sides
STRIP = 0.04  # width of the loops' strip


def positions(size: int) -> Array:
    """Pixel centres along both axes [m]."""
    return (np.arange(size) - (size - 1) / 2) * PIXEL


def vortices(size: int, height: float) -> tuple[Array, Array]:
    """Field ``(component, y, x)`` and current of Gaussian stream functions."""
    frame, along = size * PIXEL, positions(size)
    field, current = np.zeros((3, size, size)), np.zeros((2, size, size))
    nodes, weights = np.polynomial.legendre.leggauss(400)
    for total, x0, y0, w in VORTICES:
        dx, dy, width = along - x0 * frame, along[:, None] - y0 * frame, w * frame
        r = np.hypot(dx, dy)
        k = (nodes + 1) * 4 / width
        spectrum = mu_0 / 2 * total * width**2 * k**2 * np.exp(-k * height - (k * width) ** 2 / 2) * weights * 4 / width
        radii = np.linspace(0, r.max() * 1.01, 600)
        upward, outward = (CubicSpline(radii, bessel(np.outer(radii, k)) @ spectrum)(r) for bessel in (j0, j1))
        stream = total * np.exp(-(r**2) / 2 / width**2) / width**2
        field += np.stack([outward * dx / np.maximum(r, 1e-12), outward * dy / np.maximum(r, 1e-12), upward])
        current += np.stack([-stream * dy, stream * dx])
    return field, current


def segment(along: Array, aside: Array, height: float, start: float, end: float) -> tuple[Array, Array]:
    """Fields to the side and upward of 1 A from `start` to `end` on the first axis."""
    squared = aside**2 + height**2
    ends = [(along - p) / np.sqrt((along - p) ** 2 + squared) for p in (start, end)]
    strength = mu_0 / 4 / np.pi * (ends[0] - ends[1]) / squared
    return -height * strength, aside * strength


def filament(x: Array, y: Array, height: float, a: float, b: float) -> Array:
    """Field of 1 A around a rectangle of half sides a and b, anticlockwise."""
    field = np.zeros((3, *np.broadcast_shapes(x.shape, y.shape)))
    for sign in (1, -1):
        side, up = segment(x, y + sign * b, height, -sign * a, sign * a)
        field[1] += side
        field[2] += up
        side, up = segment(y, -(x - sign * a), height, -sign * b, sign * b)
        field[0] -= side
        field[2] += up
    return field


def loops(size: int, height: float) -> tuple[Array, Array]:
    """Field and pixel-averaged current of rectangular strips with sharp edges."""
    frame, along = size * PIXEL, positions(size)
    width = STRIP * frame
    nodes, weights = np.polynomial.legendre.leggauss(32)
    fine = (np.arange(8 * size) - (8 * size - 1) / 2) * PIXEL / 8
    edges = (np.arange(size + 1) - size / 2) * PIXEL
    field, current = np.zeros((3, size, size)), np.zeros((2, size, size))

    def stream(x: Array, y: Array) -> Array:
        inside = np.minimum(a - np.abs(x - x0), b - np.abs(y - y0))
        return np.asarray(total * np.clip(inside / width + 0.5, 0, 1))

    for total, *lengths in LOOPS:
        x0, y0, a, b = (n * frame for n in lengths)
        for node, weight in zip(nodes, weights, strict=True):
            s = node * width / 2
            field += total * weight / 2 * filament(along - x0, along[:, None] - y0, height, a + s, b + s)
        along_x = np.diff(stream(fine, edges[:, None]), axis=0).reshape(size, size, 8).mean(axis=2)
        along_y = -np.diff(stream(edges, fine[:, None]), axis=1).reshape(size, 8, size).mean(axis=1)
        current += np.stack([along_x, along_y]) / PIXEL
    return field, current


def padded_modes(size: int) -> tuple[Array, Array, Array]:
    """Wavenumbers of the half-spectrum of a map padded to twice its size."""
    ky = 2 * np.pi * scipy.fft.fftfreq(2 * size, PIXEL)[:, None]
    kx = 2 * np.pi * scipy.fft.rfftfreq(2 * size, PIXEL)
    return kx, ky, np.hypot(kx, ky)


def curl(stream: Array, size: int) -> Array:
    """Current on the frame from a padded stream function's spectrum."""
    kx, ky, _ = padded_modes(size)
    return np.stack([scipy.fft.irfft2(s)[:size, :size] for s in (1j * ky * stream, -1j * kx * stream)])


def tikhonov(field: Array, chosen: list[int], height: float, *, order: int) -> Array:
    """Least ``|d - H psi|^2 + lambda |k^order psi|^2``, lambda by generalised cross-validation."""
    size = field.shape[-1]
    kx, ky, k = padded_modes(size)
    decay = mu_0 / 2 * np.exp(-k * height)
    factors = [(-1j * kx * decay, -1j * ky * decay, k * decay)[c] for c in chosen]
    data = [scipy.fft.rfft2(field[c], s=(2 * size, 2 * size)) for c in chosen]
    seen = sum(np.conj(f) * d for f, d in zip(factors, data, strict=True))
    gain = sum(np.abs(f) ** 2 for f in factors)
    explained = np.where(gain > 0, np.abs(seen) ** 2 / np.where(gain > 0, gain, 1), 0)
    unexplained = sum(np.abs(d) ** 2 for d in data) - explained
    count = np.full(k.shape, 2.0)
    count[:, [0, -1]] = 1

    def score(strength: float) -> float:
        left = strength * penalty / (gain + strength * penalty)
        return float((count * (left**2 * explained + unexplained)).sum() / (count * (len(data) - 1 + left)).sum() ** 2)

    penalty = np.where(k > 0, k, 1.0) ** (2 * order)
    strengths = np.logspace(-24, 4, 200) * (gain / penalty).max()
    best = strengths[int(np.argmin([score(s) for s in strengths]))]
    return curl(seen / (gain + best * penalty), size)


def roth(field: Array, height: float, truth: Array) -> Array:
    """Division by the transfer of Bz under a Hann window, with the cut-off that errs least from the truth."""
    size = field.shape[-1]
    _, _, k = padded_modes(size)
    data = scipy.fft.rfft2(field[2], s=(2 * size, 2 * size))
    inverse = 2 / mu_0 * np.exp(np.minimum(k * height, 200)) / np.where(k > 0, k, np.inf)

    def filtered(cut: float) -> Array:
        return curl(np.where(k < cut, (1 + np.cos(np.pi * k / cut)) / 2, 0) * inverse * data, size)

    return min((filtered(c) for c in np.geomspace(0.5, 30, 60) / UM), key=lambda found: relative(found, truth))


def relative(found: Array, truth: Array) -> float:
    """Relative L2 error."""
    return float(np.linalg.norm(found - truth) / np.linalg.norm(truth))


def labelled(field: Array, chosen: list[int]) -> xr.DataArray:
    """Maps as the inversion takes them."""
    along = positions(field.shape[-1])
    coords = {"component": ["xyz"[c] for c in chosen]} | {d: (d, along, {"units": "m"}) for d in ("y", "x")}
    return xr.DataArray(field[chosen], dims=("component", "y", "x"), coords=coords, attrs={"units": "T"})


def report(case: str, method: str, found: Array, truth: Array, seconds: float, variance: Array | None = None) -> None:
    """Print a row."""
    within = ""
    if variance is not None:
        pull = np.abs(found - truth) / np.sqrt(variance)
        within = f"{(pull < 1).mean():6.2f}{(pull < 2).mean():6.2f}"
    print(f"{case:24s} {method:22s} {relative(found, truth):8.4f} {within:12s} {seconds:8.1f}", flush=True)


def ours(case: str, field: Array, chosen: list[int], height: float, truth: Array, **settings: Any) -> None:
    """Print a row of our inversion."""
    begin = time.process_time()
    found = current_from_field(labelled(field, chosen), height=height, **settings)
    seconds = time.process_time() - begin
    variance = found.current_var.values if "current_var" in found else None
    name = ", ".join(["ours", *(f"{k} {v}" for k, v in settings.items())])
    report(case, name, found.current.values, truth, seconds, variance)


def main() -> None:
    """Print the table of the size and the sources named, with `sharp` ours with sharp edges only, which are slow."""
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 128
    only_sharp = "sharp" in sys.argv
    random = np.random.default_rng(0)
    noise = NOISE * random.standard_normal((3, size, size))
    print(f"{size} x {size}\n{'source, map, height um':24s} {'':22s}    error  1 sd  2 sd    CPU s")
    sources = [s for s in (vortices, loops) if s.__name__ in sys.argv] or [vortices, loops]
    for source in sources:
        for height in HEIGHTS:
            field, truth = source(size, height)
            field = field + noise
            if only_sharp:
                ours(f"{source.__name__} Bz {height / UM:g}", field, [2], height, truth, edges="sharp", samples=0)
                continue
            for name, chosen in COMPONENTS.items():
                case = f"{source.__name__} {name} {height / UM:g}"
                ours(case, field, chosen, height, truth, samples=4)
                for order in (1, 2):
                    begin = time.process_time()
                    found = tikhonov(field, chosen, height, order=order)
                    report(case, f"Tikhonov, order {order}", found, truth, time.process_time() - begin)
            begin = time.process_time()
            found = roth(field, height, truth)
            report(
                f"{source.__name__} Bz {height / UM:g}", "Roth, best cut-off", found, truth, time.process_time() - begin
            )


if __name__ == "__main__":
    main()
