"""Files of quantum diamond microscopes, as the Harvard instruments and QDMlab write them in MATLAB's formats.

``run_0000n.mat`` holds spectra, pixels of a row one after the other and row after row; ``B111dataToPlot.mat`` the
field along one axis in gauss; ``Bz_uc0.mat`` the field along the normal in tesla.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from operando.errors import FileError
from operando.io.grid import Stated, cube_from_array, field_from_array, pixel_of
from operando.io.matlab import matlab_arrays, read_matlab
from operando.io.recorded import Array

METRES = (1e-8, 1.5e-3)
"""Numbers that are a pixel's side in metres: 10 nm to 1.5 mm."""

MICROMETRES = (1e-2, 1.5e3)
"""Numbers that are the same in micrometres; the two ranges do not meet."""

B111 = ("B111ferro", "B111para")
"""Half the difference and half the sum of the fields measured under opposite bias: what stays and what follows it."""


def read_qdm_cube(path: Path, *, stated: Stated) -> xr.DataArray:
    """Read spectra: the sweeps of the lower and the upper line, one after the other in frequency.

    Two stacks are the lower and the upper sweep; of four, the first two are the lower sweep's halves.

    Parameters
    ----------
    stated:
        With `pixel`, which the file does not hold; after binning in the camera that of a binned pixel.

    Raises
    ------
    FileError
        If the file is damaged, lacks an array, or stacks, frequencies and size of the image do not match.
    """
    held = matlab_arrays(path)
    names = [name for name in (f"imgStack{i}" for i in range(1, 5)) if name in held]
    if len(names) not in (1, 2, 4):
        problem = f"holds {len(names)} of imgStack1 to imgStack4"
        raise FileError(path, problem=problem, remedy="Spectra come in one, two or four stacks.")
    frequency, count, rows, columns, *stacks = read_matlab(
        path, "freqList", "numFreqs", "imgNumRows", "imgNumCols", *names
    )
    height, width = _count(path, rows, "rows"), _count(path, columns, "columns")
    each, frequency = _count(path, count, "frequencies"), frequency.ravel()
    for name, stack in zip(names, stacks, strict=True):
        if stack.ndim != 2 or stack.shape[1] != height * width:
            problem = f"{name} is {' x '.join(map(str, stack.shape))} for {height} x {width} pixels"
            raise FileError(path, problem=problem, remedy="Was it saved whole?")
    spectra = np.concatenate(stacks)
    if len(spectra) != frequency.size or frequency.size % each:
        problem = f"{len(spectra)} images for {frequency.size} frequencies in sweeps of {each}"
        raise FileError(path, problem=problem, remedy="Was it saved whole?")
    images = spectra.reshape(frequency.size, height, width)
    return cube_from_array(path, images, frequency=frequency, units="count", stated=stated)


def read_qdm_map(path: Path, *, stated: Stated) -> xr.Dataset:
    """Read a field map, ``Bz`` or ``B111ferro`` unless another array is stated.

    A ``step`` in metres or micrometres is told by its size, and said in the notes.

    Raises
    ------
    FileError
        If the file is damaged or holds no map.
    InputError
        If the pixel is not stated for a file that does not hold it.
    """
    held = matlab_arrays(path)
    known = ("Bz", *B111)
    name = stated.variable or next((name for name in known if name in held), None)
    if name is None:
        there = ", ".join(held) or "none"
        remedy = f"State the variable; arrays of numbers there: {there}."
        raise FileError(path, problem=f"holds none of {', '.join(known)}", remedy=remedy)
    (values,) = read_matlab(path, name)
    unit = "T" if name == "Bz" else "gauss" if name in B111 else None
    notes = []
    if name in B111:
        notes.append(f"{path.name}: {name} is a field along one NV axis, in gauss")
    if "h" in held:
        height = _number(path, "h", read_matlab(path, "h")[0])
        notes.append(f"{path.name} states a distance of {1e6 * height:g} um from sample to sensor")
    pixel = None
    if "step" in held and stated.pixel is None:
        pixel, note = pixel_from_step(path, read_matlab(path, "step")[0])
        notes.append(note)
    return field_from_array(path, values, stated=stated, unit=unit, pixel=pixel_of(path, stated, pixel), notes=notes)


def pixel_from_step(path: Path, step: Array) -> tuple[float, str]:
    """Tell a pixel's side [m] from a number in metres or micrometres, and say which it was taken for.

    Raises
    ------
    FileError
        If the number is neither.
    """
    values = np.asarray(step, dtype=float).ravel()
    value = float(values[0]) if values.size == 1 else float("nan")
    if METRES[0] <= value <= METRES[1]:
        return value, f"{path.name}: step = {value:g} was read as metres, a pixel of {1e6 * value:.4g} um"
    if MICROMETRES[0] <= value <= MICROMETRES[1]:
        return 1e-6 * value, f"{path.name}: step = {value:g} was read as micrometres, a pixel of {value:.4g} um"
    problem = f"step = {value:g} is a pixel neither in metres nor in micrometres"
    raise FileError(path, problem=problem, remedy="State the pixel's size.")


def _number(path: Path, name: str, array: Array) -> float:
    values = np.asarray(array, dtype=float).ravel()
    if values.size != 1 or not np.isfinite(values).all():
        said = f"{values.size} values" if values.size != 1 else f"{values[0]:g}"
        raise FileError(
            path, problem=f"{name} is {said}, not one finite number", remedy=f"Mend it, or leave {name} out."
        )
    return float(values[0])


def _count(path: Path, array: Array, name: str) -> int:
    values = np.asarray(array, dtype=float).ravel()
    if values.size != 1 or not 1 <= values[0] <= 1e6 or values[0] != int(values[0]):
        raise FileError(path, problem=f"the number of {name} is {values[:3]}", remedy="Was it saved whole?")
    return int(values[0])
