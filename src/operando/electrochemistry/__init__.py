"""Where the lithium, its isotopes and the currents are inside a cell."""
