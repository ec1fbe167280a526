"""The neutron camera of NeXT: a parallel beam of many energies, its penumbra, scatter and faults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numba as nb
import numpy as np
import numpy.typing as npt

from operando.materials.cross_sections import PAPER_ENERGY
from operando.materials.spectrum import maxwellian_from_peak
from operando.tomography.scan import ParallelBeam
from operando.twin.detector import Detector, drawn_detector
from operando.twin.optics import blur_kernel, pixels_from_rays
from operando.twin.projector import sheet_integrals
from operando.twin.scatter import ScatterField, scatter_field

if TYPE_CHECKING:
    from operando.frames import Grid
    from operando.twin.presets import Size
    from operando.twin.priors import InstrumentPriors, Nuisances

Array = npt.NDArray[Any]

COLLIMATION = 333.0
"""L/D, Table 1 of doi:10.1016/j.xcrp.2026.103136."""

SAMPLE_TO_DETECTOR = 5e-3
"""[m], the same table: 10 000 and 10 005 mm from the pinhole."""

THICKEST, STEP = 30.0, 0.004
"""Largest absorption depth tabulated, and the table's step (dimensionless)."""

DOT_DIAMETER, DOT_PITCH = 0.45e-3, 1.0e-3
"""Absorbing dots of the black-body frame [m]; small ones, so that several fit into the cropped image."""


@dataclass(frozen=True, eq=False)
class NeutronSample:
    """The cell as neutrons meet it, in one state.

    Attributes
    ----------
    columns:
        Absorption at 11 meV and scattering, ``(y, x, 2, z)`` [1/m].
    casing, pins:
        The same two numbers for what lies around and beyond the grid.
    bore, outside:
        Radii of the casing [m].
    shift:
        Where the sample has drifted to, (x, y, z) [m].
    """

    columns: Array
    grid: Grid
    casing: tuple[float, float]
    pins: tuple[float, float]
    bore: float
    outside: float
    shift: tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class NeutronCamera:
    """The instrument of one session.

    Attributes
    ----------
    centre:
        Detector column on which the rotation axis falls in the middle row.
    tilt:
        The axis moves by ``tan(tilt)`` columns per row.
    height:
        z that falls on the middle row [m].
    passing:
        Share of the spectrum that passes absorption depths 0, `STEP`, 2 `STEP`, ... (depths at 11 meV).
    beam_profile, stray:
        Open beam, and neutrons that arrive without having passed the sample, both relative to a full beam.
    dots:
        What the black-body frame lets through, per pixel.
    rays:
        Rays along each side of a pixel.
    """

    beam: ParallelBeam
    detector: Detector
    centre: float
    tilt: float
    height: float
    passing: Array
    kernel: Array
    scatter: ScatterField
    scatter_level: float
    beam_profile: Array
    stray: Array
    dots: Array
    rays: int
    source_fluctuation: float

    def brightness(self, sample: NeutronSample, angle: float) -> tuple[Array, Array]:
        """What passes the sample and what it scatters onto the detector, relative to a full beam, per pixel."""
        rows, columns = self.detector.shape
        spacing = self.beam.pixel / self.rays
        reach = sample.bore + max(sample.grid.spacing)
        offsets = np.arange(-reach, reach + spacing, spacing)
        depths = sheet_integrals(
            columns=sample.columns.reshape(*sample.columns.shape[:2], -1),
            grid=sample.grid,
            angle=angle,
            offsets=offsets,
            radius=reach,
        ).reshape(len(offsets), 2, -1)
        aside = sample.shift[0] * np.cos(angle) + sample.shift[1] * np.sin(angle)
        passed = np.empty((rows * self.rays, columns * self.rays), dtype=np.float32)
        scattered = np.empty_like(passed)
        _expose(
            depths,
            (offsets[0], spacing, sample.grid.origin[0], sample.grid.spacing[0]),
            (self.centre, (rows - 1) / 2, self.beam.pixel, self.rays),
            (np.cos(self.tilt), np.sin(self.tilt), aside, self.height - sample.shift[2]),
            (sample.bore, sample.outside),
            sample.casing,
            sample.pins,
            self.passing,
            passed,
            scattered,
        )
        through = self.beam_profile * pixels_from_rays(intensity=passed, kernel=self.kernel, rays=self.rays)
        return through, self.scatter_level * self.scatter.arriving(scattered)

    def frame(
        self, rng: np.random.Generator, *, sample: NeutronSample | None, angle: float = 0.0, black_body: bool = False
    ) -> Array:
        """Record one frame, with or without the sample and the absorbing dots, uint16 ``(row, column)``."""
        through, arriving = (self.beam_profile, 0.0) if sample is None else self.brightness(sample, angle)
        dose = 1 + self.source_fluctuation * rng.standard_normal()
        direct = through * self.dots if black_body else through
        return self.detector.recorded(self.detector.full * dose * (direct + arriving + self.stray), rng)

    def dark_frame(self, rng: np.random.Generator, *, angle: float = 0.0) -> Array:
        """Record a frame without beam; no angle changes it."""
        return self.detector.recorded(np.zeros(self.detector.shape), rng, beam_on=False)


def neutron_camera(
    *, size: Size, nuisances: Nuisances, priors: InstrumentPriors, height: float, rng: np.random.Generator
) -> NeutronCamera:
    """Set the camera up as a session's nuisances say; `height` is the z of the world in the middle row [m]."""
    shape, pixel = (size.neutron_rows, size.neutron_columns), size.neutron_pixel
    rows, columns = shape
    spectrum = maxwellian_from_peak(peak=nuisances.spectrum_peak)
    depth = np.arange(0, THICKEST + STEP, STEP)
    passing = np.exp(-depth[:, None] * np.sqrt(PAPER_ENERGY / spectrum.energy)) @ spectrum.weight
    up, across = np.linspace(-1, 1, rows)[:, None], np.linspace(-1, 1, columns)
    slope_up, slope_across = nuisances.beam_slope
    return NeutronCamera(
        beam=ParallelBeam(pixel=pixel, collimation=COLLIMATION, sample_to_detector=SAMPLE_TO_DETECTOR),
        detector=drawn_detector(shape=shape, full=size.neutrons, priors=priors, rng=rng, gamma_rate=priors.gamma_rate),
        centre=(columns - 1) / 2 + nuisances.axis_offset / pixel,
        tilt=nuisances.axis_tilt,
        height=height,
        passing=passing,
        kernel=blur_kernel(
            penumbra=SAMPLE_TO_DETECTOR / COLLIMATION,
            scintillator=priors.scintillator_blur,
            ray_spacing=pixel / size.rays,
        ),
        scatter=scatter_field(shape=shape, pixel=pixel, distance=SAMPLE_TO_DETECTOR, rays=size.rays),
        scatter_level=nuisances.scatter_sample,
        beam_profile=(1 + slope_up * up + slope_across * across).astype(np.float32),
        stray=(nuisances.scatter_open * (1 + 0.5 * slope_up * up + 0.5 * slope_across * across)).astype(np.float32),
        dots=black_body_dots(shape=shape, pixel=pixel, transmission=priors.black_body_transmission),
        rays=size.rays,
        source_fluctuation=priors.source_fluctuation,
    )


def black_body_dots(*, shape: tuple[int, int], pixel: float, transmission: float) -> Array:
    """What a grid of absorbing dots lets through, about the middle of the image, float32 ``(row, column)``."""
    up, across = (pixel * (np.arange(n) - (n - 1) / 2) for n in shape)
    beside = [np.abs((line / DOT_PITCH) % 1 - 0.5) * DOT_PITCH for line in (up, across)]
    distance = np.hypot(beside[0][:, None], beside[1])
    covered = np.clip((DOT_DIAMETER / 2 - distance) / pixel + 0.5, 0, 1)
    passing: Array = (1 - (1 - transmission) * covered).astype(np.float32)
    return passing


@nb.njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def _expose(depths, lines, pixels, pose, radii, casing, pins, passing, passed, scattered):  # type: ignore[no-untyped-def]
    """Transmission and scattered share of every ray of the detector, the tilt and the sample's place included."""
    s0, ds, z0, dz = lines
    centre, middle, pixel, rays = pixels
    cos, sin, aside, height = pose
    bore, outside = radii
    count, _, levels = depths.shape
    for i in range(passed.shape[0]):
        v = ((i + 0.5) / rays - 0.5 - middle) * pixel
        for j in range(passed.shape[1]):
            u = ((j + 0.5) / rays - 0.5 - centre) * pixel
            s = u * cos - v * sin - aside
            if abs(s) >= outside:
                passed[i, j], scattered[i, j] = 1.0, 0.0
                continue
            inner = 2 * np.sqrt(bore * bore - s * s) if abs(s) < bore else 0.0
            wall = 2 * np.sqrt(outside * outside - s * s) - inner
            absorption, scattering = wall * casing[0], wall * casing[1]
            level = (v * cos + u * sin + height - z0) / dz
            if -0.5 <= level < levels - 0.5:
                at = (s - s0) / ds
                if 0 <= at < count - 1:
                    left = int(at)
                    w = at - left
                    level = min(max(level, 0.0), levels - 1.0)
                    low = min(int(level), max(levels - 2, 0))
                    high = min(low + 1, levels - 1)
                    up = level - low
                    for part in range(2):
                        below = (1 - w) * depths[left, part, low] + w * depths[left + 1, part, low]
                        above = (1 - w) * depths[left, part, high] + w * depths[left + 1, part, high]
                        depth = below + up * (above - below)
                        if part == 0:
                            absorption += depth
                        else:
                            scattering += depth
            else:
                absorption += inner * pins[0]
                scattering += inner * pins[1]
            index = min(absorption / STEP, len(passing) - 2.0)
            whole = int(index)
            share = index - whole
            through = ((1 - share) * passing[whole] + share * passing[whole + 1]) * np.exp(-scattering)
            passed[i, j] = through
            scattered[i, j] = (1 - through) * scattering / max(absorption + scattering, 1e-12)
