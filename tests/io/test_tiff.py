import random

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from operando.errors import FileError
from operando.io.stack import check_alike, frames_of
from operando.io.tiff import tiff_pages

STACKS = st.sampled_from(["uint8", "uint16", "int16", "float32"]).flatmap(
    lambda kind: arrays(kind, st.tuples(st.integers(1, 5), st.integers(2, 6), st.integers(2, 6)))
)


def read(path, rows=None):
    pages = tiff_pages(path)
    check_alike(pages, pages[0])
    return frames_of(pages, rows or slice(0, pages[0].shape[0]))


@pytest.fixture
def stack():
    return np.random.default_rng(1).integers(0, 60000, (6, 20, 30)).astype("uint16")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    frames=STACKS,
    options=st.sampled_from(
        [{}, {"byteorder": ">"}, {"compression": "zlib"}, {"bigtiff": True}, {"rowsperstrip": 1}, {"contiguous": False}]
    ),
)
def test_any_stack_comes_back(tmp_path, frames, options):
    with tifffile.TiffWriter(
        tmp_path / "s.tif", **{k: options[k] for k in options if k in ("byteorder", "bigtiff")}
    ) as f:
        for frame in frames:
            f.write(
                frame,
                photometric="minisblack",
                **{k: v for k, v in options.items() if k not in ("byteorder", "bigtiff")},
            )
    assert np.array_equal(read(tmp_path / "s.tif"), frames, equal_nan=frames.dtype.kind == "f")
    part = read(tmp_path / "s.tif", slice(1, 2))
    assert np.array_equal(part, frames[:, 1:2], equal_nan=frames.dtype.kind == "f")


def test_a_stack_of_imagej_comes_back(tmp_path, stack):
    tifffile.imwrite(tmp_path / "s.tif", stack, imagej=True)
    assert np.array_equal(read(tmp_path / "s.tif"), stack)


def test_a_large_stack_of_imagej_has_one_page(tmp_path, stack):
    tifffile.imwrite(tmp_path / "s.tif", stack, imagej=True, truncate=True)
    with tifffile.TiffFile(tmp_path / "s.tif") as file:
        assert len(file.pages) == 1
    assert np.array_equal(read(tmp_path / "s.tif"), stack)
    content = (tmp_path / "s.tif").read_bytes()
    (tmp_path / "s.tif").write_bytes(content[: -stack[0].nbytes])
    with pytest.raises(FileError, match="fewer pages than the 6"):
        tiff_pages(tmp_path / "s.tif")


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("imagej", [False, True])
def test_a_stack_cut_anywhere_is_refused_or_whole(tmp_path, stack, compression, imagej):
    """A writer may put its page list before or behind the pixels: a cut loses pages, pixels, or nothing."""
    tifffile.imwrite(tmp_path / "s.tif", stack, compression=compression, imagej=imagej, photometric="minisblack")
    content = (tmp_path / "s.tif").read_bytes()
    refused = 0
    for length in np.linspace(0, len(content) - 1, 80, dtype=int):
        (tmp_path / "cut.tif").write_bytes(content[:length])
        try:
            frames = read(tmp_path / "cut.tif")
        except FileError:
            refused += 1
        else:
            assert np.array_equal(frames, stack)
    assert refused >= 78


def test_a_damaged_header_never_escapes_as_another_error(tmp_path, stack):
    tifffile.imwrite(tmp_path / "s.tif", stack, photometric="minisblack")
    content, dice = (tmp_path / "s.tif").read_bytes(), random.Random(3)
    for _ in range(200):
        damaged = bytearray(content)
        damaged[dice.randrange(300)] ^= 1 << dice.randrange(8)
        (tmp_path / "bad.tif").write_bytes(damaged)
        try:
            frames = read(tmp_path / "bad.tif")
        except FileError:
            continue
        assert frames.nbytes <= stack.nbytes  # no claim beyond what the file backs


def test_colours_and_unknown_compression_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "rgb.tif", np.zeros((4, 5, 3), "uint8"), photometric="rgb")
    with pytest.raises(FileError, match="grey-scale"):
        tiff_pages(tmp_path / "rgb.tif")
    tifffile.imwrite(tmp_path / "s.tif", np.zeros((4, 5), "uint8"))
    with tifffile.TiffFile(tmp_path / "s.tif", mode="r+b") as file:
        file.pages[0].tags["Compression"].overwrite(5)
    with pytest.raises(FileError, match=r"LZW.* with deflate"):
        tiff_pages(tmp_path / "s.tif")
    with pytest.raises(FileError, match="no such file"):
        tiff_pages(tmp_path / "none.tif")
