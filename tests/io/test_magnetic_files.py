"""Files of magnetic instruments, written here as the instruments lay them out."""

import h5py
import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from operando.errors import FileError, InputError, OperandoError
from operando.io.field_map import write_map
from operando.io.grid import Stated
from operando.io.hdf5 import check_backed
from operando.io.magnetic import read_field_map, read_odmr_cube

ROWS, COLUMNS, SWEEP = 5, 7, 6
UM = 1e-6


def save_73(path, content):
    """Version 7.3: HDF5 behind 512 bytes of MATLAB's own, dimensions in reverse, chunked and deflated."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, value in content.items():
            array = np.atleast_2d(np.asarray(value))
            chunked = {"chunks": array.T.shape, "compression": "gzip"} if array.size else {}
            stored = file.create_dataset(name, data=array.T, **chunked)
            stored.attrs["MATLAB_class"] = np.bytes_("double")
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(116) + b"\0" * 8 + b"\0\2IM")


def save_5(path, content):
    savemat(path, content, do_compression=True)


VERSIONS = pytest.mark.parametrize("save", [save_5, save_73])


def marked_map():
    """A field that tells rows and columns apart: the first row is 0, 1, 2, ..."""
    return np.arange(ROWS * COLUMNS, dtype=float).reshape(ROWS, COLUMNS)


def qdm_run(stacks=4):
    """Spectra whose value names its pixel and frequency: 1000 row + 10 column + the frequency's place."""
    row, column = np.meshgrid(np.arange(ROWS), np.arange(COLUMNS), indexing="ij")
    pixels = (1000 * row + 10 * column).ravel()
    whole = pixels + np.arange(2 * SWEEP)[:, None]
    content = {f"imgStack{i + 1}": part for i, part in enumerate(np.array_split(whole.astype(float), stacks))}
    frequency = np.concatenate([np.linspace(2.84e9, 2.85e9, SWEEP), np.linspace(2.89e9, 2.90e9, SWEEP)])
    sizes = {"freqList": frequency[None], "numFreqs": SWEEP, "imgNumRows": ROWS, "imgNumCols": COLUMNS}
    return content | sizes


@VERSIONS
@pytest.mark.parametrize("stacks", [2, 4])
def test_spectra_come_row_by_row_and_in_order_of_frequency(tmp_path, save, stacks):
    path = tmp_path / "run_00000.mat"
    save(path, qdm_run(stacks))
    cube = read_odmr_cube(path, stated=Stated(pixel=1.2 * UM))
    assert cube.dims == ("frequency", "y", "x")
    assert cube.shape == (2 * SWEEP, ROWS, COLUMNS)
    assert cube.values[3, 2, 4] == 1000 * 2 + 10 * 4 + 3
    assert cube.values[SWEEP, 0, 1] == 10 + SWEEP
    assert (np.diff(cube.frequency) > 0).all()
    np.testing.assert_allclose(cube.x, 1.2 * UM * np.arange(COLUMNS))


@VERSIONS
def test_the_first_row_lies_where_it_is_said_to_lie(tmp_path, save):
    path = tmp_path / "Bz_uc0.mat"
    save(path, {"Bz": 1e-6 * marked_map(), "h": 5e-6, "step": 4.7e-6})
    below = read_field_map(path).field
    above = read_field_map(path, stated=Stated(first_row="top")).field
    assert below.dims == above.dims == ("y", "x")
    assert (np.diff(below.y) > 0).all()
    np.testing.assert_allclose(below.isel(y=0), 1e-6 * np.arange(COLUMNS))
    np.testing.assert_allclose(above.isel(y=-1), 1e-6 * np.arange(COLUMNS))
    # the column index grows along x in both
    assert (np.diff(above.isel(y=0)) > 0).all()


@VERSIONS
@pytest.mark.parametrize(("step", "said"), [(4.7e-6, "read as metres"), (4.7, "read as micrometres")])
def test_a_step_is_told_by_its_size_and_reported(tmp_path, save, step, said):
    path = tmp_path / "Bz_uc0.mat"
    save(path, {"Bz": 1e-6 * marked_map(), "h": 5e-6, "step": step})
    found = read_field_map(path)
    np.testing.assert_allclose(np.diff(found.x), 4.7 * UM)
    assert found.field.attrs["units"] == "T"
    assert any(said in note for note in found.attrs["notes"])
    assert any("5 um from sample to sensor" in note for note in found.attrs["notes"])


@given(pixel=st.floats(2e-8, 1e-3))
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_units_of_step_give_the_same_pixel(tmp_path, pixel):
    sides = []
    for step in (pixel, 1e6 * pixel):
        save_5(tmp_path / "Bz.mat", {"Bz": marked_map(), "step": step})
        sides.append(float(np.diff(read_field_map(tmp_path / "Bz.mat").x).mean()))
    np.testing.assert_allclose(sides, pixel, rtol=1e-9)


@pytest.mark.parametrize("step", [5e-3, 0.0, -1.0, np.nan, 1e5])
def test_a_step_that_is_neither_is_refused_unless_the_pixel_is_stated(tmp_path, step):
    path = tmp_path / "Bz.mat"
    save_5(path, {"Bz": marked_map(), "step": step})
    with pytest.raises(FileError, match=r"Bz\.mat.*neither in metres nor in micrometres"):
        read_field_map(path)
    assert float(read_field_map(path, stated=Stated(pixel=UM)).x[1]) == UM


@VERSIONS
@pytest.mark.parametrize("height", [np.zeros((0, 0)), np.nan, np.inf, [1e-6, 2e-6]])
def test_a_height_that_is_no_single_number_is_refused(tmp_path, save, height):
    path = tmp_path / "Bz_uc0.mat"
    save(path, {"Bz": 1e-6 * marked_map(), "h": height, "step": 4.7e-6})
    with pytest.raises(FileError, match=r"Bz_uc0\.mat: h is .*not one finite number"):
        read_field_map(path)


@VERSIONS
def test_b111_is_in_gauss_and_wants_its_pixel(tmp_path, save):
    path = tmp_path / "B111dataToPlot.mat"
    save(path, {"B111ferro": marked_map(), "B111para": 9 + marked_map(), "ledImg": marked_map()})
    with pytest.raises(InputError, match="pixel of B111dataToPlot"):
        read_field_map(path)
    ferro = read_field_map(path, stated=Stated(pixel=2 * UM))
    assert float(ferro.field[0, 3]) == pytest.approx(3e-4)
    para = read_field_map(path, stated=Stated(pixel=2 * UM, variable="B111para"))
    assert float(para.field[0, 0]) == pytest.approx(9e-4)


def qudi_columns(path, *, order=1):
    x, y = np.meshgrid(1e-6 * np.arange(COLUMNS), 2e-6 + 1e-6 * np.arange(ROWS))
    rows = np.stack([x.ravel(), y.ravel(), 0 * x.ravel(), 40 + marked_map().ravel()], axis=1)[::order]
    header = "Saved Data from the class confocal\n\nParameters:\n===\nClock Frequency (Hz): 100\n\nData:\n===\n"
    titles = "x position (m)\ty position (m)\tz position (m)\tB_nv (uT)"
    np.savetxt(path, rows, delimiter="\t", header=header + titles, comments="#")


@pytest.mark.parametrize("order", [1, -1])
def test_qudi_columns_place_every_pixel_themselves(tmp_path, order):
    path = tmp_path / "scan.dat"
    qudi_columns(path, order=order)
    found = read_field_map(path, stated=Stated(first_row="top"))
    np.testing.assert_allclose(found.field, 1e-6 * (40 + marked_map()))
    np.testing.assert_allclose(found.y, 2e-6 + 1e-6 * np.arange(ROWS))


def test_qudi_image_takes_its_pixels_from_its_ends(tmp_path):
    path = tmp_path / "image.dat"
    header = "Saved Data from the class confocal\nX image min (m): -3e-6\nX image max (m): 3e-6\n"
    header += "Y image min (m): 0.0\nY image max (m): 8e-6\n"
    np.savetxt(path, marked_map(), delimiter="\t", header=header, comments="#")
    found = read_field_map(path, stated=Stated(unit="nT"))
    np.testing.assert_allclose(found.x, 1e-6 * np.arange(-3, 4), atol=1e-18)
    np.testing.assert_allclose(np.diff(found.y), 2e-6)
    np.testing.assert_allclose(found.field[0], 1e-9 * np.arange(COLUMNS))
    with pytest.raises(InputError, match=r"unit of image\.dat"):
        read_field_map(path)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_plain_csv_matrix_wants_pixel_and_unit(tmp_path, delimiter):
    path = tmp_path / "map.csv"
    np.savetxt(path, marked_map(), delimiter=delimiter)
    with pytest.raises(InputError, match=r"pixel of map\.csv"):
        read_field_map(path, stated=Stated(unit="uT"))
    found = read_field_map(path, stated=Stated(unit="uT", pixel=UM, first_row="top"))
    np.testing.assert_allclose(found.field[-1], 1e-6 * np.arange(COLUMNS))


def test_a_csv_with_titles(tmp_path):
    path = tmp_path / "map.csv"
    x, y = np.meshgrid(np.arange(COLUMNS), np.arange(ROWS))
    lines = [f"{a},{b},{c}" for a, b, c in zip(x.ravel(), y.ravel(), marked_map().ravel(), strict=True)]
    path.write_text("\n".join(["x / um,y / um,Bz / nT", *lines]) + "\n")
    found = read_field_map(path)
    np.testing.assert_allclose(found.field, 1e-9 * marked_map())
    with pytest.raises(InputError, match=r"variable of map\.csv"):
        read_field_map(path, stated=Stated(variable="Bx"))


@pytest.mark.parametrize("text", ["1,5;2,5\n3,5;4,5\n", "1,5\t2,5\n3,5\t4,5\n", "1,5 2,5\n3,5 4,5\n", "1;2\n3,4\n"])
def test_a_comma_that_may_be_a_decimal_point_is_refused(tmp_path, text):
    path = tmp_path / "map.csv"
    path.write_text(text)
    with pytest.raises(FileError, match=r"map\.csv: line \d separates numbers by .*decimal points"):
        read_field_map(path, stated=STATED)


@pytest.mark.parametrize("separator", [", ", " ,", "; ", " \t", "\t ", "  "])
def test_one_kind_of_separator_may_have_spaces_around_it(tmp_path, separator):
    path = tmp_path / "map.csv"
    path.write_text(f"1.5{separator}2.5\n3.5{separator}4.5\n")
    np.testing.assert_array_equal(read_field_map(path, stated=STATED).field, [[1.5, 2.5], [3.5, 4.5]])


def test_a_table_shows_by_its_pixels_that_it_is_whole_where_its_last_line_is_not_ended(tmp_path):
    path = tmp_path / "scan.dat"
    qudi_columns(path)
    whole = path.read_text()
    assert not read_field_map(path).attrs["notes"]
    path.write_text(whole.rstrip())
    found = read_field_map(path)
    # the last number may be cut: its pixel is left out
    expected = 1e-6 * (40 + marked_map())
    expected[-1, -1] = np.nan
    np.testing.assert_allclose(found.field, expected)
    assert "scan.dat: its last line is not ended" in found.attrs["notes"][0]
    # without the last column, or the last line, it is not whole
    for cut in (whole.rstrip().rsplit("\t", 1)[0], whole.rstrip().rsplit("\n", 1)[0]):
        path.write_text(cut)
        with pytest.raises(FileError, match=r"scan\.dat"):
            read_field_map(path)


@pytest.mark.parametrize("number", ["1e400", "-1e999", "inf"])
def test_numbers_too_large_for_any_field_are_refused(tmp_path, number):
    path = tmp_path / "map.csv"
    path.write_text(f"1,2\n{number},4\n")
    with pytest.raises(FileError, match=r"map\.csv: line 2 holds a number that is infinite or too large"):
        read_field_map(path, stated=STATED)


def test_npz_with_and_without_coordinates(tmp_path):
    path = tmp_path / "map.npz"
    np.savez(path, Bz=marked_map())
    found = read_field_map(path, stated=Stated(unit="uT", pixel=UM))
    np.testing.assert_allclose(found.field[0], 1e-6 * np.arange(COLUMNS))
    # coordinates say where the first row lies
    y, x = 3.0 - np.arange(ROWS), np.arange(COLUMNS) / 2
    np.savez(path, Bz=marked_map(), y=y, x=x, y_units="um", x_units="um", Bz_units="uT")
    placed = read_field_map(path)
    np.testing.assert_allclose(placed.field[-1], 1e-6 * np.arange(COLUMNS))
    np.testing.assert_allclose(placed.y, UM * np.arange(-1, 4), atol=1e-18)
    np.savez(path, Bz=marked_map(), y=y, x=x)
    with pytest.raises(FileError, match=r"map\.npz.*no unit"):
        read_field_map(path, stated=Stated(unit="uT"))


def test_npz_cube(tmp_path):
    path = tmp_path / "cube.npz"
    values = np.arange(SWEEP * ROWS * COLUMNS, dtype=float).reshape(SWEEP, ROWS, COLUMNS)
    np.savez(path, fluorescence=values[::-1], frequency=np.linspace(2.9, 2.8, SWEEP), frequency_units="GHz")
    cube = read_odmr_cube(path, stated=Stated(pixel=UM))
    np.testing.assert_array_equal(cube, values)
    np.testing.assert_allclose(cube.frequency, np.linspace(2.8e9, 2.9e9, SWEEP))


def test_hdf5_of_another_program_and_our_own(tmp_path):
    path = tmp_path / "map.h5"
    with h5py.File(path, "w") as file:
        file["map"] = marked_map()
        file["map"].attrs["units"] = "mT"
    other = read_field_map(path, stated=Stated(pixel=UM))
    np.testing.assert_allclose(other.field[0], 1e-3 * np.arange(COLUMNS))
    ours = tmp_path / "ours.h5"
    write_map(ours, other[["field"]], kind="field")
    np.testing.assert_allclose(read_field_map(ours).field, other.field)
    with pytest.raises(FileError, match=r"ours\.h5: holds field, not odmr"):
        read_odmr_cube(ours)


@pytest.mark.parametrize("unit", ["m", "A/m", "furlong"])
def test_a_unit_of_something_else_is_refused(tmp_path, unit):
    np.savez(tmp_path / "map.npz", Bz=marked_map())
    with pytest.raises(InputError, match=r"unit of map\.npz"):
        read_field_map(tmp_path / "map.npz", stated=Stated(unit=unit, pixel=UM))


@pytest.mark.parametrize("name", ["a.mat", "a.npz", "a.csv", "a.dat", "a.h5", "a.xlsx"])
@pytest.mark.parametrize("content", [None, b"", b"not what it says\n" * 40])
@pytest.mark.parametrize("read", [read_field_map, read_odmr_cube])
def test_missing_empty_and_other_files_are_refused_by_name(tmp_path, name, content, read):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(FileError, match=name):
        read(tmp_path / name, stated=Stated(pixel=UM, unit="uT"))


def _without_rows(content):
    del content["imgNumRows"]


def _fewer_rows(content):
    content["imgNumRows"] = ROWS - 1


def _half_a_row(content):
    content["imgNumRows"] = 4.5


def _three_stacks(content):
    del content["imgStack4"]


def _fewer_frequencies(content):
    content["freqList"] = content["freqList"][:, 1:]


def _twice_the_same(content):
    content["freqList"][0, 1] = content["freqList"][0, 0]


@VERSIONS
@pytest.mark.parametrize(
    "spoil", [_without_rows, _fewer_rows, _half_a_row, _three_stacks, _fewer_frequencies, _twice_the_same]
)
def test_runs_that_contradict_themselves_are_refused(tmp_path, save, spoil):
    path = tmp_path / "run_00000.mat"
    content = qdm_run()
    spoil(content)
    save(path, content)
    with pytest.raises(FileError, match=r"run_00000\.mat"):
        read_odmr_cube(path, stated=Stated(pixel=UM))


def test_a_scan_with_holes_or_ragged_lines_is_refused(tmp_path):
    path = tmp_path / "scan.dat"
    qudi_columns(path)
    lines = path.read_text().splitlines(keepends=True)
    for spoilt in (lines[:-1], [*lines, lines[-1]], [*lines, "1\t2\n"], [*lines, "photons\n"]):
        path.write_text("".join(spoilt))
        with pytest.raises(FileError, match=r"scan\.dat"):
            read_field_map(path)


def other_hdf5(path, content):
    with h5py.File(path, "w") as file:
        for name, value in content.items():
            file[name] = value


def ours(path, content):
    values, variance = content["Bz"], content.get("field_var")
    coords = {d: (d, UM * np.arange(n), {"units": "m"}) for d, n in (("y", ROWS), ("x", COLUMNS))}
    maps = xr.Dataset({"field": (("y", "x"), values, {"units": "T"})}, coords)
    if variance is not None:
        maps["field_var"] = (("y", "x"), variance, {"units": "T^2"})
    write_map(path, maps, kind="field")


WRITERS = {
    "csv": lambda path, content: np.savetxt(path, content["Bz"], delimiter=","),
    "npz": lambda path, content: np.savez(path, **content),
    "mat": save_5,
    "hdf5": other_hdf5,
    "h5": ours,
}


@pytest.mark.parametrize("kind", WRITERS)
def test_infinite_pixels_are_refused_and_missing_ones_are_kept(tmp_path, kind):
    path, values = tmp_path / f"a.{kind}", marked_map()
    values[2, 3] = np.nan
    WRITERS[kind](path, {"Bz": values})
    np.testing.assert_array_equal(np.argwhere(np.isnan(read_field_map(path, stated=STATED).field.values)), [[2, 3]])
    values[1, 4] = -np.inf
    WRITERS[kind](path, {"Bz": values})
    with pytest.raises(FileError, match=rf"a\.{kind}: .*infinit"):
        read_field_map(path, stated=STATED)
    WRITERS[kind](path, {"Bz": np.full((ROWS, COLUMNS), np.nan)})
    with pytest.raises(FileError, match=rf"a\.{kind}: holds no finite number"):
        read_field_map(path, stated=STATED)


@pytest.mark.parametrize("wrong", [-1e-18, 0.0, np.inf, np.nan])
def test_a_variance_that_noise_cannot_have_is_refused(tmp_path, wrong):
    path, values, variance = tmp_path / "a.h5", 1e-6 * marked_map(), np.full((ROWS, COLUMNS), 1e-18)
    variance[1, 1] = wrong
    ours(path, {"Bz": values, "field_var": variance})
    with pytest.raises(FileError, match=r"a\.h5: the variance of 1 pixels"):
        read_field_map(path)
    values[1, 1] = np.nan
    ours(path, {"Bz": values, "field_var": variance})
    assert int(np.isnan(read_field_map(path).field).sum()) == 1


@pytest.mark.parametrize("scale", [1e-9, 1e-6, -1.0, 1e3])
def test_frequencies_in_another_unit_are_refused(tmp_path, scale):
    content = qdm_run()
    content["freqList"] = scale * content["freqList"]
    save_5(tmp_path / "run_00000.mat", content)
    with pytest.raises(FileError, match=r"run_00000\.mat: frequencies run from .* Hz, outside"):
        read_odmr_cube(tmp_path / "run_00000.mat", stated=Stated(pixel=UM))


def written(folder, kind):
    """One file of each format; its path and how it is read."""
    values = 1e-6 * marked_map()
    path = folder / {"csv": "a.csv", "dat": "a.dat", "npz": "a.npz", "h5": "a.h5"}.get(kind, "a.mat")
    if kind == "csv":
        np.savetxt(path, values, delimiter=",")
    elif kind == "dat":
        qudi_columns(path)
    elif kind == "npz":
        np.savez_compressed(path, Bz=values)
    elif kind == "h5":
        coords = {d: (d, UM * np.arange(n), {"units": "m"}) for d, n in (("y", ROWS), ("x", COLUMNS))}
        write_map(path, xr.DataArray(values, dims=("y", "x"), coords=coords, attrs={"units": "T"}), kind="field")
    else:
        {"mat5": save_5, "mat73": save_73}[kind](path, {"Bz": values, "step": 4.7e-6})
    return path


KINDS = ["csv", "dat", "npz", "h5", "mat5", "mat73"]
STATED = Stated(unit="T", pixel=UM)


def read_or_refused(path):
    """What is read; None where the file is refused, by its name."""
    try:
        return read_field_map(path, stated=STATED)
    except OperandoError as error:
        if path.name not in str(error):
            raise
        return None


@pytest.mark.parametrize("kind", KINDS)
@given(cut=st.floats(0.0, 0.99))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_cut_file_is_refused_by_name(tmp_path, kind, cut):
    path = written(tmp_path, kind)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(cut * len(whole))])
    found = read_or_refused(path)
    if found is None:
        return
    # text that is cut exactly between two rows of pixels is a smaller map: nothing in it says otherwise
    assert kind in ("csv", "dat")
    assert found.sizes["x"] == COLUMNS
    told = found.field.values
    expected = np.ravel(read_field_map(written(tmp_path, kind), stated=STATED).field.values)
    # a number that may be cut is no pixel
    assert np.isin(told[np.isfinite(told)], expected).all()


def test_numbers_whose_description_is_damaged_are_refused(tmp_path):
    path = tmp_path / "map.h5"
    with h5py.File(path, "w") as file:
        bent = h5py.h5t.IEEE_F64LE.copy()
        bent.set_ebias(1000)
        h5py.h5d.create(file.id, b"values", bent, h5py.h5s.create_simple((4, 4)))
        file["values"][...] = 1.5
    with h5py.File(path) as file, pytest.raises(FileError, match="of no kind that instruments write"):
        check_backed(file["values"])


@pytest.mark.parametrize("kind", KINDS)
@given(where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_flipped_bit_never_crashes_nor_passes_a_checksum(tmp_path, kind, where, bit):
    path = written(tmp_path, kind)
    before = read_field_map(path, stated=STATED)
    content = bytearray(path.read_bytes())
    content[int(where * len(content))] ^= 1 << bit
    path.write_bytes(content)
    found = read_or_refused(path)
    if found is not None and kind in ("npz", "h5"):
        # zip and Fletcher checksums cover the values; MATLAB's files have an index of chunks without one
        np.testing.assert_array_equal(found.field.values[:ROWS, :COLUMNS], before.field.values)
