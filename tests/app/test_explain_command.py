"""The command is run through its own parser, on the network that can be computed by hand."""

import argparse
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import explain.methods as explain_methods
import model.bundle
import model.prediction
from app import method_list
from app.commands import explain
from explain.attribution import ExplanationError
from explain.layers import layers
from explain.methods import METHODS
from model.bundle import ModelBundle
from tests.explain.linear import QuadrantPredictor, noise

Output = pytest.CaptureFixture[str]


@pytest.fixture
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two images, a.png and b.png, on which the hand-made network calls nv."""
    predictor = QuadrantPredictor()

    def load_bundle(path: Path) -> ModelBundle:
        return predictor.bundle

    def open_predictor(bundle: ModelBundle) -> QuadrantPredictor:
        return predictor

    monkeypatch.setattr(model.bundle, "load_bundle", load_bundle)
    monkeypatch.setattr(model.prediction, "Predictor", open_predictor)
    folder = tmp_path / "images"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        Image.fromarray(noise(size=64)).save(folder / name)
    return folder


def run(*arguments: str | Path) -> int:
    parser = argparse.ArgumentParser()
    explain.add_parser(parser.add_subparsers())
    parsed = parser.parse_args(["explain", *map(str, arguments)])
    status: int = parsed.run(parsed)
    return status


def test_it_writes_a_picture_and_the_numbers_of_every_image_and_method(images: Path, capsys: Output) -> None:
    out = images / "new" / "out"
    status = run(
        images / "a.png", images / "b.png", "--method", "shap,lime", "--target", "mel", "--against", "nv", "--out", out
    )
    assert status == 0
    stems = [f"{name}_{method}_mel_vs_nv" for name in "ab" for method in ("lime", "shap")]
    assert sorted(path.name for path in out.iterdir()) == [f"{s}{suffix}" for s in stems for suffix in (".npz", ".png")]
    printed, told = capsys.readouterr()
    assert all(str(path) in printed for path in out.iterdir())
    assert f"{images / 'a.png'}: called nv (Melanocytic naevus), probability 0." in printed
    assert "not for diagnosis" in told
    with np.load(out / "a_lime_mel_vs_nv.npz", allow_pickle=False) as arrays:
        assert arrays["values"].shape == (32, 32)
        assert json.loads(str(arrays["metadata"]))["target"] == {"code": "mel", "against": "nv"}
    with Image.open(out / "a_lime_mel_vs_nv.png") as picture:
        picture.load()


def test_by_default_the_called_class_of_a_real_image_is_explained_by_grad_cam(
    bundle: ModelBundle, originals: list[Path], tmp_path: Path, capsys: Output
) -> None:
    assert run(originals[0], "--model", bundle.path, "--out", tmp_path) == 0
    called = capsys.readouterr().out.split("called ")[1].split()[0]
    stem = f"{originals[0].stem}_gradcam_{called}"
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{stem}.npz", f"{stem}.png"]


def test_without_a_target_the_called_class_is_explained(images: Path) -> None:
    assert run(images / "a.png", "--method", "lime", "--out", images / "out") == 0
    assert sorted(path.name for path in (images / "out").iterdir()) == ["a_lime_nv.npz", "a_lime_nv.png"]


def test_all_methods_can_be_asked_at_once(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = {code: METHODS[code] for code in ("scorecam", "occlusion", "gaussian")}
    for module in (explain_methods, method_list):
        monkeypatch.setattr(module, "METHODS", quick)
    assert run(images / "a.png", "--method", "all", "--target", "mel", "--out", images / "out") == 0
    written = sorted(path.name for path in (images / "out").glob("*.npz"))
    assert written == [f"a_{code}_mel.npz" for code in sorted(quick)]


def test_all_methods_of_a_layer_at_that_layer(bundle: ModelBundle, originals: list[Path], tmp_path: Path) -> None:
    layer = layers(bundle)[-2]
    assert run(originals[0], "--method", "all", "--layer", layer, "--target", "mel", "--out", tmp_path) == 0
    stems = [f"{originals[0].stem}_{code}_{layer}_mel.npz" for code in ("gradcam", "gradcam++", "layercam")]
    assert sorted(path.name for path in tmp_path.glob("*.npz")) == sorted(stems)


def test_the_library_s_map_is_a_file_of_its_own(images: Path) -> None:
    assert run(images / "a.png", "--method", "lime", "--library", "--out", images / "out") == 0
    with np.load(images / "out" / "a_lime_library_nv.npz", allow_pickle=False) as arrays:
        assert json.loads(str(arrays["metadata"]))["parameters"]["library"] is True


def test_the_help_lists_every_method(capsys: Output) -> None:
    with pytest.raises(SystemExit) as ended:
        run("--help")
    assert ended.value.code == 0
    told = " ".join(capsys.readouterr().out.split())
    assert all(f"{code} {method.sentence}" in told for code, method in METHODS.items())


def test_the_seed_reaches_the_method(images: Path) -> None:
    maps = []
    for seed in ("0", "1"):
        run(images / "a.png", "--method", "lime", "--seed", seed, "--out", images / seed)
        with np.load(images / seed / "a_lime_nv.npz", allow_pickle=False) as arrays:
            maps.append(arrays["values"])
    assert not np.array_equal(*maps)


def test_the_opacity_reaches_the_picture(images: Path) -> None:
    for opacity in ("0", "1"):
        run(images / "a.png", "--method", "lime", "--opacity", opacity, "--out", images / opacity)
    clear, covered = ((images / opacity / "a_lime_nv.png").read_bytes() for opacity in ("0", "1"))
    assert clear != covered


def test_a_bad_image_is_named_and_the_others_are_explained(images: Path, capsys: Output) -> None:
    (images / "bad.png").write_bytes(b"no image")
    status = run(images / "bad.png", images / "missing.png", images / "b.png", "--method", "lime", "--out", images)
    assert status == 1
    told = capsys.readouterr().err
    assert f"{images / 'bad.png'}: The file is not a readable" in told
    assert f"{images / 'missing.png'}: " in told
    assert (images / "b_lime_nv.npz").is_file()
    assert not list(images.glob("bad_*"))


def test_a_contrast_of_the_called_class_with_itself_fails_that_image(images: Path, capsys: Output) -> None:
    assert run(images / "a.png", "--method", "lime", "--against", "nv", "--out", images) == 1
    assert "two different classes" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--method", "gradcam,grad-cam"), "no method 'grad-cam'"),
        (("--method", ""), "no method"),
        (("--opacity", "1.5"), "from 0 to 1"),
        (("--opacity", "nan"), "from 0 to 1"),
        (("--method", "lime", "--layer", "features"), "not made at a layer"),
        (("--method", "rise", "--library"), "made by no library"),
        (("--target", "mel", "--against", "mel"), "same class"),
        (("--target", "melanoma"), "no class 'melanoma'"),
        (("--against", "naevus"), "no class 'naevus'"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_written(
    images: Path, arguments: tuple[str, ...], message: str
) -> None:
    with pytest.raises((explain.ArgumentsError, ExplanationError), match=message):
        run(images / "a.png", *arguments, "--out", images / "out")
    assert not (images / "out").exists()


def test_images_whose_files_would_overwrite_each_other_are_refused(images: Path) -> None:
    with pytest.raises(explain.ArgumentsError, match="2 images are called a"):
        run(images / "a.png", images / "other" / "a.jpg")


def test_a_folder_that_cannot_be_made_is_refused(images: Path) -> None:
    with pytest.raises(explain.ArgumentsError, match="Cannot write"):
        run(images / "a.png", "--out", images / "a.png" / "below")


def test_an_interrupted_run_keeps_what_it_has_finished(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    out = images / "out"
    predict = QuadrantPredictor.predict

    def predict_once(self: QuadrantPredictor, image: np.ndarray) -> object:
        monkeypatch.setattr(QuadrantPredictor, "predict", interrupt)
        return predict(self, image)

    monkeypatch.setattr(QuadrantPredictor, "predict", predict_once)
    with pytest.raises(KeyboardInterrupt):
        run(images / "a.png", images / "b.png", "--method", "lime", "--out", out)
    assert sorted(path.name for path in out.iterdir()) == ["a_lime_nv.npz", "a_lime_nv.png"]


def test_a_call_that_is_not_the_most_probable_class_is_accounted_for() -> None:
    classes = ("mel", "nv")
    rare = model.prediction.Prediction(
        classes, np.zeros(2, np.float32), np.array([0.4, 0.6]), np.zeros(1, np.float32), "mel"
    )
    assert explain._call(rare) == (
        "called mel (Melanoma), probability 0.400, although nv (Melanocytic naevus) has 0.600: "
        "the class is called whose probability is largest for how common it is"
    )


def test_how_far_each_map_can_be_believed_is_written_beside_it(images: Path, capsys: Output) -> None:
    out = images / "out"
    assert run(images / "a.png", "--method", "occlusion,edges", "--target", "mel", "--trust", "--out", out) == 0
    found = json.loads((out / "a_occlusion_mel.json").read_text())
    assert (found["method"], found["target"], found["against"]) == ("occlusion", "mel", None)
    assert [verdict["question"] for verdict in found["verdicts"]] == ["controls", "stability", "sanity", "localisation"]
    assert found["measures"].keys() > {"deletion_area", "stability_seeds", "inside_mask"}
    assert found["controls"].keys() == {"random", "gaussian", "edges"}
    assert found["curves"]["occlusion"].keys() == {"deletion", "insertion"}
    assert found["lesion_mask"] == "estimated"
    assert found["agreement"].keys() == {"edges"}
    assert f"{out / 'a_occlusion_mel.json'}: " in capsys.readouterr().out


def test_without_being_asked_nothing_is_judged(images: Path) -> None:
    run(images / "a.png", "--method", "edges", "--out", images / "out")
    assert not list((images / "out").glob("*.json"))
