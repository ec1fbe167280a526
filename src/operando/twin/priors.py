"""What is not known of the instrument before a session: every nuisance of the twin, and its spread."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from operando.units import Measured


@dataclass(frozen=True)
class InstrumentPriors:
    """Spreads of the simulated beamline, one standard deviation unless said otherwise.

    Values without a source are assumptions: what a well-kept beamline of this kind may show.

    Attributes
    ----------
    spectrum_peak:
        Energy at which the Maxwellian flux peaks [eV]; 11 meV from doi:10.1016/j.xcrp.2026.103136.
    scatter_open:
        Stray neutrons without sample, share of the open beam (a measured neutron CT shows 6 %).
    scatter_sample:
        Neutrons scattered by the sample that arrive, relative to single isotropic scattering at the true distance.
    source_fluctuation:
        Change of the source from frame to frame, relative.
    beam_slope:
        Change of the open beam from the middle to an edge of the image, relative.
    scintillator_blur:
        Spread of light in the scintillator [m].
    black_body_transmission:
        Share of the beam that passes an absorbing dot.
    gamma_rate, gamma_energy:
        Gamma spots per pixel and frame, and the mean of their exponential brightness over the open beam.
    open_beam_counts, dark_counts, dark_spread, read_noise:
        Counts of the camera: open beam above dark, mean dark, its spread over pixels, noise of one reading.
    response, nonlinearity, ringing_nonlinearity:
        Spread of gain over pixels, and of the change of gain with signal, in ordinary and in ring-making pixels.
    ringing_pixels, dead_pixels, hot_pixels, hot_counts:
        Shares of the pixels that are faulty, and what a hot pixel reads.
    axis_offset:
        Rotation axis from the detector's middle [m].
    axis_tilt:
        Rotation axis against the detector's columns, in the plane of the detector [rad].
    drift:
        Step of the sample's random walk from scan to scan, along each axis [m].
    xray_turn:
        Turn of the X-ray frame about z, uniform between these two, either sign [rad].
    xray_shift:
        Shift of the X-ray frame along each axis, uniform between minus and plus this [m].
    xray_tilt:
        Tilt of the X-ray frame about x and about y [rad].
    xray_voxel_error:
        Size of the error of the written X-ray geometry, either sign (relative).
    xray_source_fluctuation:
        Change of the tube from frame to frame, relative.
    """

    spectrum_peak: Measured = field(default=Measured(11e-3, 0.5e-3))
    scatter_open: Measured = field(default=Measured(0.03, 0.01))
    scatter_sample: Measured = field(default=Measured(1.0, 0.2))
    source_fluctuation: float = 0.01
    beam_slope: float = 0.05
    scintillator_blur: float = 10e-6
    black_body_transmission: float = 0.0
    gamma_rate: float = 1e-3
    gamma_energy: float = 0.5
    open_beam_counts: float = 30_000.0
    dark_counts: float = 100.0
    dark_spread: float = 3.0
    read_noise: float = 2.0
    response: float = 0.02
    nonlinearity: float = 0.001
    ringing_nonlinearity: float = 0.02
    ringing_pixels: float = 0.005
    dead_pixels: float = 1e-4
    hot_pixels: float = 1e-4
    hot_counts: float = 60_000.0
    axis_offset: float = 60e-6
    axis_tilt: float = 1.5e-3
    drift: float = 1e-6
    xray_turn: tuple[float, float] = (np.radians(10.0), np.radians(60.0))
    xray_shift: float = 0.25e-3
    xray_tilt: float = np.radians(0.3)
    xray_voxel_error: float = 0.02
    xray_source_fluctuation: float = 0.003


@dataclass(frozen=True)
class Nuisances:
    """One draw from `InstrumentPriors`: what a session's instrument was like. Kept with the truth.

    Attributes
    ----------
    drift:
        Position of the sample at each scan, ``(x, y, z)`` against its place in the world frame [m].
    """

    spectrum_peak: float
    scatter_open: float
    scatter_sample: float
    beam_slope: tuple[float, float]
    axis_offset: float
    axis_tilt: float
    drift: tuple[tuple[float, float, float], ...]
    xray_axis_offset: float
    xray_turn: float
    xray_shift: tuple[float, float, float]
    xray_tilt: tuple[float, float]
    xray_voxel_error: float


def drawn_nuisances(*, priors: InstrumentPriors, rng: np.random.Generator, scans: int) -> Nuisances:
    """Draw a session's instrument."""

    def normal(sigma: float) -> float:
        return float(sigma * rng.standard_normal())

    def positive(prior: Measured) -> float:
        return max(prior.value + normal(prior.sigma), 0.0)

    def sign() -> float:
        return float(rng.choice((-1.0, 1.0)))

    shift = rng.uniform(-priors.xray_shift, priors.xray_shift, 3)
    drawn = Nuisances(
        spectrum_peak=positive(priors.spectrum_peak),
        scatter_open=positive(priors.scatter_open),
        scatter_sample=positive(priors.scatter_sample),
        beam_slope=(normal(priors.beam_slope), normal(priors.beam_slope)),
        axis_offset=normal(priors.axis_offset),
        axis_tilt=normal(priors.axis_tilt),
        drift=(),
        xray_axis_offset=normal(priors.axis_offset),
        xray_turn=sign() * float(rng.uniform(*priors.xray_turn)),
        xray_shift=(float(shift[0]), float(shift[1]), float(shift[2])),
        xray_tilt=(normal(priors.xray_tilt), normal(priors.xray_tilt)),
        xray_voxel_error=sign() * priors.xray_voxel_error,
    )
    # Last, so that a shorter session is the beginning of a longer one.
    steps = priors.drift * rng.standard_normal((scans, 3))
    steps[0] = 0.0
    places = np.cumsum(steps, axis=0)
    return replace(drawn, drift=tuple((float(x), float(y), float(z)) for x, y, z in places))
