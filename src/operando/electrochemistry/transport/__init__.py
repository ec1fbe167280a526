"""Lithium and its isotopes in a described cell, carried by the currents of a porous electrode."""
