"""A cell as people describe it: layers, compositions, protocol, and its geometry on voxels."""
