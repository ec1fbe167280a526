import contextlib
import os
import random
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from operando.errors import FileError, InputError
from operando.io.nxtomo import NXtomoWriter, write_scan
from operando.io.nxtomo_reader import read_scan, scan_shape
from operando.io.recorded import ROLES, UNIX_EPOCH
from operando.tomography.scan import ConeBeam, ParallelBeam

DETECTOR = "entry/instrument/detector"
rewrite = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def same(one, other):
    """Whether two scans are the same in every value (angles to rounding: a file holds degrees)."""
    facts = [(s.name, s.modality, s.beam, s.start, s.duration) for s in (one, other)]
    if facts[0] != facts[1]:
        return False
    for role in ROLES:
        a, b = getattr(one, role), getattr(other, role)
        if (a is None) != (b is None):
            return False
        if a is not None and not (a.dtype == b.dtype and np.array_equal(a.values, b.values)):
            return False
        if a is not None and "angle" in a.coords and not np.allclose(a.angle, b.angle, rtol=0, atol=1e-14):
            return False
    return True


@pytest.fixture
def written(tmp_path, make_scan):
    path = tmp_path / "scan.nx"
    write_scan(path, make_scan())
    return path


def plain(source, path, change):
    """Copy an NXtomo file into one that any program may have written, without checksums, and change it."""
    with h5py.File(source) as old, h5py.File(path, "w") as new:
        old.copy("entry", new)
        for key in (f"{DETECTOR}/image_key", "entry/sample/rotation_angle", f"{DETECTOR}/data"):
            values, attributes = old[key][()], dict(old[key].attrs)
            del new[key]
            new[key] = values
            new[key].attrs.update(attributes)
        change(new)
    return path


def put(file, key, values):
    attributes = dict(file[key].attrs) if key in file else {}
    if key in file:
        del file[key]
    file[key] = values
    file[key].attrs.update(attributes)


@pytest.mark.parametrize("cone", [False, True])
@pytest.mark.parametrize("dtype", ["int32", "uint16", "float32"])
def test_a_scan_comes_back_as_it_was(tmp_path, make_scan, cone, dtype):
    scan = make_scan(cone=cone, dtype=dtype)
    write_scan(tmp_path / "scan.nx", scan)
    assert same(read_scan(tmp_path / "scan.nx"), scan)


@rewrite
@given(
    frames=arrays("uint16", st.tuples(st.integers(1, 4), st.just(3), st.just(5)), elements=st.integers(0, 65534)),
    start=st.floats(-1e9, 4e9),
    collimation=st.floats(1, 1e6) | st.just(float("inf")),
)
def test_any_counts_and_times_come_back(tmp_path, make_scan, frames, start, collimation):
    scan = make_scan(projections=len(frames), shape=(3, 5))
    scan = replace(scan, projections=scan.projections.copy(data=frames), start=start)
    scan = replace(scan, beam=ParallelBeam(14e-6, collimation), black_body_open=None, black_body_sample=None)
    write_scan(tmp_path / "scan.nx", scan)
    back = read_scan(tmp_path / "scan.nx")
    assert abs(back.start - start) <= 1e-6  # a time is written to the microsecond
    assert same(replace(back, start=start, duration=scan.duration), scan)


def test_a_block_of_rows_is_that_part_of_the_whole(written):
    whole, block = read_scan(written), read_scan(written, rows=slice(2, 5))
    for role in ROLES:
        assert getattr(block, role).identical(getattr(whole, role).isel(row=slice(2, 5)))


def test_projections_may_hold_fewer_rows_than_the_reference_frames(written):
    whole, thin = read_scan(written), read_scan(written, projection_rows=slice(2, 3))
    for role in ROLES:
        rows = slice(2, 3) if role == "projections" else slice(0, 6)
        assert getattr(thin, role).identical(getattr(whole, role).isel(row=rows))


@pytest.mark.parametrize("rows", [slice(3, 3), slice(0, 7), slice(-2, 4), slice(0, 6, 2), slice(6, None)])
def test_a_block_outside_the_detector_is_refused(written, rows):
    with pytest.raises(InputError, match="rows"):
        read_scan(written, rows=rows)


def test_shape_is_known_without_reading_frames(written, make_scan):
    shape = scan_shape(written)
    assert (shape.projections, shape.rows, shape.columns, shape.pixel) == (5, 6, 7, 14e-6)
    assert shape.frames == {
        "projections": 5,
        "open_beam": 3,
        "dark": 2,
        "black_body_open": 1,
        "black_body_sample": 2,
    }
    assert shape.started == UNIX_EPOCH + timedelta(seconds=7200.25)
    assert shape.nbytes == 13 * 6 * 7 * 2


def test_blocks_and_interleaved_frames_are_sorted_by_role(tmp_path, make_scan):
    scan = make_scan(projections=6)
    angle = scan.projections.angle.values
    with NXtomoWriter(tmp_path / "s.nx", name="s", modality="neutron", beam=ParallelBeam(1e-5), shape=(6, 7)) as writer:
        writer.append("open_beam", scan.open_beam.values[0])
        writer.append("projections", scan.projections.values[:2], angle=angle[:2])
        writer.append("dark", scan.dark.values)
        writer.append("projections", scan.projections.values[2], angle=angle[2])
        writer.append("open_beam", scan.open_beam.values[1:])
        writer.append("projections", scan.projections.values[3:], angle=angle[3:])
    back = read_scan(tmp_path / "s.nx")
    for role in ("projections", "open_beam", "dark"):
        assert np.array_equal(getattr(back, role).values, getattr(scan, role).values)
    assert np.allclose(back.projections.angle, angle, atol=1e-14)


def test_the_clock_starts_at_the_epoch(tmp_path, make_scan):
    epoch = datetime(2024, 5, 17, 9, 30, tzinfo=timezone(timedelta(hours=2)))
    write_scan(tmp_path / "s.nx", make_scan(), epoch=epoch)
    assert scan_shape(tmp_path / "s.nx").started == datetime(2024, 5, 17, 9, 30, 0, 250000, tzinfo=UTC)
    assert read_scan(tmp_path / "s.nx", epoch=epoch).start == 7200.25
    assert read_scan(tmp_path / "s.nx", epoch=epoch + timedelta(hours=1)).start == 3600.25


def test_distances_have_the_signs_of_nexus(tmp_path, make_scan):
    write_scan(tmp_path / "s.nx", make_scan(cone=True))
    with h5py.File(tmp_path / "s.nx") as file:
        assert file["entry/instrument/source/distance"][()] == -0.089
        assert file[f"{DETECTOR}/distance"][()] == pytest.approx(0.484, rel=1e-12)
        assert set(file[f"{DETECTOR}/image_key"][()]) == {0, 1, 2, 3}
        assert file["entry/definition"].asstr()[()] == "NXtomo"


def test_a_distant_synchrotron_or_neutron_source_is_no_cone(tmp_path, written):
    def change(file):
        put(file, "entry/instrument/source/distance", -30.0)
        file["entry/instrument/source/distance"].attrs["units"] = "m"

    assert isinstance(scan_shape(plain(written, tmp_path / "n.nx", change)).beam, ParallelBeam)

    def tube(file):
        change(file)
        put(file, "entry/instrument/source/probe", "x-ray")

    assert scan_shape(plain(written, tmp_path / "t.nx", tube)).beam == ConeBeam(14e-6, 30.0, 30.005)


def test_files_of_other_programs_are_read(tmp_path, written, make_scan):
    def elsewhere(file):
        file.move("entry", "entry0000")
        detector = file["entry0000/instrument/detector"]
        del file["entry0000/data"], detector["black_body"]
        for axis in "xy":
            put(detector, f"{axis}_pixel_size", 14.0)
            detector[f"{axis}_pixel_size"].attrs["units"] = "um"
        file["entry0000/frames"] = h5py.SoftLink("/entry0000/instrument/detector/data")
        put(file, "entry0000/start_time", "2024-05-17T09:30:00+02:00")
        put(file, "entry0000/end_time", "2024-05-17T10:30:00+02:00")

    shape = scan_shape(plain(written, tmp_path / "esrf.nx", elsewhere))
    assert shape.pixel == pytest.approx(14e-6, rel=1e-12)
    assert shape.duration == 3600
    assert set(shape.frames) == {"projections", "open_beam", "dark"}  # key 3 alone means an invalid frame


def nothing(file):
    pass


def drop(key):
    return lambda file: file.__delitem__(key)


def unit(key, name):
    def change(file):
        if name is None:
            del file[key].attrs["units"]
        else:
            file[key].attrs["units"] = name

    return change


def angles(edit):
    def change(file):
        values = file["entry/sample/rotation_angle"][()]
        put(file, "entry/sample/rotation_angle", edit(values))

    return change


def pixels(edit):
    def change(file):
        put(file, f"{DETECTOR}/data", edit(file[f"{DETECTOR}/data"][()]))

    return change


def with_nan(values):
    values = values.astype("float32")
    values[-1, 0, 0] = np.nan
    return values


def saturated(values):
    values[-1, :2] = 65535
    return values


def keys(old, new):
    def change(file):
        values = file[f"{DETECTOR}/image_key"][()]
        put(file, f"{DETECTOR}/image_key", np.where(values == old, new, values))

    return change


def elsewhere(file):
    del file[f"{DETECTOR}/data"]
    file[f"{DETECTOR}/data"] = h5py.ExternalLink("other.h5", "data")


def external_storage(file):
    del file[f"{DETECTOR}/data"]
    file[DETECTOR].create_dataset("data", (13, 6, 7), "uint16", external=[("other.bin", 0, h5py.h5f.UNLIMITED)])


def virtual(file):
    del file[f"{DETECTOR}/data"]
    layout = h5py.VirtualLayout((13, 6, 7), "uint16")
    layout[:] = h5py.VirtualSource("other.h5", "data", (13, 6, 7))
    file[DETECTOR].create_virtual_dataset("data", layout)


def huge(file):
    del file[f"{DETECTOR}/data"]
    file[DETECTOR].create_dataset("data", (13, 2**20, 2**20), "uint16", chunks=(1, 1024, 1024), compression="gzip")


def huge_and_never_written(file):
    del file[f"{DETECTOR}/data"]
    file[DETECTOR].create_dataset("data", (13, 2**15, 2**15), "uint16")


def missing_chunk(file):
    del file[f"{DETECTOR}/data"]
    data = file[DETECTOR].create_dataset("data", (13, 6, 7), "uint16", chunks=(1, 6, 7))
    data[:12] = 5


def circle(file):
    del file[f"{DETECTOR}/data"]
    file[f"{DETECTOR}/data"] = h5py.SoftLink(f"/{DETECTOR}/data")


def second_entry(file):
    file.copy("entry", "entry2")


BAD = {
    "no open beam": (keys(1, 3), "no open_beam frames"),
    "no dark": (keys(2, 3), "no dark frames"),
    "no projections": (keys(0, 3), "no projections frames"),
    "unknown key": (keys(0, 7), "image_key 7"),
    "an angle too few": (angles(lambda a: a[:-1]), "12 values for 13 frames"),
    "angle is no number": (angles(lambda a: np.where(a == a[-1], np.nan, a)), "is not a number"),
    "angles all alike": (angles(np.zeros_like), "all 5 angles are 0 deg"),
    "no angles": (drop("entry/sample/rotation_angle"), "rotation_angle is missing"),
    "no frames": (drop(f"{DETECTOR}/data"), "detector/data is missing"),
    "angle without unit": (unit("entry/sample/rotation_angle", None), "no units"),
    "pixel without unit": (unit(f"{DETECTOR}/x_pixel_size", None), "no units"),
    "pixel in seconds": (unit(f"{DETECTOR}/x_pixel_size", "s"), 'units "s", not m'),
    "pixel in nonsense": (unit(f"{DETECTOR}/x_pixel_size", "9**9**7 m"), "units"),
    "pixels not square": (unit(f"{DETECTOR}/x_pixel_size", "mm"), "square"),
    "pixel negative": (lambda f: f[f"{DETECTOR}/x_pixel_size"].__setitem__((), -1.0), "square"),
    "not a number": (pixels(with_nan), "1 pixels of projections are not finite"),
    "saturated": (pixels(saturated), "% of the pixels of projections are saturated"),
    "flat": (pixels(lambda v: v[0]), "shape"),
    "complex": (pixels(lambda v: v.astype(complex)), "type complex128"),
    "other probe": (lambda f: put(f, "entry/instrument/source/probe", "muon"), "probe is 'muon'"),
    "no probe": (drop("entry/instrument/source/probe"), "probe is None"),
    "ends before start": (lambda f: put(f, "entry/end_time", "1969-01-01T00:00:00"), "before it starts"),
    "no such time": (lambda f: put(f, "entry/start_time", "yesterday"), 'start_time is "yesterday"'),
    "another definition": (lambda f: put(f, "entry/definition", "NXsas"), "holds 0 entries"),
    "two scans": (second_entry, "holds 2 entries"),
    "external link": (elsewhere, "lies in another file"),
    "external storage": (external_storage, "lie in another file"),
    "virtual": (virtual, "lie in another file"),
    "chunks that are not there": (huge, "chunks of .* were never written"),
    "more than the file holds": (huge_and_never_written, "claims 27917287424 bytes"),
    "missing chunk": (missing_chunk, "1 of 13 chunks"),
    "linked in a circle": (circle, "circle"),
    "collimation": (lambda f: f["entry/instrument/collimator/length_over_diameter"].__setitem__((), 0.0), "L/D"),
}


def test_the_plain_copy_itself_is_sound(tmp_path, written, make_scan):
    assert same(read_scan(plain(written, tmp_path / "plain.nx", nothing)), make_scan())


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_refused_with_its_name_and_a_remedy(tmp_path, written, case):
    change, message = BAD[case]
    path = plain(written, tmp_path / "bad.nx", change)
    with pytest.raises(FileError, match=message) as refusal:
        read_scan(path)
    assert refusal.value.path == str(path)
    assert str(refusal.value).rstrip().endswith(".")
    assert "Traceback" not in str(refusal.value)


def test_a_leaping_angle_is_refused_but_other_orders_are_not(tmp_path, make_scan):
    scan = make_scan(projections=40)
    turn = np.linspace(0, 2 * np.pi, 40)
    golden = np.arange(40) * np.pi * (np.sqrt(5) - 1) % np.pi
    for angle in (turn, -turn, golden, np.tile(turn[::2], 2), np.repeat(turn[::2], 2)):
        sound = replace(scan, projections=scan.projections.assign_coords(angle=("projection", angle)))
        write_scan(tmp_path / "s.nx", sound)
        assert np.allclose(read_scan(tmp_path / "s.nx").projections.angle, angle, atol=1e-12)
    turn[17] = 0.1
    write_scan(tmp_path / "s.nx", replace(scan, projections=scan.projections.assign_coords(angle=("projection", turn))))
    with pytest.raises(FileError, match="angle 17 "):
        read_scan(tmp_path / "s.nx")


def test_a_stated_saturation_value_counts(tmp_path, written):
    path = plain(written, tmp_path / "s.nx", lambda f: put(f, f"{DETECTOR}/saturation_value", 600.0))
    with pytest.raises(FileError, match="saturated"):
        read_scan(path)


@pytest.mark.parametrize("content", [b"", b"no hdf5", b"\x89HDF\r\n\x1a\n" + bytes(100)])
def test_what_is_no_hdf5_is_refused(tmp_path, content):
    (tmp_path / "s.nx").write_bytes(content)
    with pytest.raises(FileError, match=r"s\.nx"):
        read_scan(tmp_path / "s.nx")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(FileError, match="no such file"):
        scan_shape(tmp_path / "none.nx")


def test_a_file_cut_anywhere_is_refused(tmp_path, written):
    content = written.read_bytes()
    for length in np.linspace(1, len(content) - 1, 60, dtype=int):
        (tmp_path / "cut.nx").write_bytes(content[:length])
        with pytest.raises(FileError, match=r"cut\.nx"):
            read_scan(tmp_path / "cut.nx")


@pytest.mark.parametrize("flips", [300, pytest.param(3000, marks=pytest.mark.slow)])
def test_a_flipped_bit_is_refused_or_changes_nothing(tmp_path, written, flips):
    content, scan, dice = written.read_bytes(), read_scan(written), random.Random(flips)
    refused = 0
    for _ in range(flips):
        damaged = bytearray(content)
        place, bit = dice.randrange(len(content)), dice.randrange(8)
        damaged[place] ^= 1 << bit
        (tmp_path / "flipped.nx").write_bytes(damaged)
        try:
            back = read_scan(tmp_path / "flipped.nx")
        except FileError:
            refused += 1
        else:
            assert same(back, scan), f"bit {bit} of byte {place} changed the scan without an error"
    assert refused > flips / 2  # most of the file carries meaning


def test_random_rubbish_over_a_file_never_escapes_as_another_error(tmp_path, written):
    content, scan, dice, unharmed = written.read_bytes(), read_scan(written), random.Random(5), 0
    for _ in range(100):
        damaged = bytearray(content)
        start = dice.randrange(len(content))
        damaged[start : start + 40] = dice.randbytes(40)
        (tmp_path / "rubbish.nx").write_bytes(damaged)
        with contextlib.suppress(FileError):
            assert same(read_scan(tmp_path / "rubbish.nx"), scan)
            unharmed += 1
    assert unharmed < 50


def test_a_failing_writer_leaves_nothing(tmp_path, make_scan):
    def fail():
        with NXtomoWriter(
            tmp_path / "s.nx", name="s", modality="neutron", beam=ParallelBeam(1e-5), shape=(6, 7)
        ) as writer:
            writer.append("dark", make_scan().dark.values)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_an_older_file_survives_a_failing_writer(written, make_scan):
    before = written.read_bytes()
    with pytest.raises(InputError, match="open_beam"):
        write_scan(written, replace(make_scan(), open_beam=make_scan().open_beam.isel(frame=slice(0))))
    assert written.read_bytes() == before
    assert list(written.parent.iterdir()) == [written]


def test_a_killed_writer_leaves_nothing_at_the_final_path(tmp_path):
    code = f"""
        import numpy as np, sys
        from pathlib import Path
        from operando.io.nxtomo import NXtomoWriter
        from operando.tomography.scan import ParallelBeam
        path = Path({str(tmp_path / "s.nx")!r})
        with NXtomoWriter(path, name="s", modality="neutron", beam=ParallelBeam(1e-5), shape=(64, 64)) as writer:
            for i in range(1000000):
                writer.append("projections", np.ones((64, 64), "u2"), angle=np.array([i * 1e-3]))
                if i == 20:
                    print("under way", flush=True)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline().strip() == b"under way"
        os.kill(process.pid, signal.SIGKILL)
    assert not (tmp_path / "s.nx").exists()
    assert [path.name for path in tmp_path.iterdir()] == [".s.nx.unfinished"]


def test_the_writer_refuses_what_does_not_fit(tmp_path):
    place = {"name": "s", "modality": "neutron", "beam": ParallelBeam(1e-5), "shape": (6, 7)}
    frame = np.ones((6, 7), "uint16")
    for role, frames, angle, name in [
        ("projections", frame, None, "angle"),
        ("projections", np.ones((2, 6, 7), "uint16"), np.array([0.0]), "angle"),
        ("open_beam", np.ones((6, 8), "uint16"), None, "open_beam"),
        ("open_beam", frame.astype(float), None, "open_beam"),
        ("flat", frame, None, "role"),
    ]:
        with pytest.raises(InputError, match=name), NXtomoWriter(tmp_path / "s.nx", **place) as writer:
            writer.append(role, frames, angle=angle)
    with pytest.raises(FileError, match="no folder"):
        NXtomoWriter(tmp_path / "none" / "s.nx", **place)
    assert list(tmp_path.iterdir()) == []
