"""``operando plan magnetic``: answers, refusals, exit status."""

from pathlib import Path

import pytest

from operando.cell.builtin import load_scene
from operando.cli.main import main

SCENE = """\
name = "small"
seed = 1
[section]
width = "8 um"
depth = "4 um"
voxel = "200 nm"
dimensions = 2
[electrolyte]
material = "LLZO"
conductivity = "3e-4 S/cm"
grain_size = "2 um"
[negative]
material = "lithium"
conductivity = "1.08e7 S/m"
thickness = "1 um"
[separator]
thickness = "8 um"
[positive]
thickness = "6 um"
[positive.particles]
material = "LiCoO2"
conductivity = "1e-3 S/cm"
fraction = "50 %"
diameter = "3 um"
"""

DENDRITE = """\
[separator.dendrite]
position = "4 um"
depth = "0.5 um"
length = "5 um"
width = "600 nm"
"""


@pytest.fixture
def scene(tmp_path: Path) -> str:
    path = tmp_path / "small.toml"
    path.write_text(SCENE)
    return str(path)


def exit_status(arguments: list[str]) -> int:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    return int(stopped.value.code or 0)


def answer(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> dict[str, str]:
    main(["plan", "magnetic", *arguments])
    said = capsys.readouterr().out
    lines = [line.split("  ", 1) for line in said.splitlines() if "  " in line and line[0] not in " bNB"]
    return {name: rest.strip() for name, rest in lines} | {"all": said}


def test_the_cathode_is_seen_in_less_than_a_second_a_pixel(scene: str, capsys: pytest.CaptureFixture[str]) -> None:
    plan = answer(capsys, [scene, "--signal", "cathode"])
    assert plan["Answer"].startswith("yes")
    assert "ms a pixel" in plan["Answer"]
    # near 10 uT at 100 mT (Fig. 4b of Pollok et al. 2025)
    contrast = plan["Contrast"].split()
    assert contrast[1] == "uT"
    assert 3 < float(contrast[0]) < 20


def test_ten_times_the_distance_turns_yes_into_no(scene: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(capsys, [scene, "--signal", "lithiation"])["Answer"].startswith("yes")
    far = answer(capsys, [scene, "--signal", "lithiation", "--nearest", "5 um"])
    assert far["Answer"].startswith("no")
    assert "resolves 5 um" in far["Answer"] or "are allowed" in far["Answer"]


def test_what_the_curve_does_not_tell_no_time_tells(scene: str, capsys: pytest.CaptureFixture[str]) -> None:
    flat = answer(capsys, [scene, "--signal", "lithiation", "--lithium", "0.45", "--change", "0.1"])
    assert flat["Answer"].startswith("no")
    assert "no contrast" in flat["Answer"]
    assert "hardly tells" in flat["all"]


def test_three_times_the_field_makes_three_times_the_contrast(scene: str, capsys: pytest.CaptureFixture[str]) -> None:
    weak, strong = (
        answer(capsys, [scene, "--signal", "lithiation", "--field", field, "--misalignment", "0 deg"])
        for field in ("20 mT", "60 mT")
    )
    assert "20 mT along" in weak["Applied"]
    assert "60 mT along" in strong["Applied"]
    ratio = float(strong["Contrast"].split()[0]) / float(weak["Contrast"].split()[0])
    units = {"nT": 1e-9, "uT": 1e-6}
    ratio *= units[strong["Contrast"].split()[1]] / units[weak["Contrast"].split()[1]]
    assert ratio == pytest.approx(3, rel=0.01)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--signal", "dendrite"], "one with a dendrite"),
        (["--signal", "phonons"], "phonons"),
        (["--signal", "cathode", "--field", "100"], "units of T"),
        (["--signal", "cathode", "--field", "0 mT"], "must be positive"),
        (["--signal", "cathode", "--longest", "3 um"], "measures something else"),
        (["--signal", "cathode", "--significance", "0"], "must be positive"),
        (["--signal", "cathode", "--nearest=-1 nm"], "--nearest"),
        (["--signal", "cathode", "--misalignment", "120 deg"], "received 120 deg"),
        (["--signal", "lithiation", "--change", "nan"], "Input change must be"),
        (["--signal", "lithiation", "--lithium", "nan"], "Input lithium must be"),
        (["--signal", "cathode", "--lithium", "1.4"], "between 0 and 1"),
        (["--signal", "lithiation", "--change", "0.9"], "Input change must be such that x = 0.8"),
        ([], "signal"),
    ],
)
def test_bad_input_is_refused_with_status_2(
    scene: str, arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_status(["plan", "magnetic", scene, *arguments]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert "Traceback" not in said


def test_a_scene_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_status(["plan", "magnetic", "nowhere", "--signal", "cathode"]) == 2
    assert "llzo-section" in capsys.readouterr().err


def test_other_active_materials_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "nmc.toml"
    path.write_text(SCENE.replace('material = "LiCoO2"', 'material = "NMC811"'))
    assert load_scene(path).positive.particles.material == "NMC811"
    assert exit_status(["plan", "magnetic", str(path), "--signal", "cathode"]) == 2
    assert "susceptibility follows lithium" in capsys.readouterr().err


def test_a_dendrite_stands_out_less_than_the_cathode(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "grown.toml"
    path.write_text(SCENE + DENDRITE)
    seen = answer(capsys, [str(path), "--signal", "dendrite"])
    assert seen["Answer"].startswith("yes")
    value, unit = seen["Contrast"].split()[:2]
    # about ten times weaker than the cathode's 10 uT; the electrolyte's diamagnetism doubles it
    assert 0.3e-6 < float(value) * {"nT": 1e-9, "uT": 1e-6}[unit] < 2e-6


def test_a_current_too_weak_is_refused_with_what_would_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "grown.toml"
    path.write_text(SCENE + DENDRITE)
    weak = answer(capsys, [str(path), "--signal", "current", "--current", "1 mA/cm^2"])
    assert weak["Answer"].startswith("no")
    assert "would do" in weak["Answer"]
    needed = weak["Answer"].split("; ")[1].removesuffix(" would do")
    assert answer(capsys, [str(path), "--signal", "current", "--current", needed])["Contrast"] != weak["Contrast"]
    enough = f"{1.02 * float(needed.split()[0]):.4g} mA/cm^2"
    assert answer(capsys, [str(path), "--signal", "current", "--current", enough])["Answer"].startswith("yes")
    assert "displacement" in weak["all"]
