"""The methods of tf-keras-vis by that library itself, for reference: what ours are tested against.

Each gives one estimate, at the end, before which it cannot be stopped.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from explain.gradients import network
from explain.method import Estimate, Question
from explain.numpy_seed import seeded
from explain.scorecam import varied_channels
from explain.smoothgrad import NOISE, SAMPLES
from model.dense_head import FEATURES

if TYPE_CHECKING:
    import keras

Array = NDArray[np.float32]

NATIVE = {
    "penultimate_layer": FEATURES,
    "seek_penultimate_conv_layer": False,
    "expand_cam": False,
    "normalize_cam": False,
}


def grad_cam(question: Question) -> Iterator[Estimate]:
    """Grad-CAM, without the library's final ReLU."""
    from tf_keras_vis.gradcam import Gradcam

    yield _class_activation(question, Gradcam, activation_modifier=None)


def grad_cam_plus_plus(question: Question) -> Iterator[Estimate]:
    """Grad-CAM++, without the library's final ReLU and its factor exp(score)."""
    from tf_keras_vis.gradcam_plus_plus import GradcamPlusPlus

    def rectified_weights(values: Any) -> Any:
        import tensorflow as tf

        return tf.nn.relu(values) if len(values.shape) == 4 else values

    estimate = _class_activation(question, GradcamPlusPlus, activation_modifier=rectified_weights)
    score = question.predictor.logits(question.image[np.newaxis])[0] @ question.weights
    yield Estimate(estimate.values / np.exp(score), evaluations=2, parameters=estimate.parameters)


def layer_cam(question: Question) -> Iterator[Estimate]:
    """LayerCAM, without the library's final ReLU."""
    from tf_keras_vis.layercam import Layercam

    yield _class_activation(question, Layercam, activation_modifier=None)


def score_cam(question: Question) -> Iterator[Estimate]:
    """Score-CAM over all channels, without the library's final ReLU. It holds all masked images at once: gigabytes."""
    yield score_cam_of(question, channels=None)


def score_cam_of(question: Question, channels: int | None) -> Estimate:
    """Score-CAM over the `channels` whose features vary most.

    The library weighs by softmax outputs. Given a logit of 0 more, the logits can be had back from them: logit =
    log(probability) - log(probability of that one).
    """
    import tensorflow as tf
    from tf_keras_vis.scorecam import Scorecam

    predictor = question.predictor
    padded = _with_a_logit_of_0_more(network(predictor.bundle))
    black = predictor.logits(np.zeros_like(question.image)[np.newaxis])[0] @ question.weights

    def increase(probabilities: Any) -> Any:
        logarithms = tf.math.log(probabilities)
        return tf.linalg.matvec(logarithms[:, :-1] - logarithms[:, -1:], question.weights) - black

    settings = {"activation_modifier": None, "max_N": channels, **NATIVE}
    values = Scorecam(padded, clone=False)(increase, _image(question), **settings)
    features = predictor.run(question.image[np.newaxis]).features[0]
    count = channels or features.shape[-1]
    parameters = {"channels": min(count, len(varied_channels(features)))}
    return Estimate(np.asarray(values, np.float32)[0], count + 3, parameters)


@lru_cache(maxsize=1)  # TensorFlow traces each model anew
def _with_a_logit_of_0_more(model: "keras.Model") -> "keras.Model":
    """It takes a list of images, as the library predicts, and predicts without the progress bar on standard output."""
    import keras

    one_more = keras.layers.ZeroPadding1D((0, 1))(keras.layers.Reshape((-1, 1))(model.outputs[0]))
    padded = keras.Model([model.inputs[0]], keras.layers.Flatten()(one_more))
    padded.predict = partial(padded.predict, verbose=0)
    return padded


def saliency(question: Question) -> Iterator[Estimate]:
    """The gradient, its three channels added up."""
    yield Estimate(_saliency(question, samples=0), evaluations=1)


def smooth_grad(question: Question) -> Iterator[Estimate]:
    """SmoothGrad; the library draws its noise from numpy's global generator, which is given back as it was."""
    with seeded(question.seed):
        values = _saliency(question, SAMPLES)
    yield Estimate(values, SAMPLES, {"samples": SAMPLES, "noise": NOISE})


def _class_activation(question: Question, method: Callable[..., Any], **settings: Any) -> Estimate:
    layer = question.layer or FEATURES
    visualisation = method(network(question.predictor.bundle), clone=True)
    values = visualisation(_score(question), _image(question), **{**NATIVE, "penultimate_layer": layer}, **settings)
    return Estimate(np.asarray(values, np.float32)[0], evaluations=1, parameters={"layer": layer})


def _saliency(question: Question, samples: int) -> Array:
    import keras
    from tf_keras_vis.saliency import Saliency

    model = network(question.predictor.bundle)
    # It calls the model with a list, of which Keras warns where the model was not built for one.
    visualisation = Saliency(keras.Model([model.inputs[0]], model.outputs[0]), clone=False)
    gradients = visualisation(
        _score(question),
        _image(question),
        smooth_samples=samples,
        smooth_noise=NOISE,
        keepdims=True,
        gradient_modifier=None,
        normalize_map=False,
    )
    by_pixel: Array = np.asarray(gradients, np.float32)[0].sum(axis=-1)
    return by_pixel


def _image(question: Question) -> Array:
    return question.image[np.newaxis].astype(np.float32)


def _score(question: Question) -> Callable[[Any], Any]:
    import tensorflow as tf

    return lambda logits: tf.linalg.matvec(logits, question.weights)
