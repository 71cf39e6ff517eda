"""LayerCAM (Jiang et al. 2021, doi:10.1109/TIP.2021.3089943), without the final ReLU."""

from collections.abc import Iterator

import numpy as np

from explain.feature_gradient import feature_gradient
from explain.method import Estimate, Question


def layer_cam(question: Question) -> Iterator[Estimate]:
    """Explain one prepared image by LayerCAM at a layer, the last feature map unless one is asked for.

    Each feature counts, where it is, for the positive part of its gradient, which keeps the detail of early layers:
    only what raises the score is shown, so that the map is negative only where features are. It is in logits, not
    scaled by tanh as the paper's maps of early layers are before they are merged. One evaluation; from the linear head
    alone where the network has one and no other layer is asked for.
    """
    given = feature_gradient(question)
    values = (given.features * np.maximum(given.gradient, 0)).sum(axis=-1)
    yield Estimate(values, evaluations=1, parameters=given.parameters)
