import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from operando.errors import FileError, InputError
from operando.io.cycler import read_cycler, write_cycler

finite = st.floats(-1e6, 1e6)


def record(time, current, voltage, unit="A"):
    return xr.Dataset(
        {"current": ("time", current, {"units": unit}), "voltage": ("time", voltage, {"units": "V"})},
        coords={"time": ("time", time, {"units": "s"})},
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(st.floats(0, 1e9), finite, finite), min_size=1, max_size=8))
def test_a_record_comes_back_bit_by_bit(tmp_path, rows):
    time, current, voltage = np.array(sorted(rows)).T
    write_cycler(tmp_path / "c.csv", record(time, current, voltage))
    assert read_cycler(tmp_path / "c.csv").identical(record(time, current, voltage))


def test_the_header_is_that_of_the_battery_data_format(tmp_path):
    write_cycler(tmp_path / "c.csv", record([0.0], [1.58], [3.0], unit="mA"))
    lines = (tmp_path / "c.csv").read_text().splitlines()
    assert lines == ["Test Time / s,Current / A,Voltage / V", "0.0,0.00158,3.0"]


def test_other_columns_and_machine_readable_names_are_understood(tmp_path):
    text = "\ufeffCycle Count / 1,voltage_volt,test_time_second,Current / A\n1,3.1,0,0.5\n1,3.2,10,0.5\n1,3.3,10,-0.5\n"
    (tmp_path / "c.csv").write_text(text, encoding="utf-8")
    back = read_cycler(tmp_path / "c.csv")
    assert back.time.values.tolist() == [0, 10, 10]  # a step of the current shows one time twice
    assert back.current.values.tolist() == [0.5, 0.5, -0.5]
    assert back.voltage.attrs["units"] == "V"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'no column "Test Time / s"'),
        ("Test Time / s,Voltage / V\n0,3\n", 'no column "Current / A"'),
        ("Test Time / s,Current / mA,Voltage / V\n0,1,3\n", '"Current / mA" is not in A'),
        ("Test Time / h,Current / A,Voltage / V\n0,1,3\n", '"Test Time / h" is not in s'),
        ("Test Time / s,Current / A,Voltage / V\n", "no rows"),
        ("Test Time / s,Current / A,Voltage / V\n0,1,3\n1,nan,3\n", "line 3 is 'nan'"),
        ("Test Time / s,Current / A,Voltage / V\n0,1,3\n1,1\n", "line 3 is 'nothing'"),
        ("Test Time / s,Current / A,Voltage / V\n0,1,3\n2,1,3\n1,1,3\n", "backwards in line 4"),
        ("Test Time / s,Current / A,Voltage / V\n0,one,3\n", "line 2 is 'one'"),
    ],
)
def test_a_bad_record_is_refused(tmp_path, text, message):
    (tmp_path / "c.csv").write_text(text)
    with pytest.raises(FileError, match=message):
        read_cycler(tmp_path / "c.csv")


def test_a_missing_or_binary_file_is_refused(tmp_path):
    with pytest.raises(FileError, match="no such file"):
        read_cycler(tmp_path / "none.csv")
    (tmp_path / "c.csv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(FileError, match=r"c\.csv"):
        read_cycler(tmp_path / "c.csv")


def test_the_writer_refuses_wrong_units_and_missing_columns(tmp_path):
    with pytest.raises(InputError, match="current must be in units of A"):
        write_cycler(tmp_path / "c.csv", record([0.0], [1.0], [3.0], unit="V"))
    with pytest.raises(InputError, match="record"):
        write_cycler(tmp_path / "c.csv", record([0.0], [1.0], [3.0]).drop_vars("voltage"))
    assert list(tmp_path.iterdir()) == []
