"""Approach to a rigid (and isotropically scaled) registration by mutual information, with SimpleITK."""

from __future__ import annotations

from typing import Any

import numpy as np

from operando.frames import Array, Grid

Image = Any
"""A SimpleITK image; the library has no types."""

SAMPLES = 100_000
"""Voxels in which mutual information is sampled on each level."""


def simple_itk() -> Any:
    """Load SimpleITK, when it is first needed."""
    import SimpleITK

    return SimpleITK


def refined(*, fixed: Image, moving: Image, mask: Image, start: Array, length: float, scale: bool, seed: int) -> Array:
    """Refine `start`, an affine from fixed to moving world points [m], by Mattes mutual information, coarsely.

    One thread and seeded sampling, so that equal input gives equal bits.

    Parameters
    ----------
    fixed, moving, mask:
        Images from `image_from_volume`, in units of `length`.
    scale:
        Whether an isotropic scale is refined too.
    """
    sitk = simple_itk()

    transform = sitk.Similarity3DTransform() if scale else sitk.Euler3DTransform()
    centre = fixed.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in fixed.GetSize()])
    transform.SetCenter(centre)
    factor = np.cbrt(np.linalg.det(start[:3, :3])) if scale else 1.0
    transform.SetMatrix((start[:3, :3] / np.cbrt(np.linalg.det(start[:3, :3])) * factor).ravel().tolist(), 1e-6)
    moved = start[:3, :3] @ (np.array(centre) * length) + start[:3, 3]
    transform.SetTranslation((moved / length - centre).tolist())

    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(32)
    method.SetMetricFixedMask(mask)
    method.SetMetricSamplingStrategy(method.RANDOM)
    voxels = float(np.prod(fixed.GetSize()))
    method.SetMetricSamplingPercentagePerLevel([min(1.0, SAMPLES / voxels * k) for k in (64, 8)], seed)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=1.0, minStep=1e-2, numberOfIterations=100, relaxationFactor=0.6
    )
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([4, 2])
    method.SetSmoothingSigmasPerLevel([2.0, 1.0])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOff()
    method.SetInitialTransform(transform, inPlace=True)
    # the metric asks for the global number of threads, and sums in the order in which they finish
    threads = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        method.Execute(fixed, moving)
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
    return _affine(transform, length)


def image_from_volume(values: Array, grid: Grid, *, length: float) -> Image:
    """Wrap an array ``(z, y, x)`` as an image whose physical points are world points in units of `length` [m]."""
    sitk = simple_itk()

    image = sitk.GetImageFromArray(np.ascontiguousarray(values))
    image.SetSpacing([s / length for s in grid.spacing[::-1]])
    image.SetOrigin([o / length for o in grid.origin[::-1]])
    return image


def _affine(transform: Any, length: float) -> Array:
    affine = np.eye(4)
    affine[:3, :3] = np.array(transform.GetMatrix()).reshape(3, 3)
    centre = np.array(transform.GetCenter())
    affine[:3, 3] = (centre + transform.GetTranslation() - affine[:3, :3] @ centre) * length
    return affine
