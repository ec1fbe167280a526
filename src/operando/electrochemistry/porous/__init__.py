"""Voxel porous electrode: two potentials and one radially resolved particle in every voxel."""
