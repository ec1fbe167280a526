"""The X-ray camera of NeXT: a cone beam of many energies, in a frame of its own and with a scale error."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import affine_transform

from operando.frames import Grid
from operando.materials.formula import formula_from_text
from operando.materials.spectrum import Spectrum, spectrum_from_response
from operando.materials.xray import spectral_attenuation_from_formula, spectrum_from_tube
from operando.tomography.scan import ConeBeam
from operando.twin.detector import Detector, drawn_detector
from operando.twin.optics import blur_kernel, pixels_from_rays
from operando.twin.projector import cylinder_crossing, fan_integrals, length_between

if TYPE_CHECKING:
    from operando.twin.presets import Size
    from operando.twin.priors import InstrumentPriors, Nuisances

Array = npt.NDArray[Any]

SOURCE_TO_OBJECT, SOURCE_TO_DETECTOR = 89e-3, 573e-3
"""[m], Table 1 of doi:10.1016/j.xcrp.2026.103136."""

VOLTAGE = 100e3
"""Of the tube [V], the same table."""

FILTERS = (("Al", 2699.0, 1.0e-3), ("W", 19300.0, 3e-6))
"""Formula, density [kg/m^3] and thickness [m]: window and filter, and the target's own absorption; assumed."""

SCINTILLATOR = ("CsI", 4510.0, 0.5e-3)
"""The same for the detector's converter; assumed. Its signal is the energy that it absorbs."""

ENERGIES = 10

COARSER = 1.5
"""Voxels of the X-ray grid over those of the state's, across the axis; the X-ray pixels are larger by as much."""


@dataclass(frozen=True, eq=False)
class Pose:
    """Where the cell stands in the X-ray frame: ``p' = rotation (p - centre) + shift``, then turned with the stage.

    Attributes
    ----------
    rotation:
        3 x 3, the tilts about x and y, over (x, y, z).
    centre, shift:
        (x, y, z) [m]; the centre is the middle of the stack.
    turn:
        What the X-ray frame's angles do not say [rad].
    """

    rotation: Array
    centre: Array
    shift: Array
    turn: float

    def to_world(self, points: Array) -> Array:
        """Take points ``(..., 3)`` of the X-ray frame to the world."""
        world: Array = (points - self.shift) @ self.rotation + self.centre
        return world

    def affine_to_neutron(self, scale: float) -> Array:
        """4 x 4 affine from the frame of a reconstructed X-ray volume to the world, over ``(x, y, z, 1)`` [m].

        Parameters
        ----------
        scale:
            Size of the reconstructed volume over the true one.
        """
        cos, sin = np.cos(self.turn), np.sin(self.turn)
        reconstructed = np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])
        affine = np.eye(4)
        affine[:3, :3] = self.rotation.T @ reconstructed.T / scale
        affine[:3, 3] = self.centre - self.rotation.T @ self.shift
        return affine


@dataclass(frozen=True, eq=False)
class XraySample:
    """The cell as X-rays meet it, in one state, upright in the X-ray frame.

    Attributes
    ----------
    columns:
        Volume fractions of substances, the first that of the pins, packed for `fan_integrals`.
    levels:
        Where along z each substance lies.
    attenuations:
        Of each substance and then of the casing, ``(substance, energy)`` [1/m].
    grid:
        Where the columns stand in the X-ray frame; bore and casing are followed exactly beyond it.
    """

    columns: Array
    levels: Array
    attenuations: Array
    grid: Grid
    pose: Pose
    bore: float
    outside: float


@dataclass(frozen=True, eq=False)
class XrayCamera:
    """The instrument of one session.

    Attributes
    ----------
    beam, written:
        The true geometry, and the one that the files state.
    centre:
        Detector column on which the rotation axis falls.
    """

    beam: ConeBeam
    written: ConeBeam
    detector: Detector
    centre: float
    spectrum: Spectrum
    kernel: Array
    rays: int
    source_fluctuation: float

    @property
    def scale(self) -> float:
        """Size of a volume reconstructed with the written geometry, over the true one."""
        return self.written.voxel / self.beam.voxel

    def brightness(self, sample: XraySample, angle: float) -> Array:
        """What passes the sample, relative to the open beam, per pixel."""
        rows, columns = self.detector.shape
        across = self._positions(columns, self.centre)
        heights = self._positions(rows, (rows - 1) / 2)
        turned = angle + sample.pose.turn
        lengths = fan_integrals(
            columns=sample.columns,
            grid=sample.grid,
            angle=turned,
            source_to_object=self.beam.source_to_object,
            source_to_detector=self.beam.source_to_detector,
            across=across,
            heights=heights,
            levels=sample.levels,
            centre=(sample.pose.shift[0], sample.pose.shift[1]),
            radius=sample.bore + 2 * max(sample.grid.spacing),
        )
        pins, wall = self._body(sample, turned, across, heights)
        lengths[:, 0] += pins
        lengths = np.concatenate([lengths, wall[:, None]], axis=1)
        depth = sample.attenuations.T.astype(np.float32) @ lengths
        passed = self.spectrum.weight.astype(np.float32) @ np.exp(-depth)
        return pixels_from_rays(intensity=np.ascontiguousarray(passed.T), kernel=self.kernel, rays=self.rays)

    def frame(self, rng: np.random.Generator, *, sample: XraySample | None, angle: float = 0.0) -> Array:
        """Record one frame, with or without the sample, uint16 ``(row, column)``."""
        through = np.ones(self.detector.shape) if sample is None else self.brightness(sample, angle)
        dose = 1 + self.source_fluctuation * rng.standard_normal()
        return self.detector.recorded(self.detector.full * dose * through, rng)

    def dark_frame(self, rng: np.random.Generator, *, angle: float = 0.0) -> Array:
        """Record a frame without beam; no angle changes it."""
        return self.detector.recorded(np.zeros(self.detector.shape), rng, beam_on=False)

    def _positions(self, pixels: int, centre: float) -> Array:
        """Where rays meet the detector, from the axis' image on it [m]."""
        return ((np.arange(pixels * self.rays) + 0.5) / self.rays - 0.5 - centre) * self.beam.pixel

    def _body(self, sample: XraySample, angle: float, across: Array, heights: Array) -> tuple[Array, Array]:
        """Lengths in the pins beyond the grid and in the casing, float32 ``(across, height)`` [m]."""
        cos, sin = np.cos(angle), np.sin(angle)
        origin = self.beam.source_to_object * np.array([sin, -cos, 0.0])
        ends = np.empty((len(across), len(heights), 3))
        ends[..., 0] = (across * cos - self.beam.source_to_detector * sin)[:, None]
        ends[..., 1] = (across * sin + self.beam.source_to_detector * cos)[:, None]
        ends[..., 2] = heights
        directions = ends / np.linalg.norm(ends, axis=-1, keepdims=True)
        in_world = {
            "origins": sample.pose.to_world(origin)[None, None],
            "directions": directions @ sample.pose.rotation,
        }
        bore = cylinder_crossing(**in_world, radius=sample.bore)
        outside = cylinder_crossing(**in_world, radius=sample.outside)
        grid = sample.grid
        faces = grid.origin[0] - grid.spacing[0] / 2, grid.origin[0] + (grid.shape[0] - 0.5) * grid.spacing[0]
        origins = np.broadcast_to(origin, directions.shape)
        within = length_between(origins=origins, directions=directions, crossing=bore, low=faces[0], high=faces[1])
        whole = bore[1] - bore[0]
        return (whole - within).astype(np.float32), (outside[1] - outside[0] - whole).astype(np.float32)


def xray_camera(*, size: Size, nuisances: Nuisances, priors: InstrumentPriors, rng: np.random.Generator) -> XrayCamera:
    """Set the camera up as a session's nuisances say."""
    pixel = size.xray_voxel * SOURCE_TO_DETECTOR / SOURCE_TO_OBJECT
    written = ConeBeam(pixel=pixel, source_to_object=SOURCE_TO_OBJECT, source_to_detector=SOURCE_TO_DETECTOR)
    beam = replace(written, source_to_object=SOURCE_TO_OBJECT * (1 + nuisances.xray_voxel_error))
    shape = (size.xray_rows, size.xray_columns)
    return XrayCamera(
        beam=beam,
        written=written,
        detector=drawn_detector(shape=shape, full=size.photons, priors=priors, rng=rng, gamma_rate=0.0),
        centre=(size.xray_columns - 1) / 2 + nuisances.xray_axis_offset / size.xray_voxel,
        spectrum=detected_spectrum(),
        kernel=blur_kernel(penumbra=0.0, scintillator=0.4 * pixel, ray_spacing=pixel / size.rays),
        rays=size.rays,
        source_fluctuation=priors.xray_source_fluctuation,
    )


def detected_spectrum() -> Spectrum:
    """Signal per energy of the tube's beam: photons, times what the converter absorbs, times their energy."""
    filters = [(formula_from_text(formula), density, thickness) for formula, density, thickness in FILTERS]
    tube = spectrum_from_tube(voltage=VOLTAGE, filters=filters, lowest=15e3, points=ENERGIES)
    formula, density, thickness = SCINTILLATOR
    stopping = spectral_attenuation_from_formula(formula=formula_from_text(formula), density=density, spectrum=tube)
    return spectrum_from_response(spectrum=tube, response=(1 - np.exp(-stopping * thickness)) * tube.energy)


def xray_pose(*, nuisances: Nuisances, centre: tuple[float, float, float], drift: tuple[float, float, float]) -> Pose:
    """Where the cell stands in the X-ray frame when it has drifted, (x, y, z) [m]."""
    about_x, about_y = nuisances.xray_tilt
    cx, sx, cy, sy = np.cos(about_x), np.sin(about_x), np.cos(about_y), np.sin(about_y)
    rotation = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]]) @ np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    return Pose(
        rotation=rotation,
        centre=np.array(centre),
        shift=np.array(nuisances.xray_shift) + rotation @ np.array(drift),
        turn=nuisances.xray_turn,
    )


def upright(*, volumes: Array, grid: Grid, pose: Pose) -> tuple[Array, Grid]:
    """Sample volumes on a grid that stands upright in the X-ray frame.

    Heights beyond the grid read its outermost layers, which the pins continue.

    Parameters
    ----------
    volumes:
        float32 ``(substance, z, y, x)`` on `grid` of the world.

    Returns
    -------
    float32 ``(y, x, substance, z)``, and the grid in the X-ray frame.
    """
    extent = grid.spacing[2] * grid.shape[2] / 2
    lean = float(np.abs(pose.rotation[2, :2]).sum()) * extent
    more = int(np.ceil(lean / grid.spacing[0])) + 1
    coarse = COARSER * grid.spacing[2]
    wide = int(np.ceil(grid.shape[2] / COARSER)) + 1
    above = grid.origin[0] - pose.centre[2] - more * grid.spacing[0]
    corner = np.array([above, -coarse * (wide - 1) / 2, -coarse * (wide - 1) / 2])
    origin = corner + pose.shift[::-1]
    there = Grid(
        shape=(grid.shape[0] + 2 * more, wide, wide),
        spacing=(grid.spacing[0], coarse, coarse),
        origin=(float(origin[0]), float(origin[1]), float(origin[2])),
    )
    # From index there to index here, both ordered (z, y, x).
    backward = pose.rotation.T[::-1, ::-1]
    here = np.array(grid.spacing)
    matrix = backward * np.array(there.spacing)[None, :] / here[:, None]
    offset = (backward @ corner + pose.centre[::-1] - np.array(grid.origin)) / here
    columns = np.zeros((wide, wide, len(volumes), there.shape[0]), dtype=np.float32)
    for substance, volume in enumerate(volumes):
        held = np.flatnonzero(volume.any(axis=(1, 2)))
        if held.size:
            first, last = int(held[0]), int(held[-1]) + 1 + 2 * more
            turned = affine_transform(
                volume,
                matrix,
                offset=offset + matrix[:, 0] * first,
                output_shape=(last - first, wide, wide),
                order=1,
                mode="nearest",
            )
            columns[:, :, substance, first:last] = turned.transpose(1, 2, 0)
    return columns, there
