from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from operando.frames import centred_grid
from operando.materials.cross_sections import PAPER_ENERGY
from operando.materials.spectrum import maxwellian_from_peak
from operando.tomography.axis import RotationAxis
from operando.tomography.geometry import rotation_axis_from_projections
from operando.tomography.parallel import volume_from_line_integrals
from operando.tomography.tilt import untilted_from_line_integrals
from operando.twin.detector import generator
from operando.twin.neutron import NeutronSample, black_body_dots, neutron_camera
from operando.twin.presets import SIZES
from operando.twin.priors import InstrumentPriors, drawn_nuisances

SIZE = replace(SIZES["small"], neutron_pixel=56e-6, neutron_rows=40, neutron_columns=90, neutrons=1e4)
PRIORS = InstrumentPriors(dead_pixels=0.0, hot_pixels=0.0)
NUISANCES = replace(drawn_nuisances(priors=PRIORS, rng=generator(0, 0), scans=2), axis_offset=31e-6, axis_tilt=2e-3)
HEIGHT = 0.5e-3


def camera(nuisances=NUISANCES, priors=PRIORS):
    return neutron_camera(size=SIZE, nuisances=nuisances, priors=priors, height=HEIGHT, rng=generator(0, 1))


def sample(absorption=100.0, scattering=50.0, *, casing=(0.0, 0.0), pins=(0.0, 0.0), shift=(0.0, 0.0, 0.0), edge=0.0):
    """A homogeneous disc of 1 mm height in the bore; `edge` leaves the outer part of the bore empty [m]."""
    grid = centred_grid(shape=(23, 75, 75), spacing=1e-3 / 23)
    y, x = grid.coordinate("y")[:, None], grid.coordinate("x")
    share = np.clip((1.5e-3 - edge - np.hypot(y, x)) / grid.spacing[1] + 0.5, 0, 1)
    columns = np.zeros((75, 75, 2, 23), dtype=np.float32)
    columns[:, :, 0], columns[:, :, 1] = absorption * share[..., None], scattering * share[..., None]
    return NeutronSample(columns, grid, casing, pins, bore=1.5e-3, outside=2e-3, shift=shift)


def transmission(view, of, angle=0.3):
    return view.brightness(of, angle)[0] / view.beam_profile


def test_air_lets_everything_through():
    through = transmission(camera(), sample(0.0, 0.0))
    np.testing.assert_allclose(through, 1.0, rtol=1e-6)


@pytest.mark.parametrize(("absorption", "scattering"), [(0.0, 300.0), (300.0, 0.0), (3.0, 2.0), (1000.0, 100.0)])
def test_the_middle_of_the_cell_obeys_the_law_of_its_spectrum(absorption, scattering):
    view = camera(replace(NUISANCES, axis_offset=0.0, axis_tilt=0.0))
    through = transmission(view, sample(absorption, scattering, casing=(5.0, 8.0)))
    spectrum = maxwellian_from_peak(peak=NUISANCES.spectrum_peak)
    slower = np.sqrt(PAPER_ENERGY / spectrum.energy)  # absorption goes as 1/v, scattering does not
    depth = (3e-3 * absorption + 1e-3 * 5) * slower + 3e-3 * scattering + 1e-3 * 8
    expected = np.exp(-depth) @ spectrum.weight
    row, column = SIZE.neutron_rows // 2, SIZE.neutron_columns // 2
    # The middle pixels' chords are shorter than the diameter by at most 1e-4 of it.
    assert through[row, column - 1 : column + 1] == pytest.approx(expected, rel=2e-3)


def test_hardening_has_the_size_that_a_maxwellian_gives():
    view = camera(replace(NUISANCES, spectrum_peak=PAPER_ENERGY, axis_offset=0.0, axis_tilt=0.0))

    def hardening(absorption, scattering):
        thick, thin = (
            -np.log(transmission(view, sample(scale * absorption, scale * scattering))[20, 45]) / scale
            for scale in (1.0, 1e-3)
        )
        return 1 - thick / thin

    # Indium, cathode composite with a fifth of pores, separator [1/m, 11 meV]: about 20 %, 5 % and 1 % over 3 mm
    assert 0.17 < hardening(1150.0, 13.0) < 0.22
    assert 0.03 < hardening(0.8 * 185, 0.8 * 50) < 0.06
    assert 0.005 < hardening(0.8 * 66, 0.8 * 22) < 0.02
    assert hardening(0.0, 300.0) == pytest.approx(0, abs=1e-3)


def test_pins_continue_the_grid_and_casing_surrounds_it():
    view = camera(replace(NUISANCES, axis_tilt=0.0))
    of = sample(40.0, 60.0, casing=(4.0, 6.0), pins=(40.0, 60.0))
    through = transmission(view, of)
    assert np.ptp(through[:, 30:60], axis=0).max() < 1e-2  # the same substance in and beyond the grid
    assert np.ptp(transmission(view, replace(of, pins=(400.0, 0.0)))[:, 45]) > 0.2


def test_drift_moves_the_shadow_by_as_much():
    view = camera(replace(NUISANCES, axis_tilt=0.0))
    angle = 0.7

    def place(of):
        of = replace(of, columns=of.columns * np.hanning(23).astype(np.float32))  # the cell fades out within its grid
        lost = 1 - transmission(view, of, angle)
        rows, columns = np.indices(lost.shape)
        return np.array([(lost * rows).sum(), (lost * columns).sum()]) / lost.sum()

    moved = place(sample(shift=(30e-6, -20e-6, 15e-6))) - place(sample())
    along = (30e-6 * np.cos(angle) - 20e-6 * np.sin(angle)) / SIZE.neutron_pixel
    assert moved == pytest.approx([15e-6 / SIZE.neutron_pixel, along], abs=0.01)


def test_an_independent_reconstruction_finds_attenuation_axis_and_tilt():
    flat = np.exp(-np.arange(0, 30.004, 0.004))  # one energy: no hardening
    view = replace(camera(), passing=flat)
    of = sample(300.0, 200.0, casing=(20.0, 10.0), pins=(50.0, 50.0), edge=0.1e-3)
    angle = 2 * np.pi * np.arange(120) / 120
    with ThreadPoolExecutor(2) as pool:
        depth = -np.log(np.stack(list(pool.map(lambda a: transmission(view, of, a), angle))))
    pixel = SIZE.neutron_pixel
    corrected = xr.Dataset(
        {
            "line_integral": (("projection", "row", "column"), depth, {"units": "1"}),
            "line_integral_var": (("projection", "row", "column"), np.full_like(depth, 1e-8), {"units": "1"}),
            "line_integral_shared_var": (("row", "column"), np.full_like(depth[0], 1e-10), {"units": "1"}),
        },
        coords={
            "angle": ("projection", angle, {"units": "rad"}),
            "row": ("row", pixel * np.arange(depth.shape[1]), {"units": "m"}),
            "column": ("column", pixel * np.arange(depth.shape[2]), {"units": "m"}),
        },
    )
    true = RotationAxis(centre=view.centre, tilt=view.tilt, row=(depth.shape[1] - 1) / 2)
    found = rotation_axis_from_projections(corrected)
    assert found.centre == pytest.approx(true.centre, abs=0.03)
    assert found.tilt == pytest.approx(true.tilt, abs=6e-4)
    volume = volume_from_line_integrals(untilted_from_line_integrals(corrected, true), true).attenuation
    y, x = np.meshgrid(volume.y, volume.x, indexing="ij")
    middle = volume.values[SIZE.neutron_rows // 2]
    assert middle[np.hypot(y, x) < 1.2e-3].mean() == pytest.approx(500.0, rel=2e-3)
    beyond = volume.values[2]
    assert beyond[np.hypot(y, x) < 1.3e-3].mean() == pytest.approx(100.0, rel=4e-3)
    wall = (np.hypot(y, x) > 1.65e-3) & (np.hypot(y, x) < 1.85e-3)
    assert middle[wall].mean() == pytest.approx(30.0, abs=2.0)


def test_dots_show_the_scatter_that_adds_to_the_direct_beam():
    view = camera()
    of = sample(casing=(5.0, 8.0), pins=(40.0, 80.0))
    steady = replace(view, source_fluctuation=0.0, detector=replace(view.detector, gamma_rate=0.0))
    frames = np.stack([steady.frame(generator(1, i), sample=of, angle=0.3, black_body=True) for i in range(40)])
    quanta = (frames.mean(axis=0) - view.detector.offset) / view.detector.gain / SIZE.neutrons
    covered = view.dots == 0
    assert 0.05 < covered.mean() < 0.4
    expected = np.broadcast_to(steady.brightness(of, 0.3)[1] + steady.stray, covered.shape)
    assert quanta[covered].mean() == pytest.approx(expected[covered].mean(), rel=0.02)
    assert 0.03 < expected.mean() < 0.15
    dark = np.stack([steady.frame(generator(2, i), sample=None, black_body=True) for i in range(40)]).mean(axis=0)
    stray = ((dark - view.detector.offset) / view.detector.gain / SIZE.neutrons)[covered].mean()
    assert stray == pytest.approx(steady.stray[covered].mean(), rel=0.02)


def test_the_source_fluctuates_as_stated():
    view = camera()
    frames = [view.frame(generator(3, i), sample=None).astype(float).mean() for i in range(200)]
    assert np.std(frames) / np.mean(frames) == pytest.approx(PRIORS.source_fluctuation, rel=0.2)


def test_dots_have_their_size():
    dots = black_body_dots(shape=(200, 300), pixel=10e-6, transmission=0.1)
    assert dots.min() == pytest.approx(0.1)
    assert ((1 - dots) / 0.9).sum() * 1e-10 == pytest.approx(6 * np.pi * (0.225e-3) ** 2, rel=0.01)
