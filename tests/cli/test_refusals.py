"""Bad input to a study: a clear line, status 2, before heavy work, and nothing lost or half-written."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
import tifffile
import xarray as xr

from operando.cli.main import main
from operando.io.nxtomo import write_scan
from operando.tomography.scan import ConeBeam, ParallelBeam, Scan

ROWS, COLUMNS, PROJECTIONS, PIXEL = 64, 160, 6, 28e-6
EARLIER = '{"study": "earlier"}'

STUDY = """\
name = "tiny"
cell = "cell-b"
[data]
neutron = "neutron"
xray = "xray"
cycler = "cycler.csv"
"""

Harm = Callable[[Path], object]


def tiny_scan(*, start: float = 0.0, modality: str = "neutron", dtype: type = np.uint16) -> Scan:
    """A scan with nothing in it: enough to be opened and read."""
    dice = np.random.default_rng(0)

    def frames(first: str, number: int, level: float) -> xr.DataArray:
        values = dice.poisson(level, (number, ROWS, COLUMNS)).astype(dtype)
        along = {"row": PIXEL * np.arange(ROWS), "column": PIXEL * np.arange(COLUMNS)}
        return xr.DataArray(values, dims=(first, "row", "column"), coords=along, attrs={"units": "count"})

    angle = ("projection", np.linspace(0, np.pi, PROJECTIONS))
    beam = ParallelBeam(PIXEL) if modality == "neutron" else ConeBeam(PIXEL, 0.089, 0.573)
    projections = frames("projection", PROJECTIONS, 900).assign_coords(angle=angle)
    return Scan(
        "tiny", modality, beam, projections, frames("frame", 3, 1000), frames("frame", 2, 100), start=start, duration=60
    )


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A study of two tiny neutron scans and an X-ray scan, with earlier results that must survive."""
    for folder in ("neutron", "xray", "results"):
        (tmp_path / folder).mkdir()
    for i in range(2):
        write_scan(tmp_path / f"neutron/scan_{i}.nx", tiny_scan(start=3600.0 * i))
    write_scan(tmp_path / "xray/scan_0.nx", tiny_scan(modality="xray"))
    rows = "\n".join(f"{t},{0 if t <= 600 else 0.0001},3.6" for t in range(0, 7300, 100))
    (tmp_path / "cycler.csv").write_text(f"Test Time / s,Current / A,Voltage / V\n{rows}\n")
    (tmp_path / "results/summary.json").write_text(EARLIER)
    (tmp_path / "study.toml").write_text(STUDY)
    return tmp_path / "study.toml"


def refusal(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    said = capsys.readouterr().err
    assert stopped.value.code == 2, said
    assert "Traceback" not in said
    return said


def left(study: Path) -> list[str]:
    folder = study.parent / "results"
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def cut(path: Path, share: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])


def flip_a_frame(path: Path) -> None:
    """Flip one bit of a stored projection."""
    with h5py.File(path) as file:
        place = file["entry/instrument/detector/data"].id.get_chunk_info(
            file["entry/instrument/detector/data"].id.get_num_chunks() - 1
        )
    content = bytearray(path.read_bytes())
    content[place.byte_offset + 500] ^= 4
    path.write_bytes(bytes(content))


def with_one_angle_less(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        sample = file["entry/sample"]
        angles, units = sample["rotation_angle"][:-1], sample["rotation_angle"].attrs["units"]
        del sample["rotation_angle"], file["entry/data/rotation_angle"]
        sample.create_dataset("rotation_angle", data=angles).attrs["units"] = units


def rewritten(path: Path, scan: Scan) -> None:
    path.unlink()
    write_scan(path, scan)


def with_a_hole(path: Path) -> None:
    scan = tiny_scan(start=3600.0, dtype=np.float32)
    scan.projections.values[3, 10, 20] = np.nan
    rewritten(path, scan)


def saturated(path: Path) -> None:
    scan = tiny_scan(start=3600.0)
    scan.projections.values[:, :5] = 65535
    rewritten(path, scan)


def without_open_beam(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        key = file["entry/instrument/detector/image_key"]
        key[...] = np.where(key[...] == 1, 3, key[...])


def smaller(path: Path) -> None:
    scan = tiny_scan(start=3600.0)
    halves = {role: getattr(scan, role)[:, :50] for role in ("projections", "open_beam", "dark")}
    rewritten(path, replace(scan, **halves))


def said_in_toml(old: str, new: str) -> Harm:
    def harm(path: Path) -> None:
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return harm


def with_added(line: str) -> Harm:
    return lambda path: path.write_text(path.read_text() + line)


SECOND = "neutron/scan_1.nx"


@pytest.mark.parametrize(
    ("where", "harm", "says"),
    [
        (SECOND, lambda path: cut(path, 0.5), ["scan_1.nx", "damaged or cut short", "Copy it again"]),
        (SECOND, lambda path: cut(path, 0), ["scan_1.nx"]),
        (SECOND, flip_a_frame, ["scan_1.nx", "damaged"]),
        (SECOND, with_one_angle_less, ["scan_1.nx", "rotation_angle"]),
        (SECOND, with_a_hole, ["scan_1.nx", "1 pixels of projections are not finite"]),
        (SECOND, saturated, ["scan_1.nx", "projections are saturated"]),
        (SECOND, without_open_beam, ["scan_1.nx", "no open_beam frames"]),
        (SECOND, smaller, ["scan_1.nx", "50 x 160 pixels", "unlike the first"]),
        ("neutron", lambda path: [file.unlink() for file in path.iterdir()], ["neutron", "holds no scan"]),
        ("cycler.csv", said_in_toml("Current / A", "Current"), ["cycler.csv", "Current"]),
        ("cycler.csv", said_in_toml("Current / A", "Current / mA"), ["cycler.csv", "Current"]),
        ("cycler.csv", lambda path: path.unlink(), ["cycler.csv"]),
        ("xray", lambda path: rewritten(path / "scan_0.nx", replace(tiny_scan(), modality="xray")), ["cone beam"]),
        ("study.toml", said_in_toml('"xray"', '"neutron"'), ["neutrons, not X-rays", "swapped"]),
        (
            "study.toml",
            said_in_toml('neutron = "neutron"\nxray = "xray"', 'neutron = "xray"\nxray = "neutron"'),
            ["X-rays, not neutrons", "swapped"],
        ),
        ("study.toml", said_in_toml("cycler =", "cycle ="), ["data.cycle in", 'Did you mean "cycler"?']),
        ("study.toml", with_added('clock_offset = "3 m"\n'), ["clock_offset"]),
        ("study.toml", with_added("clock_offset = 1800\n"), ["clock_offset"]),
        ("study.toml", with_added('clock_offset = "1 h"\n'), ["clock_offset", "first charge"]),
        ("study.toml", with_added('[run]\nmemory = "4 V"\n'), ["run.memory"]),
        ("study.toml", said_in_toml('"neutron"', '"nowhere"'), ["nowhere", "no such folder"]),
        ("study.toml", said_in_toml('"cell-b"', '"cell-c"'), ["cell-c"]),
        ("study.toml", said_in_toml('name = "tiny"', "name = tiny"), ["not valid TOML"]),
        ("study.toml", said_in_toml('name = "tiny"', 'name = ""'), ["name in"]),
        ("study.toml", lambda path: path.unlink(), ["no such file"]),
    ],
)
def test_a_bad_input_is_named_and_nothing_is_lost(study, where, harm, says, capsys):
    harm(study.parent / where)
    said = refusal(["run", str(study)], capsys)
    for part in says:
        assert part in said
    assert (study.parent / "results/summary.json").read_text() == EARLIER
    assert left(study) == ["summary.json"]


def test_a_cell_that_does_not_fit_the_image_is_refused(study, capsys):
    for i in range(2):
        scan = tiny_scan(start=3600.0 * i)
        narrow = {role: getattr(scan, role)[:, :, 30:110] for role in ("projections", "open_beam", "dark")}
        rewritten(study.parent / f"neutron/scan_{i}.nx", replace(scan, **narrow))
    assert "outer diameter of the cell must be less than the image's 2.24 mm" in refusal(["run", str(study)], capsys)
    for i in range(2):
        scan = tiny_scan(start=3600.0 * i)
        low = {role: getattr(scan, role)[:, :20] for role in ("projections", "open_beam", "dark")}
        rewritten(study.parent / f"neutron/scan_{i}.nx", replace(scan, **low))
    assert "height of the cell's stack must be less than the image's 0.56 mm" in refusal(["run", str(study)], capsys)
    assert left(study) == ["summary.json"]


@pytest.mark.parametrize("harm", ["cut", "lost", "angles"])
def test_a_folder_of_damaged_tiff_files_is_refused(study, harm, capsys):
    (study.parent / SECOND).unlink()
    (study.parent / "neutron/scan_0.nx").unlink()
    folder, scan = study.parent / "neutron/first", tiny_scan()
    folder.mkdir()
    for prefix, frames in (("ct", scan.projections), ("ob", scan.open_beam), ("dc", scan.dark)):
        for i, frame in enumerate(frames.values):
            tifffile.imwrite(folder / f"{prefix}_{i:02d}.tif", frame)
    count = PROJECTIONS + (harm == "angles")
    (folder / "scan.toml").write_text(
        f'modality = "neutron"\npixel = "28 um"\nangles = "0 to 180 deg inclusive"\ncount = {count}\n'
        '[frames]\nprojections = "ct_*.tif"\nopen_beam = "ob_*.tif"\ndark = "dc_*.tif"\n'
    )
    if harm == "cut":
        cut(folder / "ct_03.tif", 0.6)
    if harm == "lost":
        (folder / "ct_03.tif").unlink()
    said = refusal(["run", str(study)], capsys)
    assert {"cut": "ct_03.tif", "lost": "ct_", "angles": "count says 7"}[harm] in said
    assert left(study) == ["summary.json"]


def test_check_describes_the_run_and_writes_nothing(study, capsys):
    before = sorted(study.parent.rglob("*"))
    main(["check", str(study)])
    said = capsys.readouterr().out
    assert "2, each 6 projections of 64 x 160 pixels" in said
    assert "nothing yet" in said
    assert sorted(study.parent.rglob("*")) == before


def test_check_refuses_what_run_would(study, capsys):
    (study.parent / "cycler.csv").unlink()
    assert "cycler.csv" in refusal(["check", str(study)], capsys)


def test_a_memory_limit_that_holds_no_block_is_refused(study, capsys):
    study.write_text(study.read_text() + '[run]\nmemory = "100 MB"\n')
    assert "run.memory must be at least" in refusal(["check", str(study)], capsys)


def test_a_full_disk_is_refused(study, capsys, monkeypatch):
    monkeypatch.setattr("operando.study.plan.shutil.disk_usage", lambda path: SimpleNamespace(free=1000))
    assert "Make room" in refusal(["check", str(study)], capsys)
