import numpy as np
import pytest

from explain.attribution import ExplanationError, Target

CLASSES = ("mel", "nv", "vasc")
LOGITS = np.array([[3.0, 1.0, -2.0], [0.5, 2.0, 4.0]], np.float32)


def test_a_class_scores_its_logit() -> None:
    assert (LOGITS @ Target("nv").weights(CLASSES)).tolist() == [1.0, 2.0]


def test_a_contrast_scores_the_difference_of_two_logits() -> None:
    assert (LOGITS @ Target("mel", "nv").weights(CLASSES)).tolist() == [2.0, -1.5]


def test_a_target_says_what_it_is() -> None:
    assert str(Target("mel")) == "mel"
    assert str(Target("mel", "nv")) == "mel rather than nv"


@pytest.mark.parametrize("target", [Target("melanoma"), Target("mel", "naevus"), Target("")])
def test_an_unknown_class_is_refused_with_the_known_ones(target: Target) -> None:
    with pytest.raises(ExplanationError, match="Choose from mel, nv, vasc"):
        target.weights(CLASSES)


def test_a_class_against_itself_is_refused() -> None:
    with pytest.raises(ExplanationError, match="two different classes"):
        Target("mel", "mel").weights(CLASSES)
