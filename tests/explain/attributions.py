"""Attributions made by hand."""

import numpy as np
from numpy.typing import NDArray

from explain.attribution import Attribution, Target

MEL_RATHER_THAN_NV = Target("mel", "nv")


def attribution(
    values: NDArray[np.float32] | list[list[float]], method: str = "lime", target: Target = MEL_RATHER_THAN_NV
) -> Attribution:
    return Attribution(
        np.asarray(values, np.float32),
        method,
        target,
        parameters={"segments": 46, "local_fidelity": 0.58, "stability": 0.97},
        seed=3,
        evaluations=1000,
        seconds=5.25,
        converged=True,
    )
