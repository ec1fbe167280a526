import h5py
import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from operando.errors import FileError, InputError
from operando.io.field_map import read_map, write_map


def _cube(dtype=np.uint32, seed=0):
    rng = np.random.default_rng(seed)
    coords = {
        "frequency": ("frequency", np.linspace(2.8e9, 2.9e9, 6), {"units": "Hz"}),
        "y": ("y", 1e-6 * np.arange(4), {"units": "m"}),
        "x": ("x", 1e-6 * np.arange(5), {"units": "m"}),
        "z": ((), 2e-6, {"units": "m"}),
    }
    values = rng.integers(0, 5000, (6, 4, 5)).astype(dtype)
    return xr.DataArray(
        values, dims=("frequency", "y", "x"), coords=coords, name="fluorescence", attrs={"units": "count"}
    )


def _field():
    cube = _cube(float).isel(frequency=slice(0, 3), drop=True).rename(frequency="component").drop_vars("component")
    field = (cube * 1e-9).assign_coords(component=list("xyz")).rename("field").assign_attrs(units="T")
    variance = (field * 0 + 1e-18).rename("field_var").assign_attrs(units="T^2")
    return xr.Dataset({"field": field, "field_var": variance})


@pytest.mark.parametrize("dtype", [np.uint16, np.uint32, np.float32, np.float64])
def test_cube_comes_back(tmp_path, dtype):
    path = tmp_path / "cube.h5"
    write_map(path, _cube(dtype), kind="odmr")
    xr.testing.assert_identical(read_map(path, kind="odmr").fluorescence, _cube(dtype))
    assert read_map(path, kind="odmr").fluorescence.dtype == dtype


def test_field_comes_back_with_its_variance_and_height(tmp_path):
    path = tmp_path / "field.h5"
    write_map(path, _field(), kind="field")
    back = read_map(path, kind="field")
    xr.testing.assert_identical(back, _field())
    assert float(back.z) == 2e-6


def test_units_of_coordinates_are_converted(tmp_path):
    path = tmp_path / "cube.h5"
    cube = _cube()
    micrometres = cube.assign_coords(x=("x", cube.x.values * 1e6, {"units": "um"}))
    write_map(path, micrometres, kind="odmr")
    np.testing.assert_allclose(read_map(path, kind="odmr").x, cube.x, rtol=1e-12)


def test_others_find_dimensions_and_units(tmp_path):
    path = tmp_path / "cube.h5"
    write_map(path, _cube(), kind="odmr")
    with h5py.File(path) as file:
        assert file["fluorescence"].attrs["dims"] == b"frequency,y,x"
        assert file["frequency"].attrs["units"] == b"Hz"


def _without_units(cube):
    return cube.assign_attrs({"units": None})


def _without_coordinate(cube):
    return cube.drop_vars("x")


def _uneven(cube):
    return cube.assign_coords(x=("x", [0, 1e-6, 2e-6, 3e-6, 9e-6], {"units": "m"}))


def _backwards(cube):
    return cube.isel(y=slice(None, None, -1))


def _unordered(cube):
    return cube.isel(frequency=[1, 0, 2, 3, 4, 5])


def _another_dimension(cube):
    return cube.rename(y="row")


@pytest.mark.parametrize(
    "spoilt", [_without_units, _without_coordinate, _uneven, _backwards, _unordered, _another_dimension]
)
def test_what_is_not_labelled_is_not_written(tmp_path, spoilt):
    path = tmp_path / "cube.h5"
    with pytest.raises(InputError):
        write_map(path, spoilt(_cube()), kind="odmr")
    assert not list(tmp_path.iterdir())


def _no_kind(file):
    del file["kind"]


def _other_kind(file):
    del file["kind"]
    file["kind"] = np.bytes_("field")


def _no_main(file):
    del file["fluorescence"]


def _no_units(file):
    del file["fluorescence"].attrs["units"]


def _units_of_something_else(file):
    file["frequency"].attrs["units"] = "m"


def _no_labels(file):
    del file["fluorescence"].attrs["dims"]


def _short_axis(file):
    del file["x"]
    file["x"] = np.arange(3.0)
    file["x"].attrs["units"] = "m"


def _folded_axis(file):
    file["y"][0] = 5.0


def _no_number(file):
    file["frequency"][2] = np.nan


def _text_for_numbers(file):
    del file["fluorescence"]
    file["fluorescence"] = "photons"


def _elsewhere(file):
    del file["fluorescence"]
    file["fluorescence"] = h5py.ExternalLink("/etc/hostname", "/")


def _boundless(file):
    del file["fluorescence"]
    huge = file.create_dataset("fluorescence", shape=(1 << 20, 1 << 20), chunks=(1, 1024), dtype="f8")
    huge.attrs.update({"units": "1", "dims": "y,x"})


@pytest.mark.parametrize(
    "spoil",
    [
        _no_kind,
        _other_kind,
        _no_main,
        _no_units,
        _units_of_something_else,
        _no_labels,
        _short_axis,
        _folded_axis,
        _no_number,
        _text_for_numbers,
        _elsewhere,
        _boundless,
    ],
)
def test_spoilt_files_are_refused_by_name(tmp_path, spoil):
    path = tmp_path / "cube.h5"
    write_map(path, _cube(), kind="odmr")
    with h5py.File(path, "r+") as file:
        spoil(file)
    with pytest.raises(FileError, match=r"cube\.h5"):
        read_map(path, kind="odmr")


def test_missing_and_empty_files_are_refused(tmp_path):
    (tmp_path / "empty.h5").touch()
    for name in ("missing.h5", "empty.h5"):
        with pytest.raises(FileError, match=name):
            read_map(tmp_path / name, kind="odmr")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_is_refused_or_changes_nothing(tmp_path, where, bit):
    path = tmp_path / "cube.h5"
    write_map(path, _cube(), kind="odmr")
    content = bytearray(path.read_bytes())
    content[int(where * len(content))] ^= 1 << bit
    path.write_bytes(content)
    try:
        back = read_map(path, kind="odmr")
    except FileError:
        return
    xr.testing.assert_identical(back.fluorescence, _cube())


@given(cut=st.floats(0.0, 0.999))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_cut_file_is_refused(tmp_path, cut):
    path = tmp_path / "cube.h5"
    write_map(path, _cube(), kind="odmr")
    content = path.read_bytes()
    path.write_bytes(content[: int(cut * len(content))])
    with pytest.raises(FileError):
        read_map(path, kind="odmr")
