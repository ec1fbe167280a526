"""Microstructures on voxels: particles, grains, dendrites and voids, generated from a seed or segmented from images."""
