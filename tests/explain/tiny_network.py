"""A network that can be computed by hand, as a bundle, for methods that differentiate it.

A quadrant's features are its mean red r, and its mean green g as far as that is above a half (both in [0, 1]). Over the
quadrants' means, mel has the logit r + 2 g and nv has g - r.
"""

from pathlib import Path

import numpy as np

from model.bundle import Card, ModelBundle, load_bundle, write_card

SIZE = 32
HALF = SIZE // 2


def write_tiny(folder: Path) -> ModelBundle:
    import keras

    from model.bundle_writer import write_network

    image = keras.Input((SIZE, SIZE, 3), name="image")
    convolution = keras.layers.Conv2D(2, HALF, HALF, name="quadrants")
    features = keras.layers.ReLU(name="features")(convolution(image))
    embedding = keras.layers.GlobalAveragePooling2D(name="embedding")(features)
    logits = keras.layers.Dense(2, name="logits")
    network = keras.Model(image, logits(embedding), name="tiny")
    kernel = np.zeros((HALF, HALF, 3, 2), np.float32)
    kernel[:, :, 0, 0] = kernel[:, :, 1, 1] = 1 / (HALF**2 * 255)
    convolution.set_weights([kernel, np.array([0, -0.5], np.float32)])
    logits.set_weights([np.array([[1, -1], [2, 1]], np.float32), np.zeros(2, np.float32)])
    write_card(folder, Card("tiny", "tiny", ("mel", "nv"), SIZE, 1.0, (0.5, 0.5)))
    write_network(folder, network)
    return load_bundle(folder)


def two_greens() -> np.ndarray:
    """An image of red 102 (r = 0.4) whose upper half has green 204 (0.8, hence g = 0.3) and whose lower half 51 (0)."""
    image = np.zeros((SIZE, SIZE, 3), np.uint8)
    image[..., 0], image[:HALF, :, 1], image[HALF:, :, 1] = 102, 204, 51
    return image
