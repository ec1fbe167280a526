"""The names of a cell's phases, in the order of their labels."""

from __future__ import annotations

PHASES = (
    "air",
    "casing",
    "cathode_collector",
    "cathode",
    "separator",
    "lithium",
    "indium",
    "lithium_indium",
    "anode_collector",
    "void",
)
"""Label ``i`` of a phase volume means ``PHASES[i]``."""

LABEL = {name: label for label, name in enumerate(PHASES)}
"""Label of each phase."""
