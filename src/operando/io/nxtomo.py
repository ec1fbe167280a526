"""Tomographies written as NXtomo files (NeXus, HDF5), block by block; `nxtomo_reader` reads them.

The layout follows https://manual.nexusformat.org/classes/applications/NXtomo.html; docs/formats.md says what is
added to it. Everything written is covered by a checksum, so that a flipped bit is refused and never read as data.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import h5py
import numpy as np

from operando.errors import InputError
from operando.io.beside import check_folder, publish, unfinished
from operando.io.recorded import (
    REQUIRED,
    ROLES,
    UNIX_EPOCH,
    Array,
    Role,
    moment_after,
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
        for role in REQUIRED:
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
