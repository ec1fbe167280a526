"""Reading NXtomo files: whole or a block of rows at a time, with everything that is wrong said by name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import h5py
import numpy as np

from operando.errors import FileError
from operando.io import hdf5
from operando.io.nxtomo import BLACK_BODY, IMAGE_KEY, PROBE
from operando.io.recorded import (
    ROLES,
    UNIX_EPOCH,
    Array,
    Role,
    ScanShape,
    check_angles,
    check_counts,
    check_pixels,
    row_blocks,
    scan_from_frames,
    utc,
)
from operando.tomography.scan import ConeBeam, Modality, ParallelBeam, Scan


def scan_shape(path: Path) -> ScanShape:
    """Read what a scan holds, without its frames.

    Raises
    ------
    FileError
        If the file is missing, damaged or inconsistent.
    """
    with hdf5.opened(path) as file:
        return _index(file, path).shape


def read_scan(
    path: Path, *, rows: slice | None = None, projection_rows: slice | None = None, epoch: datetime = UNIX_EPOCH
) -> Scan:
    """Read a scan, or a block of its detector rows; `epoch` is the zero of the study's clock.

    With `projection_rows` the projections hold another block than the reference frames, which are few and small.

    Raises
    ------
    FileError
        If the file is missing, damaged or inconsistent, or its pixels are not finite or saturated.
    InputError
        If `rows` is no block of the detector.
    """
    with hdf5.opened(path) as file:
        index = _index(file, path)
        blocks = row_blocks(rows, projection_rows, index.shape.rows, index.of)
        frames = {role: _frames(index.data, index.of[role], blocks[role]) for role in index.of}
    for role, values in frames.items():
        check_pixels(path, role, values, index.saturation)
    turned: dict[Role, Array] = {"projections": index.angle[index.of["projections"]]}
    if "black_body_sample" in index.of and np.isfinite(index.angle[index.of["black_body_sample"]]).all():
        turned["black_body_sample"] = index.angle[index.of["black_body_sample"]]
    return scan_from_frames(shape=index.shape, frames=frames, angle=turned, rows=blocks, epoch=epoch)


@dataclass(frozen=True)
class _Index:
    """Where a file keeps what."""

    shape: ScanShape
    data: h5py.Dataset
    angle: Array
    of: dict[Role, Array]
    saturation: float | None


def _index(file: h5py.File, path: Path) -> _Index:
    entry = _entry(file)
    data = hdf5.dataset(entry, "instrument/detector/data")
    if data.ndim != 3 or data.dtype.kind not in "iuf" or min(data.shape) < 1:
        problem = f"{data.name} has shape {data.shape} and type {data.dtype}"
        raise FileError(path, problem=problem, remedy="It must hold frames of numbers (frame, row, column).")
    count = data.shape[0]
    of = _frames_by_role(entry, count)
    check_counts(path, {role: indices.size for role, indices in of.items()})
    angle = hdf5.numbers(entry, "sample/rotation_angle", count=count).astype(float)
    angle = angle * hdf5.scale(hdf5.dataset(entry, "sample/rotation_angle"), unit="rad")
    check_angles(path, angle[of["projections"]])
    if hdf5.found(entry, "control/data") is not None:
        hdf5.numbers(entry, "control/data", count=count)
    started, duration = _times(entry, path)
    shape = ScanShape(
        name=hdf5.text(entry, "sample/name") or hdf5.text(entry, "title") or path.stem,
        modality=_modality(entry, path),
        beam=_beam(entry, path),
        rows=data.shape[1],
        columns=data.shape[2],
        frames={role: indices.size for role, indices in of.items()},
        dtype=data.dtype.newbyteorder("="),
        started=started,
        duration=duration,
    )
    return _Index(shape, data, angle, of, hdf5.number(entry, "instrument/detector/saturation_value"))


def _entry(file: h5py.File) -> h5py.Group:
    """The one entry of the file that is a tomography."""
    entries = [
        hdf5.found(file, name) for name in file if not isinstance(file.get(name, getlink=True), h5py.ExternalLink)
    ]
    tomographies = [e for e in entries if isinstance(e, h5py.Group) and hdf5.text(e, "definition") == "NXtomo"]
    if len(tomographies) != 1:
        problem = f"holds {len(tomographies)} entries with the definition NXtomo, not one"
        raise FileError(file.filename, problem=problem, remedy="Export one NXtomo entry to a file.")
    return tomographies[0]


def _frames_by_role(entry: h5py.Group, count: int) -> dict[Role, Array]:
    key = hdf5.numbers(entry, "instrument/detector/image_key", count=count)
    extra = np.zeros(count)
    if hdf5.found(entry, "instrument/detector/black_body") is not None:
        extra = hdf5.numbers(entry, "instrument/detector/black_body", count=count)
    unknown = ~np.isin(key, (0, 1, 2, 3)) | ~np.isin(extra, (0, 1, 2))
    if unknown.any():
        i = int(np.argmax(unknown))
        problem = f"image_key {key[i]} and black_body {extra[i]:g} of frame {i} have no meaning"
        raise FileError(entry.file.filename, problem=problem, remedy="docs/formats.md lists the keys.")
    indices = {role: np.flatnonzero((key == IMAGE_KEY[role]) & (extra == BLACK_BODY.get(role, 0))) for role in ROLES}
    return {role: found for role, found in indices.items() if found.size}


def _times(entry: h5py.Group, path: Path) -> tuple[datetime | None, float]:
    started, ended = (_moment(entry, key, path) for key in ("start_time", "end_time"))
    if started is None or ended is None:
        exposures = hdf5.found(entry, "instrument/detector/count_time")
        return started, 0.0 if exposures is None else _exposed(entry)
    if ended < started:
        raise FileError(path, problem=f"ends ({ended}) before it starts ({started})", remedy="Mend end_time.")
    return started, (ended - started).total_seconds()


def _exposed(entry: h5py.Group) -> float:
    exposures = hdf5.numbers(entry, "instrument/detector/count_time")
    return float(exposures.sum()) * hdf5.scale(hdf5.dataset(entry, "instrument/detector/count_time"), unit="s")


def _moment(entry: h5py.Group, key: str, path: Path) -> datetime | None:
    written = hdf5.text(entry, key)
    if written is None:
        return None
    try:
        return utc(datetime.fromisoformat(written))
    except (ValueError, OverflowError) as error:
        remedy = 'Write ISO 8601, such as "2024-05-17T09:30:00+02:00".'
        raise FileError(path, problem=f'{key} is "{written[:40]}"', remedy=remedy) from error


def _modality(entry: h5py.Group, path: Path) -> Modality:
    probe = hdf5.text(entry, "instrument/source/probe")
    for modality, name in PROBE.items():
        if probe == name:
            return modality
    problem = f"instrument/source/probe is {probe!r}"
    raise FileError(path, problem=problem, remedy='Set it to "neutron" or "x-ray".')


def _beam(entry: h5py.Group, path: Path) -> ParallelBeam | ConeBeam:
    pixel = _pixel(entry, path)
    to_detector = hdf5.length(entry, "instrument/detector/distance")
    from_source = hdf5.length(entry, "instrument/source/distance")
    if from_source is None or _far(entry):
        collimation = hdf5.number(entry, "instrument/collimator/length_over_diameter")
        if collimation is not None and not collimation > 0:
            raise FileError(path, problem=f"the collimation L/D is {collimation}", remedy="State a positive L/D.")
        return ParallelBeam(pixel, float("inf") if collimation is None else collimation, to_detector or 0.0)
    if to_detector is None or to_detector < 0 or from_source == 0:
        problem = f"source at {from_source} m, detector at {to_detector} m from the sample"
        raise FileError(path, problem=problem, remedy="A cone beam needs both distances.")
    return ConeBeam(pixel, abs(from_source), abs(from_source) + to_detector)


def _far(entry: h5py.Group) -> bool:
    """Whether the source is of a kind whose rays are parallel at the sample, though its distance may be stated."""
    kind = hdf5.text(entry, "instrument/source/type") or ""
    return "Synchrotron" in kind or "Neutron" in kind or hdf5.text(entry, "instrument/source/probe") == "neutron"


def _pixel(entry: h5py.Group, path: Path) -> float:
    x, y = (hdf5.length(entry, f"instrument/detector/{axis}_pixel_size") for axis in "xy")
    if x is None or y is None or not (x > 0 and abs(x - y) <= 1e-6 * x):
        problem = f"x_pixel_size and y_pixel_size are {x} and {y} m"
        raise FileError(path, problem=problem, remedy="Pixels must be square, of a stated size.")
    return x


def _frames(data: h5py.Dataset, indices: Array, rows: slice) -> Array:
    """Frames `indices` of `data`, read as few consecutive runs."""
    frames = np.empty((indices.size, rows.stop - rows.start, data.shape[2]), data.dtype.newbyteorder("="))
    ends = np.flatnonzero(np.diff(indices) != 1) + 1
    for run in np.split(np.arange(indices.size), ends):
        first, last = indices[run[0]], indices[run[-1]] + 1
        data.read_direct(frames, np.s_[first:last, rows], np.s_[run[0] : run[-1] + 1])
    return frames
