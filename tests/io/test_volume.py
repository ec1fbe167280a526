import json
import shutil

import h5py
import numpy as np
import pytest
import tifffile
import xarray as xr
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from operando.errors import FileError, InputError, UnitError
from operando.frames import Grid
from operando.io.ome_zarr import read_ome_zarr, write_ome_zarr
from operando.io.volume import read_volume, write_tiff_volume

SPACING, ORIGIN = (10e-6, 14e-6, 15e-6), (1e-3, -2e-3, 5e-4)


def volume_of(shape=(5, 6, 7), kind="float32", spacing=SPACING, origin=ORIGIN):
    values = np.random.default_rng(0).integers(0, 200, shape).astype(kind)
    return Grid(shape=shape, spacing=spacing, origin=origin).array(values, name="attenuation", units="1/m")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(
    shape=st.tuples(*[st.integers(2, 70)] * 3).filter(lambda s: np.prod(s) < 30000),
    kind=st.sampled_from(["uint8", "uint16", "float32", "float64"]),
    spacing=st.tuples(*[st.floats(1e-7, 1e-3)] * 3),
    origin=st.tuples(*[st.floats(-0.1, 0.1)] * 3),
)
def test_ome_zarr_comes_back_with_its_place(tmp_path, shape, kind, spacing, origin):
    volume = volume_of(shape, kind, spacing, origin)
    shutil.rmtree(tmp_path / "v.zarr", ignore_errors=True)
    write_ome_zarr(tmp_path / "v.zarr", volume)
    back = read_volume(tmp_path / "v.zarr")
    assert back.dtype == volume.dtype
    assert back.attrs["units"] == "1/m"
    xr.testing.assert_allclose(back.drop_attrs(), volume.drop_attrs(), rtol=1e-9)
    assert all(back[axis].attrs["units"] == "m" for axis in "zyx")


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
def test_tiff_comes_back_with_its_voxel_size(tmp_path, kind):
    volume = volume_of(kind=kind, origin=(0.0, 0.0, 0.0))
    write_tiff_volume(tmp_path / "v.tif", volume)
    back = read_volume(tmp_path / "v.tif", units="1/m")
    assert back.dtype == volume.dtype
    xr.testing.assert_allclose(back, volume, rtol=1e-9)


def test_slices_in_a_folder_are_stacked_in_order(tmp_path):
    volume = volume_of((12, 6, 7), "uint16", origin=(0.0, 0.0, 0.0))
    for i, slab in enumerate(volume.values):
        tifffile.imwrite(tmp_path / f"slice_{i}.tif", slab)
    xr.testing.assert_allclose(read_volume(tmp_path, voxel=SPACING), volume)
    (tmp_path / "slice_7.tif").unlink()
    with pytest.raises(FileError, match="number 7 of slices is missing"):
        read_volume(tmp_path, voxel=SPACING)


@pytest.mark.parametrize(
    "attributes",
    [
        {"element_size_um": [10.0, 14.0, 15.0]},
        {"voxel_size": [0.01, 0.014, 0.015], "voxel_size_units": "mm"},
    ],
)
def test_hdf5_volumes_know_their_voxel_size(tmp_path, attributes):
    volume = volume_of(origin=(0.0, 0.0, 0.0))
    with h5py.File(tmp_path / "v.h5", "w") as file:
        file["exported"] = volume.values
        file["exported"].attrs.update(attributes)
    xr.testing.assert_allclose(read_volume(tmp_path / "v.h5"), volume)


def test_older_ome_zarr_with_channels_is_read(tmp_path):
    """Version 0.4 on Zarr 2: five axes, nanometres, and a scale of the whole image after that of its level."""
    values = np.arange(60, dtype="uint16").reshape(1, 1, 3, 4, 5)
    group = zarr.open_group(tmp_path / "v.zarr", mode="w", zarr_format=2)
    group.create_array("0", data=values)
    axes = [{"name": "t", "type": "time"}, {"name": "c", "type": "channel"}]
    axes += [{"name": axis, "type": "space", "unit": "nanometer"} for axis in "zyx"]
    place = [
        {"type": "scale", "scale": [1, 1, 500.0, 200, 100]},
        {"type": "translation", "translation": [0, 0, 10.0, 20, 30]},
    ]
    group.attrs["multiscales"] = [
        {
            "version": "0.4",
            "axes": axes,
            "datasets": [{"path": "0", "coordinateTransformations": place}],
            "coordinateTransformations": [{"type": "scale", "scale": [1, 1, 2, 2, 2]}],
        }
    ]
    back = read_volume(tmp_path / "v.zarr")
    assert np.array_equal(back, values[0, 0])
    assert np.allclose([back.z[0], back.y[0], back.x[0]], [20e-9, 40e-9, 60e-9], rtol=1e-12)
    assert np.allclose([back.z[1] - back.z[0], back.x[1] - back.x[0]], [1e-6, 200e-9], rtol=1e-12)


@pytest.fixture
def ome(tmp_path):
    write_ome_zarr(tmp_path / "v.zarr", volume_of((70, 6, 7), "uint16"))
    return tmp_path / "v.zarr"


def test_a_missing_chunk_is_refused(ome):
    (ome / "0/c/1/0/0").unlink()
    with pytest.raises(FileError, match="1 of 2 chunks are missing"):
        read_ome_zarr(ome)


def test_zeros_are_written_and_not_taken_for_missing(tmp_path):
    write_ome_zarr(tmp_path / "v.zarr", 0 * volume_of())
    assert (read_ome_zarr(tmp_path / "v.zarr") == 0).all()


def test_no_flipped_bit_of_a_chunk_is_read_as_data(ome):
    chunk, random = ome / "0/c/0/0/0", np.random.default_rng(0)
    content, want = chunk.read_bytes(), read_ome_zarr(ome)
    refused = 0
    for place in random.integers(0, len(content), 150):
        damaged = bytearray(content)
        damaged[place] ^= 1 << int(random.integers(8))
        chunk.write_bytes(damaged)
        try:
            assert read_ome_zarr(ome).identical(want)
        except FileError:
            refused += 1
    assert refused > 140


def edited(path, edit):
    metadata = json.loads((path / "zarr.json").read_text())
    edit(metadata["attributes"]["ome"]["multiscales"][0])
    (path / "zarr.json").write_text(json.dumps(metadata))


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda m: m["axes"][0].pop("unit"), "axis z has the unit None"),
        (lambda m: m["axes"][1].update(unit="second"), "axis y has the unit 'second'"),
        (lambda m: m["axes"].reverse(), "axes"),
        (lambda m: m["datasets"][0]["coordinateTransformations"][0].update(scale=[0, 1, 1]), "voxels of"),
        (lambda m: m["datasets"][0]["coordinateTransformations"][0].update(type="rotation"), "rotation"),
        (lambda m: m["datasets"][0].pop("coordinateTransformations"), "coordinateTransformations"),
        (lambda m: m["datasets"][0].update(path="7"), "7"),
        (lambda m: m.pop("datasets"), "datasets"),
    ],
)
def test_wrong_metadata_is_refused(ome, edit, message):
    edited(ome, edit)
    with pytest.raises(FileError, match=message):
        read_volume(ome)


def test_an_existing_volume_is_not_overwritten(ome):
    with pytest.raises(FileError, match="exists already"):
        write_ome_zarr(ome, volume_of())
    assert [path.name for path in ome.parent.iterdir()] == ["v.zarr"]


def test_a_volume_without_units_of_length_is_not_written(tmp_path):
    with pytest.raises(UnitError, match="z must be labelled with units"):
        write_ome_zarr(tmp_path / "v.zarr", volume_of().drop_attrs())
    with pytest.raises(InputError, match="uint8, uint16 or float32"):
        write_tiff_volume(tmp_path / "v.tif", volume_of(kind="int64"))
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_volume_is_refused(tmp_path):
    tifffile.imwrite(tmp_path / "plain.tif", np.zeros((3, 4, 5), "uint8"), photometric="minisblack")
    tifffile.imwrite(tmp_path / "nan.tif", np.full((3, 4, 5), np.nan, "float32"), photometric="minisblack")
    with h5py.File(tmp_path / "two.h5", "w") as file:
        file["a"] = file["b"] = np.zeros((2, 2, 2))
    with h5py.File(tmp_path / "far.h5", "w") as file:
        file.create_dataset("a", (64, 4096, 4096), "uint16")
    with h5py.File(tmp_path / "unit.h5", "w") as file:
        file["a"] = np.zeros((2, 2, 2))
        file["a"].attrs.update({"voxel_size": 1.0, "voxel_size_units": "s"})
    (tmp_path / "text.txt").write_text("no volume")
    (tmp_path / "empty").mkdir()
    for name, message in {
        "plain.tif": "no voxel size. Give the voxel size",
        "nan.tif": "not finite",
        "two.h5": r"holds 2 volumes \(a, b\)",
        "far.h5": "claims 2147483648 bytes",
        "unit.h5": 'the voxel size has the unit "s"',
        "text.txt": "no volume in a known format",
        "empty": "0 files match",
        "none.tif": "no such file",
    }.items():
        with pytest.raises(FileError, match=message):
            read_volume(tmp_path / name)


@pytest.mark.real_data
def test_a_measured_pair_is_read(measured_data):
    folder = measured_data / "xray-neutron-pair"
    for path in (folder / "concrete_neutron-bin16.tif", folder / "concrete_x-ray-bin16.tif"):
        volume = read_volume(path, voxel=(1e-3, 1e-3, 1e-3))
        assert volume.shape == (100, 100, 100)
        assert volume.dtype == np.uint16
