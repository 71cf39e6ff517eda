"""The gradient of the score with respect to the image (Simonyan et al. 2014, arXiv:1312.6034), signed."""

from collections.abc import Iterator

import numpy as np

from explain.gradients import image_gradients
from explain.method import Estimate, Question


def input_gradient(question: Question) -> Iterator[Estimate]:
    """Explain one prepared image by how much the score rises when a pixel gets brighter by one of 256 grey levels.

    The gradients of a pixel's three channels are added up, which keeps their sign; the paper shows the largest of
    their absolute values. One evaluation, forwards and back.
    """
    gradient = image_gradients(question.predictor.bundle, question.image[np.newaxis], question.weights)[0]
    yield Estimate(gradient.sum(axis=-1), evaluations=1)
