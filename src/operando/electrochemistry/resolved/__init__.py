"""Resolved closure: one phase per voxel, reactions on the faces between them."""
