"""Numeric arrays out of MATLAB files of version 5, every length checked before it is used.

The layout is that of "MAT-File Format" (MathWorks): a header of 128 bytes, then elements of a tag (type, bytes) and
their content, deflated or not. A matrix is a row of parts, each with its own tag: flags, dimensions, name, numbers.
Compiled readers trust these tags, and a damaged one ends the process; here it ends in a refusal.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

from operando.errors import FileError
from operando.io.recorded import Array, reading

_HEADER = 128
"""Bytes before the first element."""

_MATRIX, _COMPRESSED = 14, 15
_INT8, _INT32, _UINT32 = 1, 5, 6
_STORED = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
"""Types that numbers are stored in; a matrix of a wider class may be stored in a narrower type."""

_NUMERIC = range(6, 16)
"""MATLAB's classes double, single and the integers; logical values are a kind of the latter."""

_OTHER = (1, 2, 3, 4, 5, 16, 17)
"""Cells, structs, objects, texts, sparse matrices, functions and what newer classes are wrapped in."""

_COMPLEX = 0x800
_PREFIX = 1024
"""Bytes of a matrix that hold its flags, its dimensions (32 at most here) and its name (63 characters at most)."""


@dataclass(frozen=True)
class Matrix:
    """Where numbers lie in a file, and what is said of them before.

    Attributes
    ----------
    start, length:
        Of the element's content in the file [byte].
    order:
        Of bytes, ``<`` or ``>``.
    numbers:
        Where the part that holds the numbers begins in the matrix, deflated or not [byte].
    """

    name: str
    shape: tuple[int, ...]
    is_complex: bool
    start: int
    length: int
    order: str
    compressed: bool
    numbers: int


def numeric_matrices(path: Path) -> dict[str, Matrix]:
    """Find the arrays of numbers of a file, by name.

    Raises
    ------
    FileError
        If the file is missing, cut short, damaged or of another version.
    """
    if not path.is_file() or path.stat().st_size == 0:
        problem = "empty" if path.is_file() else "there is no such file"
        raise FileError(path, problem=problem, remedy="Check the path.")
    size, found, at = path.stat().st_size, list[Matrix | None](), _HEADER
    with reading(path), path.open("rb") as file:
        order = {b"IM": "<", b"MI": ">"}.get(file.read(_HEADER)[126:])
        if order is None:
            raise FileError(path, problem="is no MATLAB file of version 5 or 7.3", remedy="Save it with -v7 or -v7.3.")
        while at < size:
            file.seek(at)
            kind, length = struct.unpack(f"{order}II", file.read(8))
            start, at = at + 8, at + 8 + length
            if at <= size:
                found.append(_matrix(file.read(min(length, _PREFIX)), kind, start, length, order))
    if at != size:
        raise FileError(path, problem=f"cut short: {size} bytes of {at}", remedy="Copy it again from the instrument.")
    return {matrix.name: matrix for matrix in found if matrix is not None}


def array_of_matrix(path: Path, matrix: Matrix) -> Array:
    """Read the numbers of a matrix, in the type that they are stored in, rows first.

    Raises
    ------
    FileError
        If it is damaged or complex.
    """
    if matrix.is_complex:
        raise FileError(path, problem=f"{matrix.name} is complex", remedy="Save a field or spectra, which are real.")
    with reading(path):
        with path.open("rb") as file:
            file.seek(matrix.start)
            body = file.read(matrix.length)
        whole = memoryview(_inflated(body, matrix.order) if matrix.compressed else body)
        kind, numbers, end = _part(whole, matrix.numbers, matrix.order)
        stored = np.dtype(matrix.order + _STORED[kind])
        if len(numbers) != prod(matrix.shape) * stored.itemsize or end != len(whole):
            raise ValueError(f"{matrix.name} does not hold {' x '.join(map(str, matrix.shape))} numbers")
        values = np.frombuffer(numbers, dtype=stored).reshape(matrix.shape, order="F")
        return np.asarray(values, dtype=stored.newbyteorder("="))


def _matrix(prefix: bytes, kind: int, start: int, length: int, order: str) -> Matrix | None:
    """What the first parts of an element say; None where it holds no numbers."""
    if kind not in (_MATRIX, _COMPRESSED):
        raise ValueError(f"an element of type {kind} at byte {start - 8}")
    head = prefix
    if kind == _COMPRESSED:
        inner = zlib.decompressobj().decompress(prefix, 8 + _PREFIX)
        head = inner[8:]
        if struct.unpack_from(f"{order}I", inner) != (_MATRIX,):
            raise ValueError(f"no matrix at byte {start - 8}")
    view = memoryview(head)
    flags, at = _integers(view, 0, order, _UINT32)
    if len(flags) == 2 and flags[0] & 0xFF in _OTHER:
        return None
    shape, at = _integers(view, at, order, _INT32)
    letters, name, at = _part(view, at, order)
    if len(flags) != 2 or flags[0] & 0xFF not in _NUMERIC or len(shape) < 2 or min(shape) < 0 or letters != _INT8:
        raise ValueError(f"no class, dimensions and name of a matrix at byte {start - 8}")
    said = bytes(name).decode("ascii"), shape, bool(flags[0] & _COMPLEX)
    return Matrix(*said, start=start, length=length, order=order, compressed=kind == _COMPRESSED, numbers=at)


def _part(body: memoryview, at: int, order: str) -> tuple[int, memoryview, int]:
    """Type and content of the part at a place, and where the next one begins: every part fills whole 8 bytes."""
    (word,) = struct.unpack_from(f"{order}I", body, at)
    # up to four bytes lie within the tag, behind their number in its upper half
    short = word >> 16
    length = short or struct.unpack_from(f"{order}I", body, at + 4)[0]
    begin = at + 4 if short else at + 8
    end = at + 8 if short else begin + -(-length // 8) * 8
    if short > 4 or end > len(body):
        raise ValueError(f"a part of {length} bytes at byte {at} of a matrix of {len(body)}")
    return word & 0xFFFF, body[begin : begin + length], end


def _integers(body: memoryview, at: int, order: str, wanted: int) -> tuple[tuple[int, ...], int]:
    kind, content, end = _part(body, at, order)
    if kind != wanted or len(content) % 4:
        raise ValueError(f"a part of type {kind} at byte {at} of a matrix")
    letter = "i" if wanted == _INT32 else "I"
    return struct.unpack(f"{order}{len(content) // 4}{letter}", content), end


def _inflated(body: bytes, order: str) -> bytes:
    """Content of a deflated matrix; its own tag says how long it is, and a checksum covers it."""
    inflating = zlib.decompressobj()
    tag = inflating.decompress(body, 8)
    _, length = struct.unpack(f"{order}II", tag)
    content = inflating.decompress(inflating.unconsumed_tail, length + 1)
    if len(content) != length or not inflating.eof:
        raise ValueError(f"{len(content)} of {length} bytes of a matrix")
    return content
