"""What a recorded tomography consists of, whatever its file format, and the checks that every format shares."""

from __future__ import annotations

import struct
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import xarray as xr

from operando.errors import FileError, InputError, OperandoError
from operando.tomography.scan import ConeBeam, Modality, ParallelBeam, Scan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Array = npt.NDArray[Any]

Role = Literal["projections", "open_beam", "dark", "black_body_open", "black_body_sample"]
"""What a frame shows; the names are the fields of `Scan`."""

ROLES: tuple[Role, ...] = get_args(Role)
REQUIRED: tuple[Role, ...] = ("projections", "open_beam", "dark")

UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Zero of the study's clock where none is given."""

MAX_SATURATED = 0.01
"""Largest fraction of saturated pixels in the frames of one role; single gamma spots saturate far fewer."""


@dataclass(frozen=True)
class ScanShape:
    """What a scan holds, known without reading its frames.

    Attributes
    ----------
    rows, columns:
        Pixels of the detector.
    frames:
        Number of frames of each role that is present.
    dtype:
        Type of a stored pixel.
    started:
        When the scan began; None where the file does not say.
    duration:
        How long it took [s]; 0 where the file does not say.
    """

    name: str
    modality: Modality
    beam: ParallelBeam | ConeBeam
    rows: int
    columns: int
    frames: Mapping[Role, int]
    dtype: np.dtype[Any]
    started: datetime | None
    duration: float

    @property
    def projections(self) -> int:
        """Number of projections."""
        return self.frames["projections"]

    @property
    def pixel(self) -> float:
        """Pixel size [m]."""
        return self.beam.pixel

    @property
    def nbytes(self) -> int:
        """Memory that all frames take as stored [byte]."""
        return sum(self.frames.values()) * self.rows * self.columns * self.dtype.itemsize


_RAISED = (
    OSError,
    EOFError,
    LookupError,
    RuntimeError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    MemoryError,
    struct.error,
    zlib.error,
)
"""What the libraries that read HDF5, TIFF, FITS and Zarr raise on damaged files."""


@contextmanager
def reading(path: object) -> Iterator[None]:
    """Turn whatever a library raises on a damaged file into a `FileError` that names the file."""
    try:
        yield
    except OperandoError:
        raise
    except _RAISED as error:
        cause = " ".join(str(error).split())[:160] or type(error).__name__
        raise FileError(
            path, problem=f"damaged or cut short ({cause})", remedy="Copy it again from the instrument."
        ) from error


def utc(moment: datetime) -> datetime:
    """Read a time without a zone as UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def seconds_after(epoch: datetime, moment: datetime | None) -> float:
    """Seconds from `epoch` to `moment` on the study's clock; 0 where the moment is not known."""
    return 0.0 if moment is None else (utc(moment) - utc(epoch)).total_seconds()


def moment_after(epoch: datetime, seconds: float) -> datetime:
    """Time that lies `seconds` after `epoch`."""
    return utc(epoch) + timedelta(seconds=seconds)


def row_block(rows: slice | None, total: int) -> slice:
    """Read `rows` as a block of a detector with `total` rows.

    Raises
    ------
    InputError
        If the block is empty, leaves the detector or skips rows.
    """
    if rows is None:
        return slice(0, total)
    first, last = rows.start or 0, total if rows.stop is None else rows.stop
    if rows.step not in (None, 1) or not 0 <= first < last <= total:
        raise InputError("rows", must=f"a block of rows within 0 to {total}, without a step", received=rows)
    return slice(first, last)


def row_blocks(
    rows: slice | None, projection_rows: slice | None, total: int, roles: Iterable[Role]
) -> dict[Role, slice]:
    """Block of rows of each role: `rows`, but `projection_rows` of the projections where they are given."""
    blocks = dict.fromkeys(roles, row_block(rows, total))
    if projection_rows is not None:
        blocks["projections"] = row_block(projection_rows, total)
    return blocks


def check_counts(path: object, counts: Mapping[Role, int]) -> None:
    """Refuse a scan that lacks projections, open beam or dark frames."""
    remedies = {
        "projections": "Check that this is a tomography.",
        "open_beam": "Add frames without the sample: attenuation has no meaning without them.",
        "dark": "Add frames without beam, or a frame of zeros for a detector that counts single quanta.",
    }
    for role in REQUIRED:
        if not counts.get(role):
            raise FileError(path, problem=f"no {role} frames", remedy=remedies[role])


def check_angles(path: object, angle: Array) -> None:
    """Refuse angles [rad] that are not finite, never change, or leap out of an otherwise steady turn.

    Interleaved and golden-ratio orders pass: only where at least 90 % of the steps turn the same way is a single
    angle that lies outside its two neighbours taken for an encoder's mistake.
    """
    remedy = "Compare the angles with the instrument's log."
    if not np.isfinite(angle).all():
        raise FileError(path, problem=f"angle {int(np.argmin(np.isfinite(angle)))} is not a number", remedy=remedy)
    if angle.size > 1 and np.ptp(angle) == 0:
        raise FileError(path, problem=f"all {angle.size} angles are {np.degrees(angle[0]):g} deg", remedy=remedy)
    step = np.diff(angle)
    turn = np.sign(np.median(step)) if step.size else 0.0
    if turn == 0 or np.mean(step * turn >= 0) < 0.9:
        return
    outside = (np.minimum(step[:-1] * turn, step[1:] * turn) < 0) & ((step[:-1] + step[1:]) * turn > 0)
    if outside.any():
        i = int(np.argmax(outside)) + 1
        problem = f"angle {i} ({np.degrees(angle[i]):g} deg) leaps out of an otherwise steady turn"
        raise FileError(path, problem=problem, remedy=remedy)


def check_pixels(path: object, role: Role, frames: Array, saturation: float | None = None) -> None:
    """Refuse frames with values that are no numbers, or with more than `MAX_SATURATED` of their pixels saturated.

    A pixel is saturated at `saturation` or, without one, at the largest value of an integer type.
    """
    # frame by frame, so that no second array of the size of a scan is made
    bad = sum(frame.size - np.count_nonzero(np.isfinite(frame)) for frame in frames) if frames.dtype.kind == "f" else 0
    if bad:
        raise FileError(
            path, problem=f"{bad} pixels of {role} are not finite", remedy="Export the raw counts, without corrections."
        )
    if saturation is None and frames.dtype.kind == "f":
        return
    limit = np.iinfo(frames.dtype).max if saturation is None else saturation
    saturated = sum(np.count_nonzero(frame >= limit) for frame in frames) / frames.size
    if saturated > MAX_SATURATED:
        raise FileError(
            path,
            problem=f"{100 * saturated:.2g} % of the pixels of {role} are saturated (at {limit:g})",
            remedy="Expose for less time; a saturated pixel hides its count.",
        )


def scan_from_frames(
    *,
    shape: ScanShape,
    frames: Mapping[Role, Array],
    angle: Mapping[Role, Array],
    rows: Mapping[Role, slice],
    epoch: datetime,
) -> Scan:
    """Label the frames of each role; `angle` [rad] belongs to projections and, where known, to black-body frames."""
    pixel = shape.beam.pixel
    column = xr.Variable("column", pixel * np.arange(shape.columns), {"units": "m"})

    def labelled(role: Role) -> xr.DataArray:
        row = pixel * np.arange(rows[role].start, rows[role].stop)
        along = {"row": xr.Variable("row", row, {"units": "m"}), "column": column}
        first = "projection" if role == "projections" else "frame"
        turned = {"angle": xr.Variable(first, angle[role], {"units": "rad"})} if role in angle else {}
        return xr.DataArray(
            frames[role], dims=(first, "row", "column"), coords=along | turned, name=role, attrs={"units": "count"}
        )

    return Scan(
        name=shape.name,
        modality=shape.modality,
        beam=shape.beam,
        start=seconds_after(epoch, shape.started),
        duration=shape.duration,
        projections=labelled("projections"),
        open_beam=labelled("open_beam"),
        dark=labelled("dark"),
        black_body_open=labelled("black_body_open") if "black_body_open" in frames else None,
        black_body_sample=labelled("black_body_sample") if "black_body_sample" in frames else None,
    )
