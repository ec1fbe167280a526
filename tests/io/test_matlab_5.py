"""MATLAB files of version 5: scipy's writer and reader as the independent truth, and damage that scipy dies of."""

import struct
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.io import loadmat, savemat

from operando.errors import FileError
from operando.io.magnetic import read_field_map
from operando.io.matlab import matlab_arrays, read_matlab

TYPES = ["f8", "f4", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "?"]
HERE = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

FLIP = """
import sys
from pathlib import Path
from operando.errors import OperandoError
from operando.io.magnetic import read_field_map
path = Path(sys.argv[1])
whole = path.read_bytes()
for place in range(128, 192):
    for bit in range(8):
        spoilt = bytearray(whole)
        spoilt[place] ^= 1 << bit
        path.write_bytes(spoilt)
        try:
            read_field_map(path)
        except OperandoError as error:
            if path.name not in str(error):
                raise
"""


@pytest.mark.parametrize("compressed", [False, True])
@given(
    kind=st.sampled_from(TYPES), shape=st.lists(st.integers(0, 5), min_size=2, max_size=4), seed=st.integers(0, 2**32)
)
@HERE
def test_numbers_agree_with_scipy(tmp_path, compressed, kind, shape, seed):
    values = np.random.default_rng(seed).integers(0, 100, shape).astype(kind)
    path = tmp_path / "a.mat"
    savemat(path, {"text": "a map", "Bz": values, "nested": {"h": 1.0}, "step": 4.7}, do_compression=compressed)
    assert set(matlab_arrays(path)) == {"Bz", "step"}
    found, step = read_matlab(path, "Bz", "step")
    expected = loadmat(path)["Bz"]
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == expected.dtype
    assert step.item() == 4.7


def big_endian(values):
    """A file as a machine of the other byte order writes it: flags, dimensions, name in a short tag, numbers."""
    parts = struct.pack(">IIII", 6, 8, 6, 0) + struct.pack(">IIii", 5, 8, *values.shape)
    parts += struct.pack(">I4s", 2 << 16 | 1, b"Bz")
    parts += struct.pack(">II", 9, 8 * values.size) + values.astype(">f8").tobytes(order="F")
    return b"MATLAB 5.0".ljust(124) + b"\1\0MI" + struct.pack(">II", 14, len(parts)) + parts


def test_files_of_the_other_byte_order(tmp_path):
    values = np.arange(12.0).reshape(3, 4)
    path = tmp_path / "a.mat"
    path.write_bytes(big_endian(values))
    np.testing.assert_array_equal(read_matlab(path, "Bz")[0], values)
    np.testing.assert_array_equal(loadmat(path)["Bz"], values)


def test_no_flipped_bit_ahead_of_the_numbers_ends_the_process(tmp_path):
    path = tmp_path / "Bz_uc0.mat"
    savemat(path, {"Bz": 1e-6 * np.arange(35.0).reshape(5, 7), "step": 4.7e-6})
    # in a process of its own: what is tested for would end this one
    found = subprocess.run([sys.executable, "-c", FLIP, str(path)], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr


@given(where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
@HERE
def test_a_flipped_bit_anywhere_is_refused_by_name_or_is_one_number(tmp_path, where, bit):
    values = 1e-6 * np.arange(35.0).reshape(5, 7)
    path = tmp_path / "Bz_uc0.mat"
    savemat(path, {"Bz": values, "step": 4.7e-6})
    content = bytearray(path.read_bytes())
    content[int(where * len(content))] ^= 1 << bit
    path.write_bytes(content)
    try:
        (found,) = read_matlab(path, "Bz")
    except FileError as error:
        if path.name not in str(error):
            raise
        return
    if found.shape == values.shape and found.dtype == values.dtype:
        assert np.sum(found != values) <= 1


def test_complex_numbers_are_refused(tmp_path):
    path = tmp_path / "Bz_uc0.mat"
    savemat(path, {"Bz": np.full((5, 7), 1e-6 + 1e-6j), "step": 4.7e-6})
    with pytest.raises(FileError, match=r"Bz_uc0\.mat.*Bz is complex"):
        read_field_map(path)


@pytest.mark.parametrize("kind", [9, 99])
def test_numbers_that_do_not_fill_the_dimensions_are_refused(tmp_path, kind):
    whole = bytearray(big_endian(np.arange(12.0).reshape(3, 4)))
    # one row more than there are numbers for; a type that does not exist
    whole[128 + 8 + 24 : 128 + 8 + 28] = struct.pack(">i", 4 if kind == 9 else 3)
    whole[128 + 8 + 40 : 128 + 8 + 44] = struct.pack(">I", kind)
    path = tmp_path / "a.mat"
    path.write_bytes(whole)
    with pytest.raises(FileError, match=r"a\.mat: damaged"):
        read_matlab(path, "Bz")
