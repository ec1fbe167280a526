"""What a map alone says of each particle, with what was expected of it taken out again."""

from __future__ import annotations

import numpy as np
import xarray as xr

from operando.errors import InputError

OWN_CAUSES = ("surroundings",)
"""Terms that no prior has narrowed."""


def susceptibility_without_prior(result: xr.Dataset) -> xr.Dataset:
    """Take the prior of each particle out of its own estimate, so that it can be combined with another.

    Of a posterior ``N(m, v)`` under the prior ``N(m0, s^2)`` the likelihood is ``N(m0 + k (m - m0), k v)`` with
    ``k = s^2 / (s^2 - v)``. Priors of the other particles stay in: without them a merged particle would have no error.

    Parameters
    ----------
    result:
        From `operando.magnetism.particles.particle_susceptibility` with independent priors.

    Returns
    -------
    The result with ``susceptibility``, ``susceptibility_var`` and ``susceptibility_systematic`` of the map alone;
    errors are huge where it says nothing.

    Raises
    ------
    InputError
        If a smooth prior was learnt: neighbours' values are in it, and it cannot be taken out.
    """
    if result.attrs["smooth"]:
        remedy = "Use its susceptibilities as they are."
        raise InputError("result", must="made with independent priors", received="a smooth prior", remedy=remedy)
    s2 = result["expected_sd"] ** 2
    terms = result["susceptibility_systematic"]
    narrowed = [str(term) for term in terms["term"].values if term not in OWN_CAUSES]
    inner = result["susceptibility_var"] + (terms.sel(term=narrowed) ** 2).sum("term")
    k = s2 / np.maximum(s2 - inner, 1e-6 * s2)
    others = np.sqrt(np.maximum(terms.sel(term="prior", drop=True) ** 2 - inner**2 / s2, 0.0))
    by_others = terms.where(terms["term"] != "prior", others)
    scaled = (by_others * k).where(terms["term"].isin(narrowed), terms).transpose("term", "particle")
    plain = {"units": ""}
    return result.assign(
        susceptibility=(result["expected"] + k * (result["susceptibility"] - result["expected"])).assign_attrs(plain),
        susceptibility_var=(k**2 * result["susceptibility_var"]).assign_attrs(plain),
        susceptibility_systematic=scaled.assign_attrs(plain),
    ).drop_vars("susceptibility_cov")
