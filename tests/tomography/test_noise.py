import numpy as np
import pytest
import xarray as xr

from operando.errors import InputError
from operando.tomography.noise import dark_variance_from_frames, gain_from_frames

OFFSET, READ = 300.0, 8.0


def frames(values):
    return xr.DataArray(values, dims=("frame", "row", "column"), attrs={"units": "count"})


def camera(rng, quanta, count, gain, shape=(80, 90)):
    detected = rng.poisson(np.broadcast_to(quanta, (count, *shape)))
    return frames(gain * detected + OFFSET + rng.normal(0, READ, (count, *shape)))


@pytest.mark.parametrize("gain", [0.3, 1.0, 25.0])
def test_photon_transfer_recovers_the_gain_in_an_uneven_flickering_beam(gain):
    rng = np.random.default_rng(1)
    shape = np.linspace(600, 1400, 90)[None, None, :] * (1 + 0.05 * rng.normal(size=10))[:, None, None]
    beam = camera(rng, shape, 10, gain)
    beam.values[2, 10:12, 20:22] += 40_000  # a gamma spot must have no say
    dark = camera(rng, 0.0, 10, gain)
    # 72 000 values: 1 % of a variance from its median deviation by chance
    assert gain_from_frames(open_beam=beam, dark=dark) == pytest.approx(gain, rel=0.03)
    assert dark_variance_from_frames(dark) == pytest.approx(READ**2, rel=0.03)


@pytest.mark.real_data
def test_the_measured_camera_counts_more_than_one_count_per_quantum(measured_neutron_references):
    open_beam, dark = measured_neutron_references
    half = gain_from_frames(open_beam=open_beam[:5], dark=dark)
    assert half == pytest.approx(gain_from_frames(open_beam=open_beam[5:], dark=dark), rel=0.05)
    assert 1.0 < half < 2.0


@pytest.fixture
def measured_neutron_references(measured_data):
    tifffile = pytest.importorskip("tifffile")
    folder = measured_data / "neutron-ct"

    def read(kind):
        return frames(np.stack([tifffile.imread(path) for path in sorted(folder.glob(f"{kind}_*.tif"))]).astype(float))

    return read("ob"), read("dc")


def test_frames_that_carry_no_noise_are_refused():
    rng = np.random.default_rng(2)
    one = camera(rng, 100.0, 1, 1.0)
    two = camera(rng, 0.0, 2, 1.0)
    with pytest.raises(InputError, match="two or more repeated frames"):
        gain_from_frames(open_beam=one, dark=two)
    with pytest.raises(InputError, match="brighter than the dark"):
        gain_from_frames(open_beam=two, dark=two + 5)
    smooth = frames(np.full((4, 80, 90), 1000.0))
    with pytest.raises(InputError, match="noisier than the dark"):
        gain_from_frames(open_beam=smooth, dark=two)
