"""Frames in FITS files: the image of the first extension that holds one, or a cube of them."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from operando.errors import FileError
from operando.io.recorded import Array, reading
from operando.io.stack import Page

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_REMEDY = "Copy it again from the instrument."


def fits_pages(path: Path) -> list[Page]:
    """Index the frames of a file without reading them.

    Raises
    ------
    FileError
        If the file is missing, cut short or damaged, or holds no image.
    """
    if not path.is_file():
        raise FileError(path, problem="there is no such file", remedy="Check the path.")
    with _opened(path) as file:
        for extension, hdu in enumerate(file):
            if hdu.is_image and hdu.shape:
                return _pages(path, extension, hdu)
    raise FileError(path, problem="holds no image", remedy="Save each frame as the primary image.")


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a file; what astropy would only warn of is checked here, what it raises becomes a `FileError`."""
    from astropy.io import fits

    with reading(path), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            # opened by ourselves: astropy leaves a file open whose header it cannot read
            with path.open("rb") as handle, fits.open(handle, memmap=False, lazy_load_hdus=True) as file:
                yield file
        except fits.VerifyError as error:
            raise FileError(path, problem=f"not valid FITS ({error})", remedy=_REMEDY) from error


def _pages(path: Path, extension: int, hdu: Any) -> list[Page]:
    shape = tuple(hdu.shape)
    if len(shape) not in (2, 3) or min(shape) < 1:
        raise FileError(path, problem=f"its image has shape {shape}", remedy="Save frames (row, column) or a cube.")
    info = hdu.fileinfo()
    # a compressed image unpacks tile by tile and fails by itself; a plain one must lie within the file
    stored = int(np.prod(shape, dtype=object)) * abs(int(hdu.header["BITPIX"])) // 8
    if info is not None and info["datLoc"] + stored > path.stat().st_size:
        raise FileError(path, problem="cut short", remedy=_REMEDY)
    corner = (0,) * (len(shape) - 2)
    dtype = np.asarray(hdu.section[(*corner, slice(0, 1), slice(0, 1))]).dtype.newbyteorder("=")
    places: list[tuple[int, ...]] = [()] if len(shape) == 2 else [(i,) for i in range(shape[0])]
    return [Page(path, shape[-2:], dtype, partial(_rows, path, extension, place)) for place in places]


def _rows(path: Path, extension: int, place: tuple[int, ...], rows: slice) -> Array:
    with _opened(path) as file:
        return np.array(file[extension].section[(*place, rows, slice(None))])
