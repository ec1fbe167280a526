from dataclasses import replace

import numpy as np
import pytest

from operando.cell.microstructure.structure import STRUCTURE_LABEL, Microstructure, section_grid
from operando.frames import grid_of
from operando.lithium.susceptibility import lithium_cobalt_oxide_curve
from operando.magnetism.fit_lines import fit_lines
from operando.magnetism.kernels import magnetic_kernel
from operando.magnetism.particles import Exposure
from operando.twin.microscope import NVMicroscope
from operando.twin.section_scan import simulate_section_scan
from operando.units import Measured

FIELD = 0.05
EXACT = Exposure(applied_field=(Measured(0.0), Measured(0.0), Measured(FIELD)), standoff=Measured(0.3e-6))
TIP = NVMicroscope(cut="111", axes=(0,), bias=(0.0, 0.0, FIELD), photon_rate=1e9)
LINES = 2.87e9 + 28.032e9 * FIELD * np.array([-1, 1])
FREQUENCY = np.concatenate([line + np.linspace(-4e6, 4e6, 21) for line in LINES])


def _structure():
    grid = section_grid(shape=(8, 24, 30), spacing=(1e-7,) * 3)
    particle = np.zeros(grid.shape, dtype=np.int32)
    particle[3:, 5:15, 8:18] = 1
    phase = np.where(particle > 0, STRUCTURE_LABEL["active"], STRUCTURE_LABEL["electrolyte"]).astype(np.uint8)
    phase[:, :, :4] = STRUCTURE_LABEL["lithium"]
    grain = (phase == STRUCTURE_LABEL["electrolyte"]).astype(np.int32)
    return Microstructure(grid=grid, phase=phase, particle=particle, grain=grain)


def _scan(exposure=EXACT, curve=None, seed=0, lithium=0.8):
    return simulate_section_scan(
        _structure(),
        lithium=np.array([lithium]),
        exposure=exposure,
        curve=curve or lithium_cobalt_oxide_curve(scale=0.0, peak=0.0),
        surroundings=Measured(-1.76e-5),
        microscope=TIP,
        frequency=FREQUENCY,
        dwell=0.1,
        stride=2,
        label_voxel=1.5e-7,
        others={"lithium": 1.37e-5},
        seed=seed,
    )


def test_without_errors_the_truth_is_what_was_stated():
    scan = _scan()
    assert float(scan.truth.standoff) == 0.3e-6
    np.testing.assert_array_equal(scan.truth.applied_field, [0, 0, FIELD])
    assert float(scan.truth.susceptibility[0]) == pytest.approx(float(lithium_cobalt_oxide_curve().at(np.array(0.8))))
    assert set(np.unique(scan.labels)) == {0, 1, 2}
    assert grid_of(scan.labels).spacing[0] == pytest.approx(1.5e-7)
    assert dict(scan.photons.sizes) == {"frequency": 42, "y": 12, "x": 15}


def test_particles_shift_the_lines_above_them():
    upper = fit_lines(_scan(lithium=0.6).photons, lines=2).centre.isel(line=1)
    above, beside = float(upper.isel(y=5, x=6)), float(upper.isel(y=10, x=13))
    # on the axis of a paramagnetic cuboid, at 28 kHz/uT; its own far field beside it has the other sign
    edges, middle = np.array([1e-6, 1e-6, 0.5e-6]), 0.55e-6
    kernel = magnetic_kernel(x=np.zeros(1), y=np.zeros(1), z=middle, edges=tuple(edges))[2, 0, 0]
    contrast = float(lithium_cobalt_oxide_curve().at(np.array(0.6))) + 1.76e-5
    expected = 28.032e9 * contrast * kernel * FIELD
    assert above - beside == pytest.approx(expected, rel=0.25)


def test_what_the_analyst_is_told_with_an_error_is_drawn():
    uncertain = replace(
        EXACT,
        standoff=Measured(0.3e-6, 0.03e-6),
        applied_field=(Measured(0.0, 1e-4), Measured(0.0, 1e-4), Measured(FIELD, 1e-4)),
        threshold=20e-9,
        outline=30e-9,
        outline_length=0.5e-6,
    )
    scans = [_scan(uncertain, lithium_cobalt_oxide_curve(), seed=s) for s in range(12)]
    drawn = np.array([float(s.truth.standoff) for s in scans])
    assert drawn.std(ddof=1) == pytest.approx(0.03e-6, rel=0.6)
    assert np.std([float(s.truth.susceptibility[0]) for s in scans]) > 0
    assert np.std([float(s.truth.threshold) for s in scans]) > 0
    again = _scan(uncertain, lithium_cobalt_oxide_curve(), seed=0)
    np.testing.assert_array_equal(again.photons, scans[0].photons)
