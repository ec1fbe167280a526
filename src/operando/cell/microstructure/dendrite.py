"""A lithium dendrite: the easiest ways along grain boundaries from a root to several tips."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from operando.cell.microstructure.grains import GrainNetwork
from operando.cell.microstructure.structure import resolved_axes
from operando.errors import InputError
from operando.frames import Grid

Array = npt.NDArray[Any]


def dendrite_lines(
    *, network: GrainNetwork, root: Array, tips: Array, hardness: Callable[[Array], Array] | None = None
) -> Array:
    """Find the branches of a dendrite: the tree of easiest ways from the root to the tips.

    Root and tips are taken to the nearest nodes of the network; a straight piece joins the given root to its node.
    Without a hardness the easiest way is the shortest.

    Parameters
    ----------
    root:
        ``(d,)`` along the resolved axes [m].
    tips:
        ``(n, d)`` [m].
    hardness:
        What a metre of boundary costs where its middle ``(m, d)`` is.

    Returns
    -------
    Line segments ``(m, 2, d)`` [m].

    Raises
    ------
    InputError
        If boundaries do not lead from the root to a tip.
    """
    nodes, (first, second) = network.nodes, network.edges.T
    if len(nodes) == 0:
        raise InputError(
            "grain size", must="small enough for boundaries to meet within the separator", received="none do"
        )
    length = np.linalg.norm(nodes[second] - nodes[first], axis=1)
    cost = length if hardness is None else length * hardness((nodes[first] + nodes[second]) / 2)
    ways = coo_array((cost, (first, second)), shape=(len(nodes), len(nodes))).tocsr()
    start = _nearest(nodes, root)
    reached, before = dijkstra(ways, directed=False, indices=start, return_predecessors=True)
    segments = {(-1, start)}
    for tip in tips:
        node = _nearest(nodes, tip)
        if not np.isfinite(reached[node]):
            raise InputError(
                "dendrite",
                must="led to its tips by grain boundaries",
                received="boundaries that end",
                remedy="Choose smaller grains, or tips nearer to the root.",
            )
        while node != start:
            segments.add((int(before[node]), node))
            node = int(before[node])
    return np.array([[root if a < 0 else nodes[a], nodes[b]] for a, b in sorted(segments)])


def line_mask(*, grid: Grid, lines: Array, width: float) -> Array:
    """Tell which voxels' centres lie within half a width of line segments, bool ``(z, y, x)``.

    Raises
    ------
    InputError
        If the width is below two voxels: the line would fall apart.
    """
    axes = resolved_axes(grid)
    coarsest = max(grid.spacing[axis] for axis in axes)
    if width < 2 * coarsest * (1 - 1e-9):
        raise InputError("width", must=f"at least two voxels ({2 * coarsest:g} m)", received=f"{width:g} m")
    mask = np.zeros([grid.shape[axis] for axis in axes], dtype=bool)
    along = [grid.coordinate("zyx"[axis]) for axis in axes]
    for begin, end in lines:
        low, high = np.minimum(begin, end) - width / 2, np.maximum(begin, end) + width / 2
        window = tuple(slice(*np.searchsorted(x, [a, b])) for x, a, b in zip(along, low, high, strict=True))
        at = np.stack(np.meshgrid(*(x[cut] for x, cut in zip(along, window, strict=True)), indexing="ij"), axis=-1)
        step = end - begin
        share = np.clip((at - begin) @ step / max(float(step @ step), np.finfo(float).tiny), 0.0, 1.0)
        mask[window] |= np.linalg.norm(at - begin - share[..., None] * step, axis=-1) <= width / 2
    return mask.reshape(grid.shape)


def _nearest(nodes: Array, point: Array) -> int:
    return int(np.argmin(((nodes - point) ** 2).sum(axis=1)))
