"""Frames in TIFF files, one a file or many, with every byte that a header claims held against the file's size."""

from __future__ import annotations

import logging
import struct
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

from operando.errors import FileError
from operando.io.recorded import Array, reading
from operando.io.stack import Page

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_COMPRESSION = 1100
"""The most that deflate shrinks its input; a larger claim is not backed by the file."""

_NONE, _DEFLATE = 1, (8, 32946)
_REMEDY = "Copy it again from the instrument."


def tiff_pages(path: Path) -> list[Page]:
    """Index the frames of a file without reading them.

    Raises
    ------
    FileError
        If the file is missing, cut short or damaged, or its frames are no grey-scale numbers.
    """
    if not path.is_file():
        raise FileError(path, problem="there is no such file", remedy="Check the path.")
    with reading(path), _strictly(path), tifffile.TiffFile(path) as file:
        pages = [_page(path, index, page) for index, page in enumerate(file.pages)]
        _check_chain(path, file)
        images = (file.imagej_metadata or {}).get("images", len(pages))
        if images == len(pages):
            return pages
        return _contiguous(path, file.pages[0], int(images))


@contextmanager
def _strictly(path: Path) -> Iterator[None]:
    """Refuse a file over which tifffile complains, where it would only log an error and guess."""
    complaints: list[str] = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda record: complaints.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("tifffile")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
    if complaints:
        raise FileError(path, problem=f"damaged ({complaints[0][:160]})", remedy=_REMEDY)


def _page(path: Path, index: int, page: Any) -> Page:
    dtype, shape = page.dtype, tuple(page.shape)
    if dtype is None or dtype.kind not in "iuf" or len(shape) != 2 or min(shape) < 1:
        problem = f"page {index} holds {shape} values of type {dtype}"
        raise FileError(path, problem=problem, remedy="Save grey-scale frames.")
    if page.compression not in (_NONE, *_DEFLATE):
        problem = f"page {index} is compressed as {page.compression!r}"
        raise FileError(path, problem=problem, remedy="Save it without compression, or with deflate.")
    size, claimed = path.stat().st_size, shape[0] * shape[1] * dtype.itemsize
    stored = sum(page.databytecounts)
    ends = [start + count for start, count in zip(page.dataoffsets, page.databytecounts, strict=True)]
    backed = stored == claimed if page.compression == _NONE else claimed <= stored * MAX_COMPRESSION
    if not backed:
        problem = f"page {index} claims {claimed} bytes and stores {stored}"
        raise FileError(path, problem=problem, remedy=_REMEDY)
    if max(ends) > size or min(page.dataoffsets) < 8:
        raise FileError(path, problem=f"page {index} ends beyond the end of the file", remedy=_REMEDY)
    stored_as = dtype.newbyteorder(page.parent.byteorder)
    if page.is_contiguous and page.compression == _NONE:
        read = partial(_rows_at, path, page.dataoffsets[0], shape, stored_as)
    else:
        read = partial(_rows_decoded, path, index, shape)
    return Page(path, shape, dtype, read)


def _rows_at(path: Path, offset: int, shape: tuple[int, int], stored_as: np.dtype[Any], rows: slice) -> Array:
    columns = shape[1]
    count = (rows.stop - rows.start) * columns
    values = np.fromfile(path, stored_as, count, offset=offset + rows.start * columns * stored_as.itemsize)
    if values.size < count:
        raise FileError(path, problem="cut short", remedy=_REMEDY)
    return values.reshape(-1, columns)


def _rows_decoded(path: Path, index: int, shape: tuple[int, int], rows: slice) -> Array:
    with reading(path), tifffile.TiffFile(path) as file:
        frame = np.asarray(file.pages[index].asarray())
    if frame.shape != shape:
        raise FileError(path, problem=f"page {index} unpacks to {frame.shape}, not {shape}", remedy=_REMEDY)
    return frame[rows]


def _check_chain(path: Path, file: Any) -> None:
    """Refuse a file whose last page points to a further one, which the file no longer holds."""
    form, handle = file.tiff, file.filehandle
    handle.seek(file.pages[len(file.pages) - 1].offset)
    (tags,) = struct.unpack(form.tagnoformat, handle.read(form.tagnosize))
    handle.seek(tags * form.tagsize, 1)
    (following,) = struct.unpack(form.offsetformat, handle.read(form.offsetsize))
    if following != 0:
        raise FileError(path, problem=f"cut short after page {len(file.pages) - 1}", remedy=_REMEDY)


def _contiguous(path: Path, first: Any, images: int) -> list[Page]:
    """Frames of an ImageJ stack beyond 4 GB, which lie behind the first page without pages of their own."""
    shape, stored_as = tuple(first.shape), first.dtype.newbyteorder(first.parent.byteorder)
    step, start = shape[0] * shape[1] * stored_as.itemsize, first.dataoffsets[0]
    if first.compression != _NONE or not 0 < images * step <= path.stat().st_size - start:
        raise FileError(path, problem=f"fewer pages than the {images} it claims", remedy=_REMEDY)
    reads = [partial(_rows_at, path, start + i * step, shape, stored_as) for i in range(images)]
    return [Page(path, shape, first.dtype, read) for read in reads]
