import numpy as np
import pytest
import tifffile
from astropy.io import fits

from operando.errors import FileError, InputError
from operando.io.scan_toml import folder_scan
from operando.tomography.scan import ConeBeam, ParallelBeam

TOML = """
modality = "neutron"
pixel = "14 um"
angles = "0 to 360 deg inclusive"
count = 5
start = 2024-05-17T09:30:00Z
duration = "1 h"
[frames]
projections = "ct_*.tif"
open_beam = "ob_*.tif"
dark = "dc_*.tif"
[beam]
collimation = 333
"""
ROLES = {"projections": "ct", "open_beam": "ob", "dark": "dc"}


def tiff(path, frame):
    tifffile.imwrite(path, frame, byteorder=">")


def fits_file(path, frame):
    fits.writeto(path, frame)


@pytest.fixture
def folder(tmp_path, make_scan):
    """A folder of single-page TIFF files with its description."""
    scan = make_scan()
    for role, prefix in ROLES.items():
        for i, frame in enumerate(getattr(scan, role).values):
            tiff(tmp_path / f"{prefix}_{i + 8:02d}.tif", frame)
    (tmp_path / "scan.toml").write_text(TOML)
    return tmp_path


def rewrite(folder, old, new):
    text = (folder / "scan.toml").read_text()
    assert old in text
    (folder / "scan.toml").write_text(text.replace(old, new))


def test_frames_angles_and_times_are_read(folder, make_scan):
    source, scan = folder_scan(folder), make_scan()
    back = source.read(epoch=source.shape.started)
    for role in ROLES:
        assert np.array_equal(getattr(back, role).values, getattr(scan, role).values)
        assert getattr(back, role).dtype == np.dtype("uint16")
    assert np.allclose(np.degrees(back.projections.angle), [0, 90, 180, 270, 360])
    assert (back.modality, back.start, back.duration) == ("neutron", 0.0, 3600.0)
    assert back.beam == ParallelBeam(pytest.approx(14e-6), 333.0)
    assert back.projections.coords["column"].values[1] == pytest.approx(14e-6)
    block = source.read(rows=slice(2, 4), epoch=source.shape.started)
    assert block.projections.identical(back.projections.isel(row=slice(2, 4)))


def test_fits_and_multipage_files_give_the_same_scan(folder, make_scan):
    want, scan = folder_scan(folder).read(), make_scan()
    for i, frame in enumerate(scan.projections.values):
        fits_file(folder / f"ct_{i}.fits", frame)
    fits_file(folder / "dark.fits", scan.dark.values)
    tifffile.imwrite(folder / "open.tif", scan.open_beam.values, compression="zlib", photometric="minisblack")
    for old, new in [("ct_*.tif", "ct_*.fits"), ("ob_*.tif", "open.tif"), ("dc_*.tif", "dark.fits")]:
        rewrite(folder, old, new)
    source = folder_scan(folder)
    for role in ROLES:
        assert getattr(source.read(), role).identical(getattr(want, role))
        assert np.array_equal(getattr(source.read(rows=slice(1, 3)), role), getattr(want, role)[:, 1:3])


@pytest.mark.parametrize("unit", ["deg", "rad"])
def test_angles_from_a_list(folder, unit):
    (folder / "angles.txt").write_text("0\n1.5\n2.5\n3\n6\n")
    rewrite(folder, "0 to 360 deg inclusive", f"angles.txt in {unit}")
    angle = folder_scan(folder).read().projections.angle.values
    assert np.allclose(angle if unit == "rad" else np.degrees(angle), [0, 1.5, 2.5, 3, 6])


def test_an_exclusive_turn_leaves_out_its_end(folder):
    rewrite(folder, "0 to 360 deg inclusive", "0 to 180 deg exclusive")
    assert np.allclose(np.degrees(folder_scan(folder).read().projections.angle), [0, 36, 72, 108, 144])


def test_a_cone_beam_has_its_distances(folder):
    rewrite(folder, "collimation = 333", 'source_to_object = "89 mm"\nsource_to_detector = "573 mm"')
    beam = folder_scan(folder).shape.beam
    assert isinstance(beam, ConeBeam)
    assert beam.voxel == pytest.approx(14e-6 * 89 / 573)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("modality", "modallity", 'modallity .* Did you mean "modality"'),
        ("collimation", "colimation", 'beam.colimation .* Did you mean "collimation"'),
        ("open_beam", "openbeam", 'frames.openbeam .* Did you mean "open_beam"'),
        ('open_beam = "ob_*.tif"', "", "frames.open_beam in .* must be given"),
        ('"14 um"', '"14 s"', "pixel in .* must be in units of m"),
        ('"14 um"', '"14"', "pixel in"),
        ('"14 um"', "14", "pixel in"),
        ('"14 um"', '"-14 um"', "pixel in .* must be positive"),
        ('"1 h"', '"1 m"', "duration in .* must be in units of s"),
        ("neutron", "muon", "modality in .* must be 'neutron' or 'xray'"),
        ("360 deg inclusive", "360 deg", "angles in .* must be such as"),
        ("360 deg", "360", "angles in .* must be such as"),
        ("333", '333\nsource_to_object = "1 m"', "beam in"),
        ("collimation = 333", 'source_to_object = "573 mm"\nsource_to_detector = "89 mm"', "beam in .* no more than"),
    ],
)
def test_a_wrong_description_is_refused_by_key(folder, old, new, message):
    rewrite(folder, old, new)
    with pytest.raises(InputError, match=message):
        folder_scan(folder)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("ob_*.tif", "open_*.tif", "0 files match the pattern of open_beam"),
        ("count = 5", "count = 6", "5 projections, but count says 6"),
        ("0 to 360 deg inclusive", "none.txt in deg", "no such list of angles"),
        ("0 to 360 deg inclusive", "short.txt in deg", "4 angles for 5 projections"),
        ("0 to 360 deg inclusive", "words.txt in deg", "more than numbers"),
        ("0 to 360 deg inclusive", "nan.txt in deg", "angle 4 is not a number"),
        ("0 to 360 deg inclusive", "90 to 90 deg inclusive", "all 5 angles"),
        ("dc_*.tif", "*.txt", "neither TIFF nor FITS"),
    ],
)
def test_files_that_do_not_match_are_refused(folder, old, new, message):
    for name, text in {"short": "0 1 2 3", "words": "0 1 two 3 4", "nan": "0 1 2 3 nan"}.items():
        (folder / f"{name}.txt").write_text(text)
    rewrite(folder, old, new)
    with pytest.raises(FileError, match=message):
        folder_scan(folder)


def test_a_missing_number_is_refused_by_number(folder):
    (folder / "ct_10.tif").unlink()
    rewrite(folder, "count = 5", "")
    with pytest.raises(FileError, match="number 10 of projections is missing"):
        folder_scan(folder)


def test_names_are_in_the_order_of_their_numbers(folder, make_scan):
    for i in range(5):
        (folder / f"ct_{i + 8:02d}.tif").rename(folder / f"ct_{i + 8}.tif")  # ct_8, ct_9, ct_10, ...
    assert np.array_equal(folder_scan(folder).read().projections, make_scan().projections)


def test_a_frame_of_another_shape_or_type_is_refused_by_name(folder):
    for frame in (np.ones((6, 8), "uint16"), np.ones((6, 7), "uint8")):
        tiff(folder / "ob_09.tif", frame)
        with pytest.raises(FileError, match=r"ob_09\.tif"):
            folder_scan(folder)


def test_saturated_and_undefined_pixels_are_refused(folder, make_scan):
    tiff(folder / "ct_09.tif", np.full((6, 7), 65535, "uint16"))
    with pytest.raises(FileError, match="20 % of the pixels of projections are saturated"):
        folder_scan(folder).read()
    for role, prefix in ROLES.items():
        for i, frame in enumerate(getattr(make_scan(dtype="float32"), role).values):
            tiff(folder / f"{prefix}_{i + 8:02d}.tif", np.where(frame == frame.max(), np.nan, frame))
    with pytest.raises(FileError, match="not finite"):
        folder_scan(folder).read()


def test_a_cut_file_is_refused_by_name(folder):
    content = (folder / "ct_09.tif").read_bytes()
    for length in (0, 5, 40, len(content) - 1):
        (folder / "ct_09.tif").write_bytes(content[:length])
        with pytest.raises(FileError, match=r"ct_09\.tif"):
            folder_scan(folder)


def test_a_file_cut_after_it_was_indexed_is_refused(folder):
    source, content = folder_scan(folder), (folder / "ct_09.tif").read_bytes()
    (folder / "ct_09.tif").write_bytes(content[:-1])
    with pytest.raises(FileError, match=r"ct_09\.tif"):
        source.read()


@pytest.mark.real_data
def test_a_measured_neutron_scan_is_read(measured_data, tmp_path):
    raw = measured_data / "neutron-ct"
    patterns = {"projections": "ct5s", "open_beam": "ob", "dark": "dc"} | {
        "black_body_open": "bbob",
        "black_body_sample": "bbs",
    }
    frames = "\n".join(f'{role} = "{raw / prefix}_*.tif"' for role, prefix in patterns.items())
    head = 'modality = "neutron"\npixel = "100 um"\nangles = "0 to 360 deg inclusive"\ncount = 376\n[frames]\n'
    (tmp_path / "scan.toml").write_text(head + frames)
    source = folder_scan(tmp_path)
    assert dict(source.shape.frames) == {
        "projections": 376,
        "open_beam": 10,
        "dark": 10,
        "black_body_open": 5,
        "black_body_sample": 5,
    }
    block = source.read(rows=slice(60, 70))
    assert block.projections.shape == (376, 10, 835)
    assert np.array_equal(block.projections[99], tifffile.imread(raw / "ct5s_00100.tif")[60:70])
    assert np.allclose(np.degrees(block.projections.angle[[0, 1, 375]]), [0, 0.96, 360])
    # the first and the last projection show the sample from the same side, and no other does
    whole = source.read()
    dark = whole.dark.median("frame")
    seen = (whole.projections[[0, 94, 187, 281, 375]] - dark) / (whole.open_beam.median("frame") - dark)
    alike = np.corrcoef(seen.median("row"))[0]
    assert alike[4] > 0.995
    assert max(alike[1:4]) < 0.95
