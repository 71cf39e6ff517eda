"""The two networks: a small CNN trained from scratch, and EfficientNet-Lite0 with ImageNet weights.

Both take float32 RGB images (n, size, size, 3) in [0, 255], scale them themselves, and return logits (n, classes).
The last feature map is the output of the layer `features`, the embedding that of `embedding`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

IMAGENET_WEIGHTS = Path(__file__).parent / "weights" / "efficientnet_lite0_imagenet.weights.h5"
# What a training drops unless it says otherwise.
DROPOUT = {"efficientnet_lite0": 0.3, "lesion_cnn": 0.5}

# (kernel, stride, expansion, channels, repeats) of EfficientNet-B0, Tan & Le 2019, table 1; Lite0 keeps its scaling.
LITE0_STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)


def lesion_cnn(size: int, classes: int = 7, dropout: float = DROPOUT["lesion_cnn"]) -> keras.Model:
    """Four blocks of two convolutions and three dense layers, from scratch; 27,035,431 parameters at 224 px.

    Training drops the share `dropout` of every dense layer's units, and half of that after every block.
    """
    import keras
    from keras import layers

    image = keras.Input((size, size, 3), name="image")
    x = layers.Rescaling(1 / 255, name="rescaling")(image)
    for block, filters in enumerate((32, 64, 128, 256), start=1):
        for half in ("a", "b"):
            last = (block, half) == (4, "b")
            x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"block{block}_conv_{half}")(x)
            x = layers.BatchNormalization(name="features" if last else f"block{block}_bn_{half}")(x)
        x = layers.MaxPooling2D(name=f"block{block}_pool")(x)
        x = layers.Dropout(dropout / 2, seed=block, name=f"block{block}_dropout")(x)
    x = layers.Flatten(name="flatten")(x)
    for index, units in enumerate((512, 256, 128), start=1):
        x = layers.Dense(units, activation="relu", name=f"dense{index}")(x)
        x = layers.BatchNormalization(name="embedding" if units == 128 else f"dense{index}_bn")(x)
        x = layers.Dropout(dropout, seed=4 + index, name=f"dense{index}_dropout")(x)
    logits = layers.Dense(classes, name="logits")(x)
    return keras.Model(image, logits, name="lesion_cnn")


def efficientnet_lite0(
    size: int,
    classes: int = 7,
    dropout: float = DROPOUT["efficientnet_lite0"],
    weights: Path | None = IMAGENET_WEIGHTS,
) -> keras.Model:
    """EfficientNet-Lite0 (no squeeze-and-excitation, ReLU6) with global average pooling and one dense layer.

    Training drops the share `dropout` of the embedding. `weights` are those of the backbone; None leaves it randomly
    initialised. With an ImageNet head (1,000 classes) it has 4.7 M parameters.
    """
    import keras
    from keras import layers

    image = keras.Input((size, size, 3), name="image")
    x = layers.Rescaling(1 / 127.5, offset=-1, name="rescaling")(image)
    x = _convolution(x, 32, 3, 2, "stem")
    for stage, (kernel, stride, expansion, channels, repeats) in enumerate(LITE0_STAGES):
        for repeat in range(repeats):
            name = f"stage{stage}_block{repeat}"
            x = _inverted_residual(x, kernel, stride if repeat == 0 else 1, expansion, channels, name)
    features = _convolution(x, 1280, 1, 1, "head", activation="features")
    backbone = keras.Model(image, features)
    if weights is not None:
        backbone.load_weights(weights)
    x = layers.GlobalAveragePooling2D(name="embedding")(features)
    x = layers.Dropout(dropout, seed=1, name="dropout")(x)
    logits = layers.Dense(classes, name="logits")(x)
    return keras.Model(image, logits, name="efficientnet_lite0")


NETWORKS = {"efficientnet_lite0": efficientnet_lite0, "lesion_cnn": lesion_cnn}


def _convolution(
    x: keras.KerasTensor, filters: int, kernel: int, stride: int, name: str, activation: str | None = None
) -> keras.KerasTensor:
    from keras import layers

    x = layers.Conv2D(filters, kernel, stride, padding="same", use_bias=False, name=f"{name}_conv")(x)
    x = layers.BatchNormalization(epsilon=1e-3, name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=activation or f"{name}_relu")(x)


def _inverted_residual(
    x: keras.KerasTensor, kernel: int, stride: int, expansion: int, channels: int, name: str
) -> keras.KerasTensor:
    from keras import layers

    skip = x
    if expansion > 1:
        x = _convolution(x, x.shape[-1] * expansion, 1, 1, f"{name}_expand")
    x = layers.DepthwiseConv2D(kernel, stride, padding="same", use_bias=False, name=f"{name}_depthwise")(x)
    x = layers.BatchNormalization(epsilon=1e-3, name=f"{name}_depthwise_bn")(x)
    x = layers.ReLU(6.0, name=f"{name}_depthwise_relu")(x)
    x = layers.Conv2D(channels, 1, padding="same", use_bias=False, name=f"{name}_project_conv")(x)
    x = layers.BatchNormalization(epsilon=1e-3, name=f"{name}_project_bn")(x)
    if stride == 1 and skip.shape[-1] == channels:
        x = layers.Add(name=f"{name}_add")([x, skip])
    return x
