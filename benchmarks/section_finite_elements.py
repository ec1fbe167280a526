"""Body-fitted finite elements (NGSolve) on a section of overlapping discs: the truth for voxels of the same section.

Prints the terminal voltage through 240 s, the mean lithiation of every disc and the current through two cuts; the
tests hold voxels against these numbers. ``pip install 'operando[validation]'``, then
``python benchmarks/section_finite_elements.py``.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from typing import Any

FARADAY, THERMAL = 96485.33212, 8.314462618 * 298.15 / 96485.33212
LENGTH, WIDTH = 30.0, 20.0  # um, along and across the current
DISCS = ((2.0, 4.0, 3.2), (2.5, 14.5, 3.8), (7.0, 5.5, 2.8), (8.0, 14.5, 2.6), (12.2, 6.0, 3.2), (13.0, 15.0, 3.2))
CURRENT, DURATION, START = 59.0, 240.0, 0.9  # A/m^2, s, x
MAXIMUM, IONIC, PLATING = 49943.0, 0.05, 128.0  # mol/m^3, S/m, A/m^2
CUTS = (6.0, 12.0)  # um


@dataclass(frozen=True)
class Solution:
    """Voltage [V] at every time [s]; at the end x of each disc and of all, electronic current at each cut [A/m^2]."""

    time: list[float]
    voltage: list[float]
    lithium: list[float]
    mean: float
    cuts: list[float]


def laws(x: Any, exp: Any, sqrt: Any) -> tuple[Any, Any, Any, Any]:
    """Open-circuit potential, diffusivity, electronic conductivity and exchange current at x."""
    potential = 4.6 - x + 0.2 * (x - 0.5) * (x - 0.5)
    return potential, 1e-13 * (0.5 + x), exp(1.4 - 2 * x), 10.2 * sqrt(x * (1 - x))


def solved(*, size: float, order: int = 2, longest: float = 2.0) -> Solution:
    """Charge the section on elements of a size [um], in time steps of a length at most [s]."""
    import ngsolve as ng

    mesh = _mesh(ng, size, order)
    ions = ng.H1(mesh, order=order, definedon="electrolyte")
    electrons = ng.H1(mesh, order=order, definedon="active", dirichlet="plate")
    lithium = ng.H1(mesh, order=order, definedon="active")
    space = ions * electrons * lithium * ng.NumberSpace(mesh)
    (pe, ps, x, volt), (te, ts, tx, tv) = space.TnT()
    rate, past = ng.Parameter(1.0), ng.GridFunction(lithium)
    potential, diffusivity, conductivity, exchange = laws(x, ng.exp, ng.sqrt)
    over = (ps + volt - pe - potential) / (2 * THERMAL)
    reaction = exchange * (ng.exp(over) - ng.exp(-over))
    plating = PLATING * (ng.exp(-pe / (2 * THERMAL)) - ng.exp(pe / (2 * THERMAL)))
    near = ng.ds(definedon=mesh.Boundaries("interface"), bonus_intorder=4)
    form = ng.BilinearForm(space)
    inside = ng.dx(definedon=mesh.Materials("active"), bonus_intorder=2)
    form += IONIC * 1e6 * ng.grad(pe) * ng.grad(te) * ng.dx(definedon=mesh.Materials("electrolyte"))
    form += conductivity * 1e6 * ng.grad(ps) * ng.grad(ts) * inside
    form += FARADAY * MAXIMUM * (1e-6 * (rate * x - past) * tx + 1e6 * diffusivity * ng.grad(x) * ng.grad(tx)) * inside
    form += reaction * (ts + tx - te + tv) * near
    form += -plating * te * ng.ds(definedon=mesh.Boundaries("lithium"), bonus_intorder=4)
    total = ng.Parameter(CURRENT)
    form += -total * tv * ng.ds(definedon=mesh.Boundaries("lithium"))

    state = ng.GridFunction(space)
    state.components[2].Set(ng.CoefficientFunction(START), definedon=mesh.Materials("active"))
    state.vec[space.Range(3)][0] = float(laws(START, math.exp, math.sqrt)[0])
    step, history = 0.02, [state.components[2].vec.CreateVector()]
    history[0].data = state.components[2].vec
    steps: list[float] = []
    times, voltages = [0.0], []
    while times[-1] < DURATION - 1e-9:
        step = min(step, DURATION - times[-1])
        if steps:
            ratio = step / steps[-1]
            rate.Set((1 + 2 * ratio) / (1 + ratio) / step)
            past.vec.data = (1 + ratio) / step * history[0] - ratio**2 / (1 + ratio) / step * history[1]
        else:
            rate.Set(1 / step)
            past.vec.data = 1 / step * history[0]
        _newton(ng, form, space, state)
        times.append(times[-1] + step)
        voltages.append(float(state.vec[space.Range(3)][0]))
        new = state.components[2].vec.CreateVector()
        new.data = state.components[2].vec
        history = [new, *history][:2]
        steps.append(step)
        step = min(1.25 * step, longest)
    x, where = state.components[2], mesh.Materials("active")
    discs = [ng.IfPos(radius**2 - (ng.x - cx) ** 2 - (ng.y - cy) ** 2, 1, 0) for cx, cy, radius in DISCS]
    flux = -conductivity_of(x, ng) * 1e6 * ng.grad(state.components[1])[0]
    return Solution(
        time=times[1:],
        voltage=voltages,
        lithium=[ng.Integrate(d * x, where, order=12) / ng.Integrate(d, where, order=12) for d in discs],
        mean=ng.Integrate(x, where) / ng.Integrate(1, where),
        cuts=[_through(ng, mesh, flux, "active", cut) for cut in CUTS],
    )


def _mesh(ng: Any, size: float, order: int) -> Any:
    """Elements fitted to the discs, half as large at their edges."""
    from netgen.occ import Circle, Glue, MoveTo, OCCGeometry, X

    whole = MoveTo(0, 0).Rectangle(LENGTH, WIDTH).Face()
    active = None
    for x, y, radius in DISCS:
        disc = Circle((x, y), radius).Face()
        active = disc if active is None else active + disc
    active = active * whole
    active.faces.name = "active"
    active.edges.name = "interface"
    active.edges.maxh = size / 2
    electrolyte = whole - active
    electrolyte.faces.name = "electrolyte"
    shape = Glue([electrolyte, active])
    shape.edges[X < 0.01].name = "plate"
    shape.edges[X > LENGTH - 0.1].name = "lithium"
    mesh = ng.Mesh(OCCGeometry(shape, dim=2).GenerateMesh(maxh=size))
    mesh.Curve(order)
    return mesh


def conductivity_of(x: Any, ng: Any) -> Any:
    """Electronic conductivity at x."""
    return laws(x, ng.exp, ng.sqrt)[2]


def _newton(ng: Any, form: Any, space: Any, state: Any) -> None:
    lack, change = state.vec.CreateVector(), state.vec.CreateVector()
    for _ in range(20):
        form.Apply(state.vec, lack)
        form.AssembleLinearization(state.vec)
        change.data = form.mat.Inverse(space.FreeDofs(), inverse="umfpack") * lack
        state.vec.data -= change
        if max(abs(change.FV().NumPy())) < 1e-9:
            return
    raise RuntimeError("Newton's method did not converge")


def _through(ng: Any, mesh: Any, flux: Any, material: str, cut: float) -> float:
    """Mean over the width of the current density along x in a material, over a strip about a cut."""
    half = 0.5
    strip = ng.IfPos(half - ng.sqrt((ng.x - cut) ** 2), 1, 0)
    return float(ng.Integrate(strip * flux, mesh.Materials(material), order=12)) / (2 * half) / WIDTH


def main() -> None:
    """Solve on one mesh and print the numbers."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=float, default=0.5, help="largest element [um]")
    parser.add_argument("--order", type=int, default=2)
    parser.add_argument("--step", type=float, default=2.0, help="largest time step [s]")
    chosen = parser.parse_args()
    found = solved(size=chosen.size, order=chosen.order, longest=chosen.step)
    for time, voltage in zip(found.time, found.voltage, strict=True):
        print(f"{time:8.3f} s  {voltage:.6f} V")
    for (cx, cy, _), x in zip(DISCS, found.lithium, strict=True):
        print(f"disc at ({cx}, {cy}): mean x {x:.6f}")
    print(f"all: mean x {found.mean:.8f}")
    for cut, current in zip(CUTS, found.cuts, strict=True):
        print(f"cut at {cut} um: electrons {current:.5f} A/m^2")


if __name__ == "__main__":
    main()
