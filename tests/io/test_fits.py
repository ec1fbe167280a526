import random

import numpy as np
import pytest
from astropy.io import fits

from operando.errors import FileError
from operando.io.fits import fits_pages
from operando.io.stack import frames_of


def read(path):
    pages = fits_pages(path)
    return frames_of(pages, slice(0, pages[0].shape[0]))


@pytest.mark.parametrize("kind", ["uint8", "int16", "uint16", "int32", "float32"])
@pytest.mark.parametrize("cube", [False, True])
def test_frames_come_back_in_their_own_type(tmp_path, kind, cube):
    frames = np.random.default_rng(0).integers(0, 250, (3, 5, 4)).astype(kind)
    fits.writeto(tmp_path / "s.fits", frames if cube else frames[0])
    back = read(tmp_path / "s.fits")
    assert back.dtype == np.dtype(kind)
    assert np.array_equal(back, frames if cube else frames[:1])


def test_an_image_in_an_extension_is_found(tmp_path):
    frame = np.arange(20, dtype="uint16").reshape(4, 5)
    fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(frame)]).writeto(tmp_path / "s.fits")
    assert np.array_equal(read(tmp_path / "s.fits")[0], frame)


def test_cut_files_are_refused(tmp_path):
    frame = np.random.default_rng(0).integers(0, 60000, (50, 60)).astype("uint16")
    fits.writeto(tmp_path / "s.fits", frame)
    content = (tmp_path / "s.fits").read_bytes()
    for length in (0, 10, 2000, 2880, 3000, 2880 + 2 * frame.size - 1):
        (tmp_path / "cut.fits").write_bytes(content[:length])
        with pytest.raises(FileError, match=r"cut\.fits"):
            read(tmp_path / "cut.fits")


def test_a_damaged_header_never_escapes_as_another_error(tmp_path):
    fits.writeto(tmp_path / "s.fits", np.ones((5, 6), "uint16"))
    content, dice = (tmp_path / "s.fits").read_bytes(), random.Random(3)
    for _ in range(150):
        damaged = bytearray(content)
        damaged[dice.randrange(700)] ^= 1 << dice.randrange(8)
        (tmp_path / "bad.fits").write_bytes(damaged)
        try:
            frames = read(tmp_path / "bad.fits")
        except FileError:
            continue
        assert frames.nbytes <= 8 * len(content)  # no claim beyond what the file backs, but for BSCALE's float64


def test_a_file_without_an_image_is_refused(tmp_path):
    fits.PrimaryHDU().writeto(tmp_path / "s.fits")
    with pytest.raises(FileError, match="no image"):
        fits_pages(tmp_path / "s.fits")
    with pytest.raises(FileError, match="no such file"):
        fits_pages(tmp_path / "none.fits")
