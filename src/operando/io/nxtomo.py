"""Tomographies as NXtomo files (NeXus, HDF5): written block by block, read whole or a block of rows at a time.

The layout follows https://manual.nexusformat.org/classes/applications/NXtomo.html; docs/formats.md says what is
added to it. Everything written is covered by a checksum, so that a flipped bit is refused and never read as data.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import h5py
import numpy as np

from operando.errors import FileError, InputError
from operando.io import hdf5
from operando.io.beside import check_folder, publish, unfinished
from operando.io.recorded import (
    ROLES,
    UNIX_EPOCH,
    Array,
    Role,
    ScanShape,
    check_angles,
    check_counts,
    check_pixels,
    moment_after,
    row_block,
    scan_from_frames,
    utc,
)
from operando.tomography.scan import ConeBeam, Modality, ParallelBeam, Scan

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

IMAGE_KEY: dict[Role, int] = {
    "projections": 0,
    "open_beam": 1,
    "dark": 2,
    "black_body_open": 3,
    "black_body_sample": 3,
}
"""NXtomo's number for what a frame shows; 3 is "invalid", which other programs skip."""

BLACK_BODY: dict[Role, int] = {"black_body_open": 1, "black_body_sample": 2}
"""Our number beside it, in ``instrument/detector/black_body``; 0 everywhere else."""

PROBE: dict[Modality, str] = {"neutron": "neutron", "xray": "x-ray"}
CHUNK_BYTES = 131072


class NXtomoWriter:
    """Write a scan block by block; the file appears at `path` when the ``with`` block ends well, or not at all.

    Parameters
    ----------
    shape:
        Rows and columns of the detector.
    start, duration:
        When the scan began, in seconds after `epoch`, and how long it took [s].

    Raises
    ------
    InputError
        If frames of another shape or type are appended, projections come without angles, or a role is missing at
        the end.
    FileError
        If the folder does not exist.
    """

    def __init__(
        self,
        path: Path,
        *,
        name: str,
        modality: Modality,
        beam: ParallelBeam | ConeBeam,
        shape: tuple[int, int],
        start: float = 0.0,
        duration: float = 0.0,
        dtype: np.typing.DTypeLike = np.uint16,
        epoch: datetime = UNIX_EPOCH,
    ) -> None:
        check_folder(path)
        self._path, self._beam = path, beam
        self._roles: list[Role] = []
        self._angles: list[Array] = []
        rows, columns = shape
        self._file = h5py.File(unfinished(path), "w", libver=("v110", "v110"))
        entry = _group(self._file, "entry", "NXentry")
        _put(entry, "definition", "NXtomo")
        _put(entry, "title", name)
        _put(entry, "start_time", moment_after(epoch, start).isoformat(timespec="microseconds"))
        _put(entry, "end_time", moment_after(epoch, start + duration).isoformat(timespec="microseconds"))
        self._sample = _group(entry, "sample", "NXsample")
        _put(self._sample, "name", name)
        instrument = _group(entry, "instrument", "NXinstrument")
        self._detector = _group(instrument, "detector", "NXdetector")
        _put_beam(instrument, self._detector, modality, beam)
        height = max(1, min(rows, CHUNK_BYTES // (columns * np.dtype(dtype).itemsize)))
        self._data = self._detector.create_dataset(
            "data",
            shape=(0, rows, columns),
            maxshape=(None, rows, columns),
            chunks=(1, height, columns),
            dtype=dtype,
            fletcher32=True,
        )
        _describe(self._data, units="count")
        plot = _group(entry, "data", "NXdata")
        plot["data"] = self._data
        _describe(plot, signal="data")

    def append(self, role: Role, frames: Array, *, angle: Array | None = None) -> None:
        """Append ``(frame, row, column)``, or one ``(row, column)``, with one angle [rad] for each projection."""
        frames = np.asarray(frames)
        block = frames.reshape((-1, *frames.shape[-2:]))
        if role not in ROLES:
            raise InputError("role", must=f"one of {', '.join(ROLES)}", received=role)
        if block.shape[1:] != self._data.shape[1:] or block.dtype != self._data.dtype:
            wanted = f"frames of {self._data.shape[1:]} pixels of type {self._data.dtype}"
            raise InputError(role, must=wanted, received=f"{block.shape[1:]}, {block.dtype}")
        if role == "projections" and angle is None:
            raise InputError("angle", must="given with projections", received=angle)
        angles = np.full(len(block), _angle_without(role)) if angle is None else np.atleast_1d(angle)
        if angles.shape != (len(block),):
            raise InputError("angle", must=f"one number for each of {len(block)} frames", received=angles.shape)
        first = self._data.shape[0]
        self._data.resize(first + len(block), axis=0)
        self._data[first:] = block
        self._roles += [role] * len(block)
        self._angles.append(np.degrees(angles))

    def close(self) -> None:
        """Complete the file and give it its name."""
        for role in ("projections", "open_beam", "dark"):
            if role not in self._roles:
                raise InputError(role, must="appended before the end", received="no frame")
        frames = len(self._roles)
        _put_list(self._detector, "image_key", np.array([IMAGE_KEY[role] for role in self._roles], np.uint8))
        _put_list(self._detector, "black_body", np.array([BLACK_BODY.get(role, 0) for role in self._roles], np.uint8))
        _put_list(self._sample, "rotation_angle", np.concatenate(self._angles), units="degree")
        control = _group(self._file["entry"], "control", "NXmonitor")
        _put_list(control, "data", np.ones(frames))
        plot = self._file["entry/data"]
        plot["image_key"] = self._detector["image_key"]
        plot["rotation_angle"] = self._sample["rotation_angle"]
        self._file.close()
        publish(self._path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.close()
        finally:
            self._file.close()
            unfinished(self._path).unlink(missing_ok=True)


def write_scan(path: Path, scan: Scan, *, epoch: datetime = UNIX_EPOCH) -> None:
    """Write a whole scan whose clock starts at `epoch`; see `NXtomoWriter`."""
    with NXtomoWriter(
        path,
        name=scan.name,
        modality=scan.modality,
        beam=scan.beam,
        shape=(scan.projections.sizes["row"], scan.projections.sizes["column"]),
        start=scan.start,
        duration=scan.duration,
        dtype=scan.projections.dtype,
        epoch=epoch,
    ) as writer:
        for role in ("dark", "open_beam", "black_body_open", "black_body_sample", "projections"):
            frames = getattr(scan, role)
            if frames is not None:
                angle = frames.coords["angle"].values if "angle" in frames.coords else None
                writer.append(role, frames.values, angle=angle)


def scan_shape(path: Path) -> ScanShape:
    """Read what a scan holds, without its frames.

    Raises
    ------
    FileError
        If the file is missing, damaged or inconsistent.
    """
    with hdf5.opened(path) as file:
        return _index(file, path).shape


def read_scan(path: Path, *, rows: slice | None = None, epoch: datetime = UNIX_EPOCH) -> Scan:
    """Read a scan, or a block of its detector rows; `epoch` is the zero of the study's clock.

    Raises
    ------
    FileError
        If the file is missing, damaged or inconsistent, or its pixels are not finite or saturated.
    InputError
        If `rows` is no block of the detector.
    """
    with hdf5.opened(path) as file:
        index = _index(file, path)
        block = row_block(rows, index.shape.rows)
        frames = {role: _frames(index.data, index.of[role], block) for role in index.of}
    for role, values in frames.items():
        check_pixels(path, role, values, index.saturation)
    turned: dict[Role, Array] = {"projections": index.angle[index.of["projections"]]}
    if "black_body_sample" in index.of and np.isfinite(index.angle[index.of["black_body_sample"]]).all():
        turned["black_body_sample"] = index.angle[index.of["black_body_sample"]]
    return scan_from_frames(shape=index.shape, frames=frames, angle=turned, rows=block, epoch=epoch)


def is_nxtomo(path: Path) -> bool:
    """Tell whether a file is HDF5 at all; what it holds is checked on reading."""
    return path.is_file() and bool(h5py.is_hdf5(path))


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


def _angle_without(role: Role) -> float:
    """Angle stored where none is known; it matters only where the sample is in the beam."""
    return np.nan if role == "black_body_sample" else 0.0


def _group(parent: h5py.Group, name: str, nexus_class: str) -> h5py.Group:
    group = parent.create_group(name)
    _describe(group, NX_class=nexus_class)
    return group


def _put(group: h5py.Group, name: str, value: str | float, *, units: str = "") -> None:
    """Write one value into the object's header, which HDF5 covers by a checksum."""
    kind = h5py.string_dtype("utf-8", max(1, len(value.encode()))) if isinstance(value, str) else np.float64
    compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    compact.set_layout(h5py.h5d.COMPACT)
    place = (group.id, name.encode(), h5py.h5t.py_create(kind, logical=True), h5py.h5s.create(h5py.h5s.SCALAR))
    item = h5py.Dataset(h5py.h5d.create(*place, dcpl=compact))
    item[()] = value
    if units:
        _describe(item, units=units)


def _put_list(group: h5py.Group, name: str, values: Array, *, units: str = "") -> None:
    item = group.create_dataset(name, data=values, chunks=values.shape, fletcher32=True)
    if units:
        _describe(item, units=units)


def _describe(item: h5py.Group | h5py.Dataset, **attributes: str) -> None:
    """Set attributes as texts of fixed length, which lie in the header too."""
    for name, value in attributes.items():
        item.attrs.create(name, value, dtype=h5py.string_dtype("utf-8", len(value)))


def _put_beam(instrument: h5py.Group, detector: h5py.Group, modality: Modality, beam: ParallelBeam | ConeBeam) -> None:
    source = _group(instrument, "source", "NXsource")
    _put(source, "probe", PROBE[modality])
    for axis in "xy":
        _put(detector, f"{axis}_pixel_size", beam.pixel, units="m")
    if isinstance(beam, ConeBeam):
        _put(source, "type", "Fixed Tube X-ray")
        _put(source, "distance", -beam.source_to_object, units="m")
        _put(detector, "distance", beam.source_to_detector - beam.source_to_object, units="m")
        return
    _put(detector, "distance", beam.sample_to_detector, units="m")
    if np.isfinite(beam.collimation):
        collimator = _group(instrument, "collimator", "NXcollimator")
        _put(collimator, "length_over_diameter", beam.collimation)
