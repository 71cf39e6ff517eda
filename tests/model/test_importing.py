"""Third parties' models become bundles that do what the models do, or are refused in a sentence."""

import json
import os
import zipfile
from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray
from scipy.special import softmax

from explain import explain
from explain.attribution import Attribution
from explain.gradcam import gradient_maps
from explain.methods import METHODS
from model.flattening import flattened, with_logits
from model.images import prepare
from model.importing import ImportedModel, import_model
from model.keras_file import ForeignModelError
from model.keras_model import load_keras
from model.phantoms import sample
from model.prediction import Predictor
from tests.model.foreign_models import CLASSES, SIZE, original_project, small, transferred, varied

pytestmark = pytest.mark.filterwarnings("ignore:Please import `zoom`:DeprecationWarning")  # tf-keras-vis 0.8.7
IMAGES = np.random.default_rng(1).integers(0, 256, (4, SIZE, SIZE, 3), np.uint8)
# As large as the models' input, so that preparing it once more changes nothing.
LESION = prepare(sample("melanoma").image, SIZE)
PAIR = ("mel", "nv")


def called(model: Any, images: NDArray[Any]) -> NDArray[np.float32]:
    values: NDArray[np.float32] = np.asarray(model(images.astype(np.float32), training=False))
    return values


def served(imported: ImportedModel) -> NDArray[np.float32]:
    return softmax(Predictor(imported.bundle).logits(IMAGES), axis=1)


def imported_from(model: Any, folder: Path, name: str = "model.keras", **wishes: Any) -> ImportedModel:
    model.save(folder / name)
    return import_model(folder / name, folder / "bundle", **{"classes": ("a", "b"), "size": SIZE, **wishes})


@pytest.fixture(scope="module")
def original() -> keras.Sequential:
    return original_project()


@pytest.fixture(scope="module")
def imported_original(original: keras.Sequential, tmp_path_factory: pytest.TempPathFactory) -> ImportedModel:
    return imported_from(original, tmp_path_factory.mktemp("original"), "x.h5", classes=CLASSES, scale=1 / 255)


@pytest.fixture(scope="module")
def nested() -> keras.Model:
    return transferred()


@pytest.fixture(scope="module")
def imported_nested(nested: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> ImportedModel:
    return imported_from(nested, tmp_path_factory.mktemp("nested"), classes=PAIR)


def test_the_original_project_is_served_as_it_was(original: keras.Sequential, imported_original: ImportedModel) -> None:
    before = called(original, IMAGES / np.float32(255))
    assert np.ptp(before) > 0.1
    np.testing.assert_allclose(served(imported_original), before, atol=5e-3)
    assert imported_original.had_softmax
    assert imported_original.rounding < 5e-3
    assert imported_original.bundle.head is None


def test_a_nested_network_is_served_as_it_was(nested: keras.Model, imported_nested: ImportedModel) -> None:
    before = called(nested, IMAGES)
    assert np.ptp(before) > 0.05
    np.testing.assert_allclose(served(imported_nested), before, atol=5e-3)
    assert imported_nested.bundle.card.network == "mobilenet"
    assert imported_nested.bundle.head is not None


def test_the_flat_network_has_the_very_logits(original: keras.Sequential, nested: keras.Model) -> None:
    for model, scale in ((original, 1 / 255), (nested, 1.0)):
        flat = with_logits(flattened(model, SIZE, scale, 0.0))
        assert not any(isinstance(layer, keras.Model) for layer in flat.layers)
        before = called(model, IMAGES * np.float32(scale))
        np.testing.assert_allclose(softmax(called(flat, IMAGES), axis=1), before, atol=1e-5)


def test_the_card_says_what_is_known_and_what_is_not(imported_original: ImportedModel) -> None:
    card = imported_original.bundle.card
    assert (card.name, card.classes, card.size, card.temperature) == ("x", CLASSES, SIZE, 1.0)
    assert card.class_prior == pytest.approx((1 / 7,) * 7)
    assert not card.calibrated
    assert card.training == {"imported_from": "x.h5"}
    assert "owner" in card.licence


def contrast_by_tape(features: Any, end: Callable[[Any], Any], pair: tuple[int, int]) -> NDArray[np.float32]:
    """Signed Grad-CAM of one class rather than another, from the probabilities of a model as it was saved.

    log p(a) - log p(b) is the difference of the two logits, whatever the softmax.
    """
    with tf.GradientTape() as tape:
        tape.watch(features)
        said = tf.math.log(end(features))
        score = said[:, pair[0]] - said[:, pair[1]]
    importance = tf.reduce_mean(tape.gradient(score, features), axis=(1, 2))
    return np.asarray(tf.einsum("nhwc,nc->nhw", features, importance))[0]


def in_turn(parts: list[Any]) -> Callable[[Any], Any]:
    return lambda given: reduce(lambda x, layer: layer(x, training=False), parts, given)


def gradcam(imported: ImportedModel) -> Attribution:
    return explain(LESION, Predictor(imported.bundle), "gradcam", "mel", "nv")


def test_grad_cam_is_that_of_the_original_project(original: keras.Sequential, imported_original: ImportedModel) -> None:
    last = [isinstance(layer, layers.BatchNormalization) for layer in original.layers]
    split = len(last) - last[::-1].index(True)
    features = in_turn(original.layers[:split])(tf.constant(LESION[np.newaxis] / np.float32(255)))
    expected = contrast_by_tape(features, in_turn(original.layers[split:]), (CLASSES.index("mel"), CLASSES.index("nv")))
    ours = gradcam(imported_original).values
    assert ours.shape == (6, 6)
    np.testing.assert_allclose(ours, expected, atol=0.02 * np.abs(expected).max())


def test_grad_cam_is_that_of_the_nested_network(nested: keras.Model, imported_nested: ImportedModel) -> None:
    pixels = keras.applications.mobilenet_v2.preprocess_input(LESION[np.newaxis].astype(np.float32))
    features = nested.get_layer("mobilenet")(tf.constant(pixels), training=False)
    pooling = next(layer for layer in nested.layers if isinstance(layer, layers.GlobalAveragePooling2D))
    expected = contrast_by_tape(features, in_turn([pooling, nested.layers[-1]]), (0, 1))
    ours = gradcam(imported_nested)
    assert ours.parameters["computed_by"] == "linear head"
    np.testing.assert_allclose(ours.values, expected, atol=0.02 * np.abs(expected).max())


@pytest.mark.parametrize("shape", ["imported_original", "imported_nested"])
def test_grad_cam_is_that_of_tf_keras_vis_on_the_flat_network(shape: str, request: pytest.FixtureRequest) -> None:
    from tf_keras_vis.gradcam import Gradcam
    from tf_keras_vis.utils.scores import CategoricalScore

    imported = request.getfixturevalue(shape)
    reference = Gradcam(load_keras(imported.bundle), clone=True)
    positive = 0.0
    for index, code in enumerate(imported.bundle.card.classes):
        maps = reference(
            CategoricalScore(index),
            LESION[np.newaxis].astype(np.float32),
            penultimate_layer="features",
            seek_penultimate_conv_layer=False,
            expand_cam=False,
            normalize_cam=False,
        )
        expected = np.asarray(maps)[0]
        ours = explain(LESION, Predictor(imported.bundle), "gradcam", code).values
        np.testing.assert_allclose(np.maximum(ours, 0), expected, atol=1e-3 * np.abs(ours).max())
        positive = max(positive, float(expected.max()))
    assert positive > 0


@pytest.mark.parametrize("shape", ["imported_original", "imported_nested"])
def test_shap_and_lime_explain_it(shape: str, request: pytest.FixtureRequest) -> None:
    predictor = Predictor(request.getfixturevalue(shape).bundle)
    shap = explain(LESION, predictor, "shap", "mel", "nv")
    score, baseline = shap.parameters["score"], shap.parameters["baseline_score"]
    assert shap.values.sum() == pytest.approx(score - baseline, abs=1e-3)
    logits = predictor.logits(LESION[np.newaxis])[0]
    mel, nv = (predictor.bundle.card.classes.index(code) for code in PAIR)
    assert score == pytest.approx(logits[mel] - logits[nv], abs=1e-4)
    lime = explain(LESION, predictor, "lime", "mel", "nv")
    assert np.abs(lime.values).max() > 0
    assert lime.parameters["local_fidelity"] > 0.3


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", ["imported_original", "imported_nested"])
def test_every_method_explains_it(shape: str, method: str, request: pytest.FixtureRequest) -> None:
    predictor = Predictor(request.getfixturevalue(shape).bundle)
    values = explain(LESION, predictor, method, "mel", "nv", should_stop=lambda: True).values
    assert np.isfinite(values).all()
    assert np.ptp(values) > 0


def shared_layer() -> keras.Model:
    """One convolution called twice, the calls added by an operation that is no layer."""
    given = keras.Input((SIZE, SIZE, 3))
    first = layers.Conv2D(4, 3, strides=2, padding="same")(given)
    shared = layers.Conv2D(4, 3, padding="same")
    pooled = layers.GlobalAveragePooling2D()(shared(shared(first)) + first)
    return varied(keras.Model(given, layers.Dense(2, use_bias=False, activation="softmax")(pooled)))


def normalised() -> keras.Model:
    """Adapted normalisation and augmentation inside, input of any size, two models with layers of the same names."""
    normalisation = layers.Normalization()
    normalisation.adapt(IMAGES.astype(np.float32))
    blocks = [
        keras.Sequential([layers.Conv2D(4, 3, strides=2, name="c"), layers.ReLU(name="r")], name=name) for name in "ab"
    ]
    given = keras.Input((None, None, 3))
    x = reduce(lambda y, layer: layer(y), [layers.RandomFlip(), normalisation, *blocks], given)
    pooled = layers.GlobalAveragePooling2D()(x)
    return varied(keras.Model(given, layers.Softmax()(layers.Dense(2)(pooled))))


def mixed_precision() -> keras.Model:
    """As Keras' guide to mixed precision ends a model: the softmax alone in single precision."""
    given = keras.Input((SIZE, SIZE, 3))
    x = layers.Conv2D(4, 3, strides=2, dtype="mixed_float16")(given)
    x = layers.Dense(2, dtype="mixed_float16")(layers.GlobalAveragePooling2D(dtype="mixed_float16")(x))
    return varied(keras.Model(given, layers.Activation("softmax", dtype="float32")(x)))


@pytest.mark.parametrize("build", [shared_layer, normalised, mixed_precision])
def test_the_many_ways_to_build_a_network(build: Callable[[], keras.Model], tmp_path: Path) -> None:
    model = build()
    imported = imported_from(model, tmp_path, scale=1 / 127.5, offset=-1.0)
    before = called(model, IMAGES / np.float32(127.5) - 1)
    np.testing.assert_allclose(served(imported), before, atol=5e-3)
    assert imported.bundle.head is not None


def as_keras_2(part: Any) -> Any:
    """A configuration as Keras 2 wrote it: no modules, types by name, the input's shape under its older name."""
    if isinstance(part, list):
        return [as_keras_2(one) for one in part]
    if not isinstance(part, dict):
        return part
    if part.get("class_name") == "DTypePolicy":
        return part["config"]["name"]
    renamed = {"batch_shape": "batch_input_shape"}
    left_out = ("module", "registered_name", "build_config")
    return {renamed.get(name, name): as_keras_2(one) for name, one in part.items() if name not in left_out}


def test_a_file_of_keras_2(original: keras.Sequential, tmp_path: Path) -> None:
    original.save(tmp_path / "x.h5")
    with h5py.File(tmp_path / "x.h5", "r+") as file:
        file.attrs["model_config"] = json.dumps(as_keras_2(json.loads(file.attrs["model_config"])))
    imported = import_model(tmp_path / "x.h5", tmp_path / "bundle", CLASSES, SIZE, scale=1 / 255)
    np.testing.assert_allclose(served(imported), called(original, IMAGES / np.float32(255)), atol=5e-3)


def pooled_to_one_position() -> keras.Sequential:
    """32 pixels halved five times, so that the global average pooling is of a map of one position."""
    halvings = [layer for _ in range(5) for layer in (layers.Conv2D(8, 3, padding="same"), layers.MaxPooling2D(2))]
    return varied(keras.Sequential([layers.Input((32, 32, 3)), *halvings, *end(2)]))


def test_grad_cam_minds_layers_between_the_feature_map_and_the_pooling(tmp_path: Path) -> None:
    model = pooled_to_one_position()
    imported = imported_from(model, tmp_path, classes=PAIR, size=32)
    lesion = prepare(sample("melanoma").image, 32)
    ours = explain(lesion, Predictor(imported.bundle), "gradcam", "mel", "nv").values
    mel, nv = gradient_maps(imported.bundle, lesion[np.newaxis])[0]
    np.testing.assert_allclose(ours, mel - nv, atol=1e-6)
    features = in_turn(model.layers[:-3])(tf.constant(lesion[np.newaxis], tf.float32))
    assert features.shape == (1, 2, 2, 8)
    expected = contrast_by_tape(features, in_turn(model.layers[-3:]), (0, 1))
    np.testing.assert_allclose(ours, expected, atol=0.02 * np.abs(expected).max())
    assert imported.bundle.head is None


def own_loss(truth: Any, said: Any) -> Any:
    return keras.ops.mean(keras.ops.square(truth - said))


@pytest.mark.parametrize("file", ["model.keras", "MODEL.KERAS", "model.h5", "MODEL.H5"])
def test_a_loss_of_a_network_inside_does_not_matter(file: str, tmp_path: Path) -> None:
    backbone = keras.Sequential([layers.Input((SIZE, SIZE, 3)), layers.Conv2D(4, 3, strides=2)])
    backbone.compile("adam", own_loss)
    model = varied(keras.Sequential([layers.Input((SIZE, SIZE, 3)), backbone, *end(2)]))
    model.compile("adam", own_loss)
    saved = tmp_path / file.lower()
    model.save(saved)
    if saved.suffix == ".keras":
        assert architecture(saved)["config"]["layers"][1]["compile_config"]["loss"]["config"] == "own_loss"
    saved.rename(tmp_path / file)
    imported = import_model(tmp_path / file, tmp_path / "bundle", ("a", "b"), SIZE)
    np.testing.assert_allclose(served(imported), called(model, IMAGES), atol=5e-3)


def test_outputs_without_softmax_are_logits(tmp_path: Path) -> None:
    model = small(layers.GlobalAveragePooling2D(), layers.Dense(2))
    imported = imported_from(model, tmp_path)
    assert not imported.had_softmax
    before = called(model, IMAGES)
    np.testing.assert_allclose(Predictor(imported.bundle).logits(IMAGES), before, atol=0.01 * np.abs(before).max())


class Custom(layers.Layer):
    def call(self, x: Any) -> Any:
        return x


def written_code(folder: Path) -> keras.Model:
    """A model whose code, if it were run, would leave a file."""
    path = str(folder / "code_was_run")
    code = layers.Lambda(lambda x: (os.open(path, os.O_CREAT), x)[1], output_shape=(SIZE, SIZE, 3))
    return keras.Sequential([layers.Input((SIZE, SIZE, 3)), layers.Conv2D(3, 3, padding="same"), code, *end(2)])


def end(units: int, activation: str = "softmax") -> tuple[layers.Layer, ...]:
    return (layers.GlobalAveragePooling2D(), layers.Dense(units, activation=activation))


def two_inputs() -> keras.Model:
    given, age = keras.Input((SIZE, SIZE, 3)), keras.Input((1,))
    pooled = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(given))
    return keras.Model([given, age], layers.Dense(2, activation="softmax")(layers.Concatenate()([pooled, age])))


def two_outputs() -> keras.Model:
    given = keras.Input((SIZE, SIZE, 3))
    pooled = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(given))
    return keras.Model(given, [layers.Dense(2)(pooled), layers.Dense(1)(pooled)])


def of_shape(*shape: int | None) -> keras.Model:
    return keras.Sequential([layers.Input(shape), layers.Conv2D(4, 3), *end(2)])


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "custom layer": (
        lambda: small(Custom(), *end(2)),
        r"needs 'Custom' in its layer 'custom.*none of Keras' own layers.*Rebuild",
    ),
    "two inputs": (two_inputs, r"2 inputs \(48 × 48 × 3, 1\)\. Bring one that takes an image alone"),
    "two outputs": (two_outputs, r"2 outputs\. Bring keras\.Model"),
    "no image": (lambda: keras.Sequential([layers.Input((8,)), layers.Dense(2)]), r"takes 8, not RGB images"),
    "grey image": (lambda: of_shape(SIZE, SIZE, 1), r"takes 48 × 48 × 1, not RGB images"),
    "not square": (lambda: of_shape(SIZE, 64, 3), r"only square ones"),
    "other size": (lambda: of_shape(64, 64, 3), r"64 × 64 pixels: give --size 64, not 48"),
    "more outputs": (lambda: small(*end(3)), r"3 outputs, but --classes names 2"),
    "one output": (lambda: small(*end(1, "sigmoid")), r"single output.*two units with softmax"),
    "sigmoid": (lambda: small(*end(2, "sigmoid")), r"Dense with activation sigmoid.*Let it end in a Dense layer"),
    "no dense layer": (
        lambda: small(layers.Conv2D(2, 1), layers.GlobalAveragePooling2D(), layers.Softmax()),
        r"GlobalAveragePooling2D\), from which there is no exact way.*Let it end in a Dense layer",
    ),
    "a map for an image": (lambda: small(layers.Conv2D(2, 1)), r"gives 23 × 23 × 2 for an image, not one number"),
    "no convolution": (
        lambda: keras.Sequential([layers.Input((SIZE, SIZE, 3)), layers.Flatten(), layers.Dense(2)]),
        r"no feature map.*Bring a convolutional network",
    ),
}


@pytest.mark.parametrize(("build", "message"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("file", ["model.keras", "model.h5"])
def test_what_cannot_be_brought_is_refused(build: Callable[[], Any], message: str, file: str, tmp_path: Path) -> None:
    with pytest.raises(ForeignModelError, match=message):
        imported_from(build(), tmp_path, file)
    assert not (tmp_path / "bundle").exists()


@pytest.mark.parametrize("file", ["model.keras", "model.h5"])
def test_code_in_a_file_is_never_run(file: str, tmp_path: Path) -> None:
    model = written_code(tmp_path)
    called(model, IMAGES)
    (tmp_path / "code_was_run").unlink()
    model.save(tmp_path / file)
    with pytest.raises(ForeignModelError, match=r"holds code in its layer 'lambda.*never runs.*Rescaling"):
        import_model(tmp_path / file, tmp_path / "bundle", ("a", "b"), SIZE)
    assert not (tmp_path / "code_was_run").exists()


def test_an_operation_that_the_older_format_does_not_know_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ForeignModelError, match=r"needs 'TrueDivide' in its layer.*such as Rescaling.*save it as \.keras"
    ):
        imported_from(transferred(), tmp_path, "model.h5", classes=PAIR)


def test_weights_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    model = small(*end(2))
    model.layers[-1].set_weights([np.full((4, 2), np.nan), np.zeros(2)])
    with pytest.raises(ForeignModelError, match="no numbers"):
        imported_from(model, tmp_path)


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-2000])


def text(path: Path) -> None:
    path.write_text("{}")


def without_architecture(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model.weights.h5", "")


def with_bad_weights(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        configuration = archive.read("config.json")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", configuration)
        archive.writestr("metadata.json", "{}")
        archive.writestr("model.weights.h5", "no weights")


def architecture(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as archive:
        found: dict[str, Any] = json.loads(archive.read("config.json"))
    return found


def with_bad_deflate_stream(path: Path) -> None:
    configuration = json.dumps(architecture(path))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", configuration)
    content = bytearray(path.read_bytes())
    start = zipfile.sizeFileHeader + len("config.json")
    content[start : start + 40] = b"\xff" * 40
    path.write_bytes(content)


def with_central_header(path: Path, offset: int, value: bytes) -> None:
    """Write `value` into the directory's entry of config.json, `offset` bytes after its start, and its local header."""
    configuration = json.dumps(architecture(path))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", configuration)
    content = bytearray(path.read_bytes())
    # A local header has all fields two bytes nearer to its start, as only the directory has the version made by.
    for start in (content.index(b"PK\1\2") + offset, offset - 2):
        content[start : start + len(value)] = value
    path.write_bytes(content)


def encrypted(path: Path) -> None:
    with_central_header(path, 8, b"\1\0")


def with_unknown_compression(path: Path) -> None:
    with_central_header(path, 10, (97).to_bytes(2, "little"))


def unpacking_to_gigabytes(path: Path) -> None:
    with_central_header(path, 24, (2 << 30).to_bytes(4, "little"))


def deep(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", '{"a": ' + "[" * 900 + "]" * 900 + "}")


def with_a_number_for_module(path: Path) -> None:
    configuration = architecture(path)
    configuration["config"]["layers"][1]["module"] = 5
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(configuration))


HARMS = [
    truncated,
    text,
    without_architecture,
    with_bad_weights,
    with_bad_deflate_stream,
    encrypted,
    with_unknown_compression,
    unpacking_to_gigabytes,
    deep,
    with_a_number_for_module,
]


@pytest.mark.parametrize("harm", HARMS)
def test_a_damaged_keras_file_is_refused(harm: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    small(*end(2)).save(path)
    harm(path)
    with pytest.raises(ForeignModelError, match=r"model\.keras.*[Ss]ave"):
        import_model(path, tmp_path / "bundle", ("a", "b"), SIZE)


def weights_alone(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["kernel"] = np.zeros(3)


def with_a_number_for_architecture(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = 5


@pytest.mark.parametrize("harm", [truncated, text, weights_alone, with_a_number_for_architecture])
def test_a_damaged_h5_file_is_refused(harm: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "model.h5"
    small(*end(2)).save(path)
    harm(path)
    with pytest.raises(ForeignModelError, match=r"model\.h5.*[Ss]ave"):
        import_model(path, tmp_path / "bundle", ("a", "b"), SIZE)


@pytest.mark.parametrize(("module", "name"), [("os", "relu"), ("keras.saving", "relu"), ("builtins", "load_model")])
def test_a_function_that_is_no_activation_of_keras_is_refused(module: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    small(*end(2)).save(path)
    configuration = architecture(path)
    activation = {"module": module, "class_name": "function", "config": name, "registered_name": name}
    configuration["config"]["layers"][1]["config"]["activation"] = activation
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(configuration))
    with pytest.raises(ForeignModelError, match=r"needs 'function' in its layer 'conv2d.*none of Keras' own"):
        import_model(path, tmp_path / "bundle", ("a", "b"), SIZE)


@pytest.mark.parametrize(
    ("name", "message"), [("no.keras", "There is no file"), ("", "is a folder"), ("a.onnx", "neither a .keras nor")]
)
def test_what_is_no_keras_file_is_refused(name: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.onnx").touch()
    with pytest.raises(ForeignModelError, match=message):
        import_model(tmp_path / name, tmp_path / "bundle", ("a", "b"), SIZE)


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        ({"classes": ("a", "a")}, "each named once"),
        ({"classes": ("a",)}, "two classes or more"),
        ({"classes": ("a", "../b")}, "letters a to z, digits"),
        ({"classes": ("naevus", "mélanome")}, "letters a to z, digits"),
        ({"size": 16}, "32 to 1024 pixels"),
    ],
)
def test_wishes_that_contradict_themselves_are_refused(wishes: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ForeignModelError, match=message):
        imported_from(small(*end(2)), tmp_path, **wishes)


def test_a_bundle_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    with pytest.raises(ForeignModelError, match="exists already"):
        imported_from(small(*end(2)), tmp_path)
