"""The command line as people meet it: answers, refusals, exit status."""

import subprocess
import sys

import pytest

from operando.cli.main import main


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
    ("arguments", "says"),
    [
        (["materials", "Xx2", "--density", "1 g/cm^3"], "Xx"),
        (["materials", "Na3PS4"], "--density must be given"),
        (["materials", "LiFePO4", "--density", "3.6"], "measures something else"),
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
