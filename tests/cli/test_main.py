"""The command line as people meet it: answers, refusals, exit status."""

import subprocess
import sys

import pytest

from operando.cli.main import main
from operando.materials.magnetic_table import magnetic_material_from_name


def exit_status(arguments: list[str]) -> int:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    return int(stopped.value.code or 0)


def test_materials_prints_the_published_attenuation(capsys: pytest.CaptureFixture[str]) -> None:
    main(["materials", "7Li5.5PS4.5Cl1.5", "--density", "1.87 g/cm^3"])
    said = capsys.readouterr().out
    whole = next(line.split() for line in said.splitlines() if line.split()[:1] == ["all"])
    assert float(whole[4]) == pytest.approx(0.550, rel=2e-3)
    assert "vestin2026" in said


@pytest.mark.parametrize(
    ("name", "atoms", "susceptibility"),
    [
        ("NMC111", ["Li", "Ni", "Mn", "Co", "O"], magnetic_material_from_name("NMC111").volume),
        ("lto", ["Li", "Ti", "O"], magnetic_material_from_name("LTO").volume),
        ("graphite", ["C"], magnetic_material_from_name("graphite (powder)").volume),
        # on the straight line from 1.3e-9 at x = 1 to 7.2e-9 m^3/mol at x = 0.6, per 19.38 cm^3/mol
        ("Li0.8CoO2", ["Li", "Co", "O"], 4.25e-9 / 1.938e-5),
        ("7Li0.8CoO2", ["Li-7", "Co", "O"], 4.25e-9 / 1.938e-5),
        # a formula, not the metal whose symbol has the same letters
        ("Co", ["Co"], None),
    ],
)
def test_materials_knows_formulae_and_names_of_the_magnetic_tables(name, atoms, susceptibility, capsys) -> None:
    main(["materials", name])
    lines = capsys.readouterr().out.splitlines()
    start = next(i for i, line in enumerate(lines) if "atom %" in line)
    assert [line.split()[0] for line in lines[start + 1 : start + 1 + len(atoms)]] == atoms
    said = [line.split()[1] for line in lines if line.lstrip().startswith("susceptibility")]
    assert [float(value) for value in said] == (
        [] if susceptibility is None else [pytest.approx(susceptibility, rel=0.01)]
    )


def test_materials_draws_the_curve_of_lithium_with_the_material_marked(tmp_path, capsys) -> None:
    path = tmp_path / "curve.png"
    main(["materials", "Li0.8CoO2", "--figure", str(path)])
    assert path.read_bytes().startswith(b"\x89PNG")
    assert f"{path}: written" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["materials", "Xx2", "--density", "1 g/cm^3"], "Xx"),
        (["materials", "Na3PS4"], "--density must be given"),
        (["materials", "LiFePO4", "--density", "3.6"], "measures something else"),
        (["materials", "nmc81"], 'Did you mean "NMC811"'),
        (["materials", "CO2"], "--density must be given for CO2"),
        (["materials", "Na3PS4", "--density", "2.2 g/cm^3", "--figure", "a.png"], "--figure must be asked for"),
        (["materials", "LiCoO2", "--figure", "a.pdf"], "--figure must be a path that ends in .png"),
        (["materials", "LiCoO2", "--figure", "nowhere/a.png"], "there is no folder nowhere"),
        (["run", "nowhere.toml"], "no such file"),
        (["run"], "STUDY"),
        (["rum", "study.toml"], "rum"),
        (["simulate", "cell-b", "--out", "x", "--size", "huge"], "huge"),
        (
            ["simulate", "cell-b", "--out", "x", "--evolution", "prescribed", "--tracer-diffusivity", "1e-12 m^2/s"],
            "left out where the evolution is prescribed",
        ),
        (["simulate", "cell-b", "--out", "x", "--evolution", "prescribed", "--exchange", "3"], "exchange"),
        (["simulate", "cell-b", "--out", "x", "--tracer-diffusivity", "1e-12 m"], "tracer_diffusivity"),
        (["simulate", "cell-b", "--out", "x", "--exchange", "-1"], "exchange"),
    ],
)
def test_bad_input_is_refused_with_status_2(arguments, says, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_status(arguments) == 2
    said = capsys.readouterr().err
    assert says in said
    assert "Traceback" not in said


def test_help_imports_nothing_heavy() -> None:
    heavy = "numpy,xarray,jax,scipy,matplotlib,pint,numba,SimpleITK,zarr,pydantic"
    program = (
        "import sys; from operando.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        f"print([m for m in '{heavy}'.split(',') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip().endswith("[]")
    assert "simulate" in done.stdout
