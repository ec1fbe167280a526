"""The command line: ``operando run STUDY.toml`` and its companions.

Everything heavy is imported by the command that needs it, so that ``--help`` answers at once.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, CycloptsError, Parameter

from operando import __version__
from operando.errors import OperandoError, RunError

if TYPE_CHECKING:
    from operando.electrochemistry.prescribed import Prescribed
    from operando.electrochemistry.transport.settings import TransportSettings

app = App(
    name="operando",
    help="Where the lithium is, and where the current flows, inside a working battery.",
    version=__version__,
    suppress_keyboard_interrupt=False,
)


@app.command
def run(study: Path, /, *, fresh: bool = False) -> None:
    """Run a study: from raw scans to maps of lithium, from spectra or fields to currents, with figures and a report.

    Parameters
    ----------
    study
        The study's TOML file.
    fresh
        Compute everything again, even what is already there.
    """
    from operando.cli.progress import progress
    from operando.study.run import run_study
    from operando.study.settings import read_study

    with progress() as tell:
        summary = run_study(read_study(study), study_file=study, tell=tell, fresh=fresh)
    _say(f"{summary.text()}\n\nReport: {summary.report}")


@app.command
def check(study: Path, /) -> None:
    """Say what a study would run, and how much memory, disk and time it takes.

    Parameters
    ----------
    study
        The study's TOML file.
    """
    from operando.study.check import check_text
    from operando.study.settings import read_study

    _say(check_text(read_study(study)))


@app.command
def simulate(
    cell: str,
    /,
    *,
    out: Path,
    size: Literal["small", "paper"] = "small",
    seed: int = 0,
    evolution: Literal["transport", "prescribed"] = "transport",
    exchange: float | None = None,
    tracer_diffusivity: str | None = None,
    scans: int | None = None,
) -> None:
    """Simulate a cell at the beamline: raw files as the instrument would write them, and a study file to run.

    Parameters
    ----------
    cell
        A built-in cell (cell-a, cell-b) or a TOML description.
    out
        Folder to write; it must not hold anything yet.
    size
        Pixels of 28 um (small) or 14 um (paper).
    seed
        Same seed, same bits.
    evolution
        Lithium solved for from charge conservation, kinetics and diffusion, or along prescribed fronts.
    exchange
        Transport: the rate at which particles and electrolyte exchange isotopes, over that of the exchange current;
        1 by default. Prescribed: how far the two mix in the cathode, from 0 (none) to 1 (full); 0.5 by default.
    tracer_diffusivity
        Of lithium in the electrolyte, such as "1e-12 m^2/s"; with --evolution transport only.
    scans
        Only the first so many tomographies.
    """
    from operando.cli.progress import progress
    from operando.study.simulated import simulate_study

    settings = _followed(evolution, exchange, tracer_diffusivity)
    with progress() as tell:
        study = simulate_study(cell, out=out, size=size, seed=seed, scans=scans, tell=tell, evolution=settings)
    _say(f"Wrote {out}. Next: operando run {study}")


@app.command
def materials(
    formula: str,
    /,
    *,
    density: str | None = None,
    lithium6: Annotated[str | None, Parameter(help="Li-6 fraction of the lithium, such as '1 %'.")] = None,
    energy: Annotated[str, Parameter(help="X-ray energy.")] = "60 keV",
    figure: Annotated[
        Path | None, Parameter(help="Write a picture (PNG) of its magnetic susceptibility, of LixCoO2 against lithium.")
    ] = None,
) -> None:
    """Show what a material is made of, how it attenuates neutrons and X-rays, and how it answers a magnetic field.

    Parameters
    ----------
    formula
        With isotopes where they matter, such as "7Li5.5PS4.5Cl1.5"; or a name, such as "NMC111" or "graphite".
    density
        Such as "1.87 g/cm^3"; looked up where it is known.
    """
    from operando.cli.materials import sheet_text, write_susceptibility_figure

    said = sheet_text(formula, density=density, lithium6=lithium6, energy=energy)
    if figure is not None:
        write_susceptibility_figure(figure, formula)
        said += f"{figure}: written\n"
    _say(said)


plan = App(
    name="plan", help="Say beforehand how to see something, how long it takes, and whether it can be seen at all."
)
app.command(plan)


@plan.command(name="magnetic")
def plan_magnetic(
    scene: str,
    /,
    *,
    signal: Literal["cathode", "lithiation", "dendrite", "current", "short"],
    significance: float = 5.0,
    longest: str = "30 min",
    field: str = "100 mT",
    current: str = "23.5 mA/cm^2",
    nearest: str = "50 nm",
    misalignment: str = "1 deg",
    lithium: float = 0.8,
    change: float = 0.1,
) -> None:
    """Plan a magnetic map of a cross-section: field, stand-off, protocol and time per pixel, or a no.

    Parameters
    ----------
    scene
        A built-in scene (llzo-section, llzo-section-3d) or a TOML description.
    signal
        Stray field of the cathode or of the dendrite, a change of lithiation, field of the current or of a short.
    significance
        Standard errors by which a pixel of the feature is to stand out.
    longest
        Time that may be spent on a pixel.
    field
        Largest field that can be applied.
    current
        Largest current density that the cell bears.
    nearest
        Least distance from the surface to the sensor: cover, roughness, lift.
    misalignment
        Of the applied field from the sensor's axis.
    lithium
        x of LixCoO2.
    change
        Of x in a particle.
    """
    from operando.cli.magnetic_plan import plan_text

    _say(
        plan_text(
            scene,
            signal=signal,
            significance=significance,
            longest=longest,
            field=field,
            current=current,
            nearest=nearest,
            misalignment=misalignment,
            lithium=lithium,
            change=change,
        )
    )


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; exit status 2 for bad input, 1 for a failed run."""
    try:
        app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        _complain(f"{error}\nSee operando --help.")
        sys.exit(2)
    except RunError as error:
        _complain(str(error))
        sys.exit(1)
    except OperandoError as error:
        _complain(str(error))
        sys.exit(2)
    except KeyboardInterrupt:
        _complain("Stopped. What was finished is kept; run the same command to go on.")
        sys.exit(130)


def _followed(evolution: str, exchange: float | None, tracer_diffusivity: str | None) -> TransportSettings | Prescribed:
    """How the lithium of a simulated cell moves."""
    from operando.electrochemistry.prescribed import Prescribed
    from operando.electrochemistry.transport.settings import TransportSettings
    from operando.errors import InputError
    from operando.units import quantity

    if evolution == "prescribed":
        if tracer_diffusivity is not None:
            raise InputError(
                "tracer_diffusivity",
                must="left out where the evolution is prescribed",
                received=tracer_diffusivity,
                remedy="Leave out --evolution prescribed.",
            )
        return Prescribed() if exchange is None else Prescribed(exchange)
    given = {} if exchange is None else {"isotope_exchange": exchange}
    if tracer_diffusivity is not None:
        given["tracer_diffusivity"] = quantity(tracer_diffusivity, unit="m^2/s", name="tracer_diffusivity")
    return TransportSettings(**given)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def _complain(text: str) -> None:
    sys.stderr.write(text + "\n")
