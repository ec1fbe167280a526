"""Registration against cells drawn analytically in a turned frame, and the verdict against pairs that do not match."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
import xarray as xr
from scipy import ndimage

from operando.errors import InputError
from operando.frames import Grid, centred_grid, grid_of, transformed
from operando.tomography.register import (
    Registration,
    registration_from_volumes,
    resampled,
)
from operando.tomography.register_starts import RegistrationSettings
from operando.tomography.verdict import RefinementEvidence, SearchEvidence, Status, status_from_evidence

VOXEL = 75e-6
FIXED = centred_grid(shape=(38, 60, 60), spacing=VOXEL, z_start=-19 * VOXEL)
GREY = {
    "neutron": {"casing": 30.0, "pin": 120.0, "cathode": 230.0, "separator": 90.0, "lithium": 500.0, "indium": 1100.0},
    "xray": {"casing": 75.0, "pin": 950.0, "cathode": 250.0, "separator": 69.0, "lithium": 8.0, "indium": 1500.0},
}


def mini_cell(beam: str, grid: Grid, to_cell: np.ndarray, *, noise: float, seed: int = 0, wrinkled: bool = True):
    """Draw a cell with a wrinkled, partly alloyed anode; `to_cell` takes points of the grid into the cell's frame."""
    fine = 2
    spacing = tuple(s / fine for s in grid.spacing)
    origin = tuple(o - s * (fine - 1) / (2 * fine) for o, s in zip(grid.origin, grid.spacing, strict=True))
    shape = tuple(n * fine for n in grid.shape)
    z, y, x = np.meshgrid(
        *(o + s * np.arange(n) for o, s, n in zip(origin, spacing, shape, strict=True)), indexing="ij"
    )
    x, y, z = transformed(np.stack([x, y, z], axis=-1), to_cell).transpose(3, 0, 1, 2)
    grey = GREY[beam]

    def below(distance: np.ndarray) -> np.ndarray:
        return np.clip(0.5 - distance / spacing[0], 0, 1)

    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    wave = (60e-6 * np.sin(3 * angle + 0.4) + 50e-6 * np.cos(angle - 1.0)) * radius / 1.5e-3 if wrinkled else 0.0
    foil = 100e-6 + (60e-6 * np.sin(2 * angle) * radius / 1.5e-3 if wrinkled else 0.0)
    edges = [-700e-6, -450e-6, 350e-6 + wave, 350e-6 + wave + 3 * foil, 900e-6 + 0 * wave]
    stack = ["pin", "cathode", "separator", "indium", "lithium", "pin"]
    fill = np.full(x.shape, grey[stack[0]])
    for edge, name in zip(edges, stack[1:], strict=True):
        fill += (grey[name] - fill) * (1 - below(z - edge))
    if wrinkled:
        for cx, cy, size in ((700e-6, 300e-6, 300e-6), (-500e-6, 800e-6, 220e-6), (-300e-6, -900e-6, 350e-6)):
            patch = below(np.hypot(x - cx, y - cy) - size) * (1 - below(z - edges[2])) * below(z - edges[3])
            fill += (grey["lithium"] - fill) * patch
    image = grey["casing"] * (below(radius - 2.0e-3) - below(radius - 1.5e-3)) + fill * below(radius - 1.5e-3)
    image = image * below(np.abs(z) - 1.2e-3)
    n = grid.shape
    image = image.reshape(n[0], fine, n[1], fine, n[2], fine).mean(axis=(1, 3, 5))
    image = image + np.random.default_rng(seed).normal(0, noise, n)
    return grid.array(image.astype(np.float32), name=beam, units="1/m")


def rigid(angle_deg: float, shift_um: tuple[float, float, float], *, scale: float = 1.0, tilt_deg: float = 0.0):
    """Affine from the fixed to the moving frame."""
    a, t = np.deg2rad([angle_deg, tilt_deg])
    turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    tilt = np.array([[1, 0, 0], [0, np.cos(t), -np.sin(t)], [0, np.sin(t), np.cos(t)]])
    affine = np.eye(4)
    affine[:3, :3] = scale * tilt @ turn
    affine[:3, 3] = np.array(shift_um) * 1e-6
    return affine


def mean_error(found: Registration, fixed_to_moving: np.ndarray) -> float:
    """Mean distance between found and true position of the cell's points, in fixed voxels."""
    rng = np.random.default_rng(5)
    r, phi = 1.5e-3 * np.sqrt(rng.uniform(0, 1, 500)), rng.uniform(0, 2 * np.pi, 500)
    points = np.stack([r * np.cos(phi), r * np.sin(phi), rng.uniform(-1e-3, 1e-3, 500)], axis=1)
    back = transformed(transformed(points, fixed_to_moving), found.affine)
    return float(np.linalg.norm(back - points, axis=1).mean() / VOXEL)


QUICK = RegistrationSettings(starts=3)


@pytest.fixture(scope="module")
def neutron() -> xr.DataArray:
    return mini_cell("neutron", FIXED, np.eye(4), noise=30.0)


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    return rigid(137.0, (60.0, -85.0, 110.0), scale=1.02, tilt_deg=0.8)


@pytest.fixture(scope="module")
def xray(truth) -> xr.DataArray:
    grid = centred_grid(shape=(46, 72, 72), spacing=66e-6, z_start=-23 * 66e-6)
    return mini_cell("xray", grid, np.linalg.inv(truth), noise=30.0, seed=1)


@pytest.fixture(scope="module")
def found(neutron, xray) -> Registration:
    return registration_from_volumes(neutron, xray, settings=QUICK)


def test_recovers_turn_tilt_shift_and_scale(found, truth):
    assert found.status is Status.REGISTERED, found
    # a foil of four voxels is coarse; the slow test has six and leaves a twentieth of a voxel
    assert mean_error(found, truth) < 0.1
    assert found.scale == pytest.approx(1 / 1.02, abs=2e-3)
    assert mean_error(found, truth) * VOXEL < 3 * found.uncertainty


@pytest.mark.slow
@pytest.mark.parametrize(("scale", "tilt"), [(1.02, 0.8), (0.98, -2.0)])
def test_error_is_a_twentieth_of_a_voxel(scale, tilt):
    fixed_grid = centred_grid(shape=(56, 88, 88), spacing=50e-6, z_start=-28 * 50e-6)
    moving_grid = centred_grid(shape=(64, 100, 100), spacing=44e-6, z_start=-32 * 44e-6)
    truth = rigid(137.0, (60.0, -85.0, 110.0), scale=scale, tilt_deg=tilt)
    fixed = mini_cell("neutron", fixed_grid, np.eye(4), noise=30.0)
    moving = mini_cell("xray", moving_grid, np.linalg.inv(truth), noise=30.0, seed=1)
    found = registration_from_volumes(fixed, moving)
    assert found.status is Status.REGISTERED
    assert mean_error(found, truth) * VOXEL / 50e-6 < 0.05
    assert found.scale == pytest.approx(1 / scale, abs=1e-3)


def test_resampled_volume_lies_on_the_fixed_one(found, xray):
    onto = resampled(xray, found, FIXED)
    straight = mini_cell("xray", FIXED, np.eye(4), noise=0.0)
    core = np.hypot(*np.meshgrid(FIXED.coordinate("y"), FIXED.coordinate("x"), indexing="ij")) < 1.4e-3
    assert np.corrcoef(onto.values[5:-5, core].ravel(), straight.values[5:-5, core].ravel())[0, 1] > 0.99
    assert grid_of(onto) == FIXED


def test_resampling_elsewhere_is_refused(found, xray):
    far = centred_grid(shape=(8, 8, 8), spacing=VOXEL, z_start=1.0)
    with pytest.raises(InputError, match="covers in part"):
        resampled(xray, found, far)


@pytest.mark.parametrize("axis", [0, 2])
def test_mirrored_volume_is_reported(neutron, xray, axis):
    mirrored = xray.copy(data=np.flip(xray.values, axis=axis).copy())
    failed = registration_from_volumes(neutron, mirrored, settings=QUICK)
    assert failed.status is Status.MIRRORED
    assert not failed.status.succeeded
    with pytest.raises(InputError, match="mirror image"):
        resampled(mirrored, failed, FIXED)


def test_upside_down_volume_is_found(neutron, xray, truth):
    """Half a turn about x is a rotation, not a mirror image."""
    turned = xray.copy(data=xray.values[::-1, ::-1].copy())
    search = registration_from_volumes(neutron, turned, settings=QUICK).search
    assert search.over_runner_up > 4
    assert search.over_mirrored > 4


def test_body_of_revolution_has_no_angle(xray):
    """Without wrinkles every angle fits, and no refinement makes that an answer."""
    volumes = [
        mini_cell(beam, FIXED, np.eye(4), noise=30.0, seed=seed, wrinkled=False)
        for seed, beam in enumerate(("neutron", "xray"))
    ]
    assert registration_from_volumes(*volumes, settings=QUICK).status is Status.AMBIGUOUS


@pytest.mark.parametrize(
    ("seed", "status"),
    [(7, Status.AMBIGUOUS), pytest.param(9, Status.WANDERED, marks=pytest.mark.slow)],
    ids=["mirror image alike by chance", "alike by chance"],
)
def test_strangers_are_not_registered(neutron, seed, status):
    """Blobs that fit at one angle: the search believes them, the refinement does not."""
    rng = np.random.default_rng(seed)
    blobs = ndimage.gaussian_filter(rng.normal(size=FIXED.shape), 3.0)
    other = FIXED.array(blobs, name="blobs", units="1/m")
    assert registration_from_volumes(neutron, other, settings=QUICK).status is status


def test_same_bits_on_every_run(neutron, xray, found):
    again = registration_from_volumes(neutron, xray, settings=QUICK)
    assert np.array_equal(again.affine, found.affine)


@pytest.mark.slow
def test_any_orientation_is_found_when_asked(neutron):
    """The moving frame's x, y, z are the fixed frame's y, z, x: its axis lies across."""
    swap = np.eye(4)
    swap[:3, :3] = np.eye(3)[[1, 2, 0]]
    truth = swap @ rigid(20.0, (0.0, 0.0, 0.0))
    grid = centred_grid(shape=(60, 60, 60), spacing=80e-6, z_start=-30 * 80e-6)
    moving = mini_cell("xray", grid, np.linalg.inv(truth), noise=30.0, seed=1)
    search = RegistrationSettings(starts=3, rotations="all")
    found = registration_from_volumes(neutron, moving, settings=search)
    assert found.status is Status.REGISTERED
    assert mean_error(found, truth) < 0.3


def test_refusals(neutron):
    with pytest.raises(InputError, match="finite"):
        registration_from_volumes(neutron.where(neutron < 900), neutron)
    with pytest.raises(InputError, match="image of something"):
        registration_from_volumes(neutron, neutron * 0)
    with pytest.raises(InputError, match="coordinates z, y, x"):
        registration_from_volumes(neutron.drop_vars("z"), neutron)
    with pytest.raises(InputError, match="dims"):
        registration_from_volumes(neutron.transpose("x", "y", "z"), neutron)
    with pytest.raises(InputError, match="8 voxels"):
        registration_from_volumes(neutron[:4], neutron)
    with pytest.raises(InputError, match="mask"):
        registration_from_volumes(neutron, neutron, mask=neutron[1:] > 0)
    with pytest.raises(InputError, match="at least 3"):
        RegistrationSettings(starts=1)


GOOD_SEARCH = SearchEvidence(score=0.3, runner_up=0.1, mirrored=0.1, over_runner_up=10.0, over_mirrored=9.0)
GOOD_REFINEMENT = RefinementEvidence(refined=0.31, starts=5, agreeing=5, disagreement=0.05, overlap=0.9)


@pytest.mark.parametrize(
    ("search", "refinement", "status"),
    [
        ({}, {}, Status.REGISTERED),
        ({"over_mirrored": -9.0}, {}, Status.MIRRORED),
        ({"over_mirrored": -9.0, "over_runner_up": 0.0}, {}, Status.MIRRORED),
        ({"over_mirrored": 1.0}, {}, Status.UNHANDED),
        ({"over_runner_up": 1.0}, {}, Status.AMBIGUOUS),
        ({}, {"refined": 0.15}, Status.WANDERED),
        ({}, {"agreeing": 2}, Status.UNSTABLE),
        ({}, {"overlap": 0.2}, Status.LITTLE_OVERLAP),
        ({"over_mirrored": 1.0}, {"overlap": 0.2}, Status.LITTLE_OVERLAP),
    ],
)
def test_every_objection_has_its_status(search, refinement, status):
    judged = status_from_evidence(
        search=replace(GOOD_SEARCH, **search), refinement=replace(GOOD_REFINEMENT, **refinement)
    )
    assert judged is status
    assert judged.succeeded == (not judged.value.startswith("Registration failed"))


@pytest.fixture(scope="module")
def concrete(measured_data: Path) -> tuple[xr.DataArray, xr.DataArray]:
    folder = measured_data / "xray-neutron-pair"
    grid = centred_grid(shape=(100, 100, 100), spacing=1e-4)
    return tuple(
        grid.array(tifffile.imread(folder / f"concrete_{beam}-bin16.tif").astype(np.float32), name=beam, units="")
        for beam in ("neutron", "x-ray")
    )


@pytest.mark.real_data
@pytest.mark.slow
def test_concrete_core_is_turned(concrete):
    """The truth here is a match of 200 small blocks by correlation, without mutual information: 19.7 +- 0.05 deg.

    Tools that align the whole volumes report 18.5 to 19.0 deg: they follow the outline, which mortar and holder draw
    differently in the two beams. With this tool's last step widened from 1.5 to 6 voxels the angle falls likewise.
    """
    registration = registration_from_volumes(*concrete)
    assert registration.status is Status.REGISTERED
    assert np.rad2deg(-registration.angle_about_z) == pytest.approx(19.65, abs=0.15)
    assert registration.scale == pytest.approx(1.0, abs=0.005)


@pytest.mark.real_data
@pytest.mark.slow
def test_mirrored_concrete_core_is_reported(concrete):
    neutron, xray = concrete
    mirrored = xray.copy(data=xray.values[:, :, ::-1].copy())
    assert registration_from_volumes(neutron, mirrored).status is Status.MIRRORED
