"""The layers of a network at which class activation maps can be taken."""

from explain.attribution import ExplanationError
from model.bundle import ModelBundle
from model.dense_head import FEATURES, inputs

PADDINGS = ("ZeroPadding2D", "Cropping2D")


def layers(bundle: ModelBundle) -> tuple[str, ...]:
    """One layer for each resolution of the network, from fine to coarse; the last one is `features`.

    It is the last layer at its resolution, which knows most at that detail.
    """
    return tuple(resolutions(bundle))


def resolutions(bundle: ModelBundle) -> dict[str, tuple[int, int]]:
    """`layers` with the height and width of their feature maps, from the first convolution on."""
    shapes = {one["keras_history"][0]: one["shape"] for layer in bundle.layers for one in inputs(layer)}
    last: dict[tuple[int, int], str] = {}
    convolved = False
    for layer in bundle.layers:
        name, kind, shape = layer["name"], layer["class_name"], shapes.get(layer["name"], ())
        convolved = convolved or kind.endswith("Conv2D")
        if convolved and len(shape) == 4 and kind not in PADDINGS and layer["module"].startswith("keras.layers"):
            last[shape[1], shape[2]] = name
        if name == FEATURES:
            break
    else:
        return {}
    coarsest = shapes[FEATURES][1:3]
    finer = {name: size for size, name in last.items() if size > tuple(coarsest)}
    return {**dict(sorted(finer.items(), key=lambda item: item[1], reverse=True)), FEATURES: tuple(coarsest)}


def check_layer(bundle: ModelBundle, layer: str) -> None:
    """Raise ExplanationError unless `layer` is one of `layers`."""
    known = layers(bundle)
    if layer not in known:
        raise ExplanationError(f"No heatmap can be taken at a layer {layer!r}. Choose from {', '.join(known)}.")
