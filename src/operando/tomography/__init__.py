"""Radiographs to attenuation volumes: correction, geometry, reconstruction, registration, segmentation, calibration."""
