"""Random changes of training images that leave the diagnosis as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tensorflow as tf


@dataclass(frozen=True)
class Augmentation:
    """How far images are changed; every range is symmetric and drawn uniformly.

    Besides these, images are flipped and turned by quarters at random: dermoscopy has no up or down. `crop` is the
    smallest side of the part that is kept, relative to the image (1 keeps all); the part is shifted anywhere inside.
    `rotation` is in degrees; `brightness` in shares of the full range; `contrast` and `saturation` are relative.
    """

    crop: float = 0.6
    rotation: float = 15.0
    brightness: float = 0.1
    contrast: float = 0.2
    saturation: float = 0.2


def augment(images: tf.Tensor, seed: tf.Tensor, size: int, settings: Augmentation) -> tf.Tensor:
    """Augment a batch, uint8 or float (n, height, width, 3) in [0, 255], to float32 (n, size, size, 3) in [0, 255].

    `seed`, int (2,), fixes all draws. What a rotation brings in from outside of the image is mirrored.
    """
    import tensorflow as tf

    draws = tf.random.stateless_uniform((tf.shape(images)[0], 9), seed=seed, minval=-1.0, maxval=1.0)
    geometry, colour = draws[:, :6], draws[:, 6:]
    transformed = tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.cast(images, tf.float32),
        transforms=_transforms(geometry, tf.cast(tf.shape(images)[1], tf.float32), size, settings),
        output_shape=(size, size),
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="REFLECT",
    )
    return tf.clip_by_value(_recoloured(transformed, colour, settings), 0.0, 255.0)


def _transforms(draws: tf.Tensor, source: tf.Tensor, size: int, settings: Augmentation) -> tf.Tensor:
    """Projective transforms (n, 8) from pixels of the result to pixels of the source."""
    import tensorflow as tf

    flip = tf.where(draws[:, 0] < 0, -1.0, 1.0)
    quarters = tf.floor((draws[:, 1] + 1) * 2)
    angle = (quarters * 90 + draws[:, 2] * settings.rotation) * (3.141592653589793 / 180)
    side = 1 - (draws[:, 3] + 1) / 2 * (1 - settings.crop)
    scale = side * source / size
    cos, sin = tf.cos(angle) * scale, tf.sin(angle) * scale
    middle = (source - 1) / 2 + draws[:, 4:6] * ((1 - side) * source / 2)[:, tf.newaxis]
    centre = (size - 1) / 2
    a, b, c, d = cos * flip, -sin, sin * flip, cos
    x = middle[:, 0] - (a + b) * centre
    y = middle[:, 1] - (c + d) * centre
    zero = tf.zeros_like(x)
    return tf.stack([a, b, x, c, d, y, zero, zero], axis=1)


def _recoloured(images: tf.Tensor, draws: tf.Tensor, settings: Augmentation) -> tf.Tensor:
    import tensorflow as tf

    brightness, contrast, saturation = tf.unstack(draws[:, :, tf.newaxis, tf.newaxis, tf.newaxis], axis=1)
    mean = tf.reduce_mean(images, axis=(1, 2, 3), keepdims=True)
    images = (images - mean) * (1 + contrast * settings.contrast) + mean + 255 * brightness * settings.brightness
    grey = tf.reduce_mean(images, axis=3, keepdims=True)
    return grey + (images - grey) * (1 + saturation * settings.saturation)
