from dataclasses import replace

import numpy as np
import pytest

from operando.frames import Grid, transformed
from operando.twin.detector import generator
from operando.twin.neutron import neutron_camera
from operando.twin.presets import SIZES
from operando.twin.priors import InstrumentPriors, drawn_nuisances
from operando.twin.projector import packed_levels
from operando.twin.truth import instrument_truth
from operando.twin.xray import XraySample, detected_spectrum, upright, xray_camera, xray_pose

SIZE = SIZES["small"]
PRIORS = InstrumentPriors()
CENTRE = (0.0, 0.0, 0.55e-3)


def drawn(seed):
    return drawn_nuisances(priors=PRIORS, rng=generator(seed, 0), scans=2)


def world_grid():
    n, spacing = 139, 22.4e-6
    origin = (-25e-6, -(n // 2 + 0.3) * spacing, -(n // 2 - 0.2) * spacing)
    return Grid(shape=(52, n, n), spacing=(spacing,) * 3, origin=origin)


def sample(volumes, attenuations, nuisances, drift=(0.0, 0.0, 0.0)):
    pose = xray_pose(nuisances=nuisances, centre=CENTRE, drift=drift)
    columns, grid = upright(volumes=volumes, grid=world_grid(), pose=pose)
    return XraySample(*packed_levels(columns), np.array(attenuations), grid, pose, bore=1.5e-3, outside=2e-3)


def no_body(value, energies):
    """Pins and casing of nothing, then one substance of `value` [1/m]; the casing comes last."""
    return [[0.0] * energies, [value] * energies, [0.0] * energies]


def test_the_truth_takes_rows_of_one_camera_to_rows_of_the_other():
    nuisances = replace(drawn(3), xray_tilt=(0.0, 0.0), xray_turn=0.0, xray_shift=(0.1e-3, -0.2e-3, 0.05e-3))
    view = xray_camera(size=SIZE, nuisances=nuisances, priors=PRIORS, rng=generator(0, 1))
    neutron = neutron_camera(size=SIZE, nuisances=nuisances, priors=PRIORS, height=CENTRE[2], rng=generator(0, 2))
    pose = xray_pose(nuisances=nuisances, centre=CENTRE, drift=(0.0, 0.0, 0.0))
    truth = instrument_truth(nuisances=nuisances, neutron=neutron, xray=view, pose=pose)
    # The middle of the stack lies in the neutron's middle row; for X-rays it is shifted, and all is too large by scale.
    rows = (SIZE.xray_rows - 1) / 2
    there = np.array([0.1e-3, -0.2e-3, 0.05e-3]) * view.scale + [0, 0, rows * SIZE.xray_voxel]
    here = [0, 0, (SIZE.neutron_rows - 1) / 2 * SIZE.neutron_pixel]
    assert transformed(there, np.array(truth["xray_to_neutron"])) == pytest.approx(here, abs=1e-9)
    assert truth["neutron"]["world_z_of_first_row"] == pytest.approx(CENTRE[2] - here[2])


@pytest.mark.parametrize("seed", range(4))
def test_the_true_affine_says_where_a_ball_is_seen(seed):
    nuisances = drawn(seed)
    view = xray_camera(size=SIZE, nuisances=nuisances, priors=PRIORS, rng=generator(seed, 1))
    place = np.array([0.7e-3, -0.5e-3, 0.35e-3])  # (x, y, z) of the world
    grid = world_grid()
    z, y, x = np.meshgrid(*(grid.coordinate(a) for a in "zyx"), indexing="ij")
    ball = np.clip((0.15e-3 - np.sqrt((x - place[0]) ** 2 + (y - place[1]) ** 2 + (z - place[2]) ** 2)) / 22.4e-6, 0, 1)
    volumes = np.stack([np.zeros_like(ball), ball]).astype(np.float32)
    of = sample(volumes, no_body(500.0, view.spectrum.energy.size), nuisances)
    # The frame of a volume reconstructed with the geometry that the file states
    seen = transformed(place, np.linalg.inv(of.pose.affine_to_neutron(view.scale)))
    stated = view.written
    for angle in (0.0, 1.1, 2.9, 4.4):
        lost = 1 - view.brightness(of, angle)
        rows, columns = np.indices(lost.shape)
        found = np.array([(lost * rows).sum(), (lost * columns).sum()]) / lost.sum()
        along = seen[0] * np.cos(angle) + seen[1] * np.sin(angle)
        depth = stated.source_to_object - seen[0] * np.sin(angle) + seen[1] * np.cos(angle)
        magnified = stated.source_to_detector / depth / stated.pixel
        expected = [(SIZE.xray_rows - 1) / 2 + seen[2] * magnified, view.centre + along * magnified]
        # The ball is sampled twice on coarse voxels; a scale error off the axis is no pure scale: under 0.1 pixel.
        assert found == pytest.approx(expected, abs=0.12)


def test_the_scale_error_is_as_stated_and_the_file_does_not_know_it():
    nuisances = replace(drawn(0), xray_voxel_error=0.02)
    view = xray_camera(size=SIZE, nuisances=nuisances, priors=PRIORS, rng=generator(0, 1))
    assert view.written.voxel == pytest.approx(SIZE.xray_voxel)
    assert view.beam.voxel == pytest.approx(1.02 * SIZE.xray_voxel)
    assert view.scale == pytest.approx(1 / 1.02)


def test_bore_and_casing_obey_the_law_of_their_spectrum():
    nuisances = replace(drawn(1), xray_shift=(0.0, 0.0, 0.0), xray_tilt=(0.0, 0.0), xray_axis_offset=0.0)
    view = xray_camera(size=SIZE, nuisances=nuisances, priors=PRIORS, rng=generator(1, 1))
    energies = view.spectrum.energy.size
    falling = 300.0 * (view.spectrum.energy[0] / view.spectrum.energy) ** 3 + 20
    inside = np.ones((1, *world_grid().shape), dtype=np.float32)
    grid = world_grid()
    inside[0] *= np.hypot(grid.coordinate("y")[:, None], grid.coordinate("x")) < 1.5e-3
    through = view.brightness(sample(inside, [falling, [75.0] * energies], nuisances), 0.4)
    expected = np.exp(-(3e-3 * falling + 1e-3 * 75)) @ view.spectrum.weight
    middle = through[:, SIZE.xray_columns // 2 - 1 : SIZE.xray_columns // 2 + 1]
    # Pins beyond the grid by their exact chords, and voxels within it, are one and the same substance here.
    assert middle == pytest.approx(np.full_like(middle, expected), rel=0.01)


def test_the_beam_hardens():
    spectrum = detected_spectrum()
    assert spectrum.weight.sum() == pytest.approx(1)
    assert 35e3 < spectrum.energy @ spectrum.weight < 70e3
    falling = 1000.0 * (40e3 / spectrum.energy) ** 3
    thin, thick = (-np.log(np.exp(-falling * t) @ spectrum.weight) / t for t in (1e-6, 3e-3))
    assert thick < 0.8 * thin


def test_turning_upright_keeps_the_amount_and_the_height():
    nuisances = drawn(2)
    grid = world_grid()
    z, y, x = np.meshgrid(*(grid.coordinate(a) for a in "zyx"), indexing="ij")
    blob = np.exp(-((x - 2e-4) ** 2 + y**2) / (2 * 3e-4**2) - (z - 0.4e-3) ** 2 / (2 * 0.1e-3**2)).astype(np.float32)
    pose = xray_pose(nuisances=nuisances, centre=CENTRE, drift=(0.0, 0.0, 0.0))
    columns, there = upright(volumes=blob[None], grid=grid, pose=pose)
    assert columns.sum() * there.voxel_volume == pytest.approx(blob.sum() * grid.voxel_volume, rel=1e-3)
    held = columns[:, :, 0].transpose(2, 0, 1)
    middle = [
        (held * there.coordinate(axis).reshape([-1 if a == axis else 1 for a in "zyx"])).sum() / held.sum()
        for axis in "xyz"
    ]
    assert pose.to_world(np.array(middle)) == pytest.approx([2e-4, 0, 0.4e-3], abs=2e-6)
