import asyncio
import base64
import io
from pathlib import Path
from shutil import copyfile

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from analysis.agreement import agreement
from app.disconnect import StoppedError
from app.server import create_app
from app.uploads import pixels, png
from explain import explain
from explain.attribution import Attribution
from explain.methods import METHODS
from model.bundle import INT8_FILE, ONNX_FILE, BundleError, ModelBundle, folds
from model.classes import CODES
from model.ensemble import open_ensemble
from model.images import MAX_BYTES, decode, prepare
from model.phantoms import SAMPLES, sample
from model.prediction import Predictor
from tests.app.two_folds import two_folds
from tests.model.hostile import HARMLESS, encoded, hostile_files
from tests.model.strange_images import photographs

PHANTOM = encoded(sample("melanoma").image, "PNG")
FORM = {"image": ("lesion.png", PHANTOM, "image/png")}


def test_health_names_the_model(client: TestClient, predictor: Predictor) -> None:
    assert client.get("/api/health").json() == {"status": "ok", "model": predictor.bundle.card.name}


def test_a_prediction_is_the_predictor_s(client: TestClient, predictor: Predictor) -> None:
    answer = client.post("/api/predict", params={"name": "lesion.png"}, content=PHANTOM).json()
    expected = predictor.predict(sample("melanoma").image)
    assert answer["image"] == "lesion.png"
    assert answer["predicted"] == expected.predicted
    assert list(answer["probabilities"]) == list(CODES)
    assert list(answer["probabilities"].values()) == pytest.approx(expected.probabilities.tolist())
    assert sum(answer["probabilities"].values()) == pytest.approx(1)


def test_with_tta_it_is_averaged_over_the_symmetries(client: TestClient, predictor: Predictor) -> None:
    expected = predictor.predict(sample("melanoma").image, tta=True)
    for answer in (
        client.post("/api/predict", params={"tta": 1}, content=PHANTOM).json(),
        client.post("/api/images", params={"tta": 1}, content=PHANTOM).json(),
        client.get("/api/samples/melanoma?tta=1").json(),
    ):
        assert list(answer["probabilities"].values()) == pytest.approx(expected.probabilities.tolist())
        assert answer["entropy"] == pytest.approx(expected.entropy)


def test_a_photograph_is_flagged_and_a_real_image_is_not(client: TestClient, originals: list[Path]) -> None:
    strange = client.post("/api/predict", content=encoded(photographs()[0], "PNG")).json()["novelty"]
    usual = client.post("/api/predict", content=originals[0].read_bytes()).json()["novelty"]
    assert (strange["novel"], usual["novel"]) == (True, False)
    assert strange["distance"] > strange["threshold"] == usual["threshold"] > usual["distance"]


def test_the_ensemble_answers_where_there_are_folds(
    bundle: ModelBundle, tmp_path_factory: pytest.TempPathFactory
) -> None:
    first = two_folds(bundle, tmp_path_factory.mktemp("folds"))
    expected = open_ensemble(first).predict(sample("melanoma").image)
    with TestClient(create_app(first)) as client:
        answer = client.post("/api/predict", params={"ensemble": 1}, content=PHANTOM).json()
        assert list(answer["probabilities"].values()) == pytest.approx(expected.probabilities.tolist())
        assert len(answer["disagreement"]["calls"]) == 2
        explained = client.get("/api/explain?sample=melanoma&ensemble=1").json()
        assert explained["predicted"] == expected.predicted == explained["attribution"]["target"]


def test_the_twin_of_the_explain_page_knows_samples_and_cases(bundle: ModelBundle, ham10000: Path) -> None:
    with TestClient(create_app(bundle.path, ham10000)) as client:
        case = "ISIC_0024310"
        path = ham10000 / "HAM10000_images_part_1" / f"{case}.jpg"
        of_case = client.get(f"/api/explain?case={case}&target=mel").json()
        sent = client.post("/api/explain?target=mel", content=path.read_bytes()).json()
        assert of_case["image"] == case
        assert of_case["attribution"]["values"] == sent["attribution"]["values"]
        assert client.get("/api/explain?case=ISIC_1").status_code == 404
        assert client.get("/api/explain?sample=wolf").status_code == 404
        for neither_or_both in ("", f"?sample=melanoma&case={case}"):
            assert client.get(f"/api/explain{neither_or_both}").json()["detail"] == "Name a sample or a case."


def test_a_quantised_model_has_a_quantised_ensemble(
    bundle: ModelBundle, tmp_path_factory: pytest.TempPathFactory
) -> None:
    first = two_folds(bundle, tmp_path_factory.mktemp("int8"))
    copyfile(first / ONNX_FILE, first / INT8_FILE)
    for fold in folds(first)[1:]:
        (fold / INT8_FILE).unlink(missing_ok=True)
    with TestClient(create_app(first, int8=True)) as client:
        answer = client.post("/api/predict", params={"ensemble": 1}, content=PHANTOM)
        assert answer.status_code == 422
        assert f"has no {INT8_FILE}" in answer.json()["detail"]
    for fold in folds(first)[1:]:
        copyfile(fold / ONNX_FILE, fold / INT8_FILE)
    members = create_app(first, int8=True).state.context.ensemble.members
    assert [member.bundle.onnx_path.name for member in members] == [INT8_FILE, INT8_FILE]


@pytest.mark.parametrize("route", ["/api/predict", "/api/explain", "/api/images", "/api/explain?sample=melanoma"])
def test_opening_the_ensemble_does_not_hold_up_the_event_loop(
    client: TestClient, route: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = []

    def open_slowly(*_: object, **__: object) -> None:
        inside.append(_running_loop())
        raise BundleError("There is none.")

    monkeypatch.setattr("app.context.open_ensemble", open_slowly)
    if "sample" in route:
        answer = client.get(route, params={"sample": "melanoma", "ensemble": 1})
    else:
        answer = client.post(route, params={"ensemble": 1}, content=PHANTOM)
    assert (answer.status_code, answer.json()["detail"], inside) == (422, "There is none.", [False])


def _running_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def test_the_ensemble_of_a_lonely_model_is_refused_in_words(
    bundle: ModelBundle, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with TestClient(create_app(two_folds(bundle, tmp_path_factory.mktemp("alone"), count=1))) as client:
        answer = client.post("/api/predict", params={"ensemble": 1}, content=PHANTOM)
        assert answer.status_code == 422
        assert "is alone" in answer.json()["detail"]


def test_a_form_is_answered_like_a_body(client: TestClient) -> None:
    body = client.post("/api/predict", params={"name": "lesion.png"}, content=PHANTOM)
    assert client.post("/api/predict", files=FORM).json() == body.json()


def test_real_images_are_predicted(client: TestClient, originals: list[Path], predictor: Predictor) -> None:
    for path in originals[:3]:
        answer = client.post("/api/predict", content=path.read_bytes()).json()
        assert answer["predicted"] == predictor.predict(decode(path)).predicted


def test_an_explanation_is_explain_s(client: TestClient, predictor: Predictor) -> None:
    question = {"method": "gradcam", "target": "mel", "against": "nv"}
    answer = client.post("/api/explain", params=question, content=PHANTOM).json()
    expected = explain(sample("melanoma").image, predictor, "gradcam", "mel", "nv")
    assert np.allclose(answer["attribution"]["values"], expected.values, atol=1e-5)
    assert (answer["attribution"]["target"], answer["attribution"]["against"]) == ("mel", "nv")


def test_a_layer_reaches_the_method(client: TestClient) -> None:
    known = {entry["method"]: entry for entry in client.get("/api/methods").json()}
    layer = known["layercam"]["layers"][-2]
    question = {"method": "layercam", "target": "mel", "layer": layer["layer"]}
    attribution = client.post("/api/explain", params=question, content=PHANTOM).json()["attribution"]
    assert np.shape(attribution["values"]) == (layer["height"], layer["width"])
    assert attribution["parameters"]["layer"] == layer["layer"]


def test_the_agreement_with_other_methods_is_that_of_their_superpixels(
    client: TestClient, predictor: Predictor
) -> None:
    question = {"method": "gradcam", "target": "mel", "against": "nv", "methods": "gradcam,edges,occlusion"}
    image = prepare(sample("melanoma").image, predictor.bundle.card.size)
    codes = ("gradcam", "edges", "occlusion")
    expected = agreement({code: explain(image, predictor, code, "mel", "nv") for code in codes}, image)
    for route in ("/api/explain", "/api/trust"):
        found = client.post(route, params=question, content=PHANTOM).json()["agreement"]
        assert found == pytest.approx(expected.loc["gradcam", ["edges", "occlusion"]].to_dict(), abs=1e-6)
    page = "/api/explain?sample=melanoma&target=mel&against=nv&methods=edges,occlusion"
    assert client.get(page).json()["agreement"] == pytest.approx(found, abs=1e-6)
    assert client.post("/api/explain?method=gradcam", content=PHANTOM).json()["agreement"] == {}


def test_a_method_by_region_says_what_each_counts_for(client: TestClient) -> None:
    answer = client.post("/api/explain?method=occlusion&target=mel", content=PHANTOM).json()
    strongest, *_, weakest = answer["regions"]
    assert strongest["value"] == pytest.approx(max(np.ravel(answer["attribution"]["values"]), key=abs))
    assert abs(weakest["value"]) <= abs(strongest["value"])
    assert sum(region["share"] for region in answer["regions"]) == pytest.approx(1)
    assert client.post("/api/explain?method=gradcam", content=PHANTOM).json()["regions"] is None


def test_the_methods_are_listed_with_what_they_can_be_asked(client: TestClient) -> None:
    listed = client.get("/api/methods").json()
    assert [entry["method"] for entry in listed] == list(METHODS)
    known = {entry["method"]: entry for entry in listed}
    assert [entry["height"] for entry in known["layercam"]["layers"]] == [96, 48, 24, 12, 6]
    assert (known["shap"]["layers"], known["shap"]["library"]) == ([], True)
    assert (known["gaussian"]["control"], known["gaussian"]["family"]) == (True, "Controls")


def test_without_a_target_the_called_class_is_explained(client: TestClient) -> None:
    answer = client.post("/api/explain", content=PHANTOM).json()
    assert answer["attribution"]["target"] == answer["predicted"]


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ({"method": "tea"}, "no method 'tea'. Choose from gradcam"),
        ({"method": "shap", "layer": "features"}, "not made at a layer"),
        ({"method": "layercam", "layer": "tea"}, "no heatmap can be taken at a layer 'tea'".capitalize()),
        ({"method": "rise", "library": "1"}, "made by no library here"),
        ({"target": "melanoma"}, "akiec, bcc"),
        ({"target": "mel", "against": "mel"}, "the same class"),
        ({"seed": "-1"}, "seed is a whole number"),
        ({"methods": "lime,tea"}, "methods are of gradcam, gradcam++"),
        ({"age": "200"}, "age"),
    ],
)
@pytest.mark.parametrize("route", ["/api/explain", "/api/trust", "/api/explain?sample=melanoma"])
def test_an_impossible_question_is_refused_in_the_same_words_wherever_it_is_asked(
    client: TestClient, route: str, question: dict[str, str], words: str
) -> None:
    if "sample" in route:
        answer = client.get(route, params={"sample": "melanoma", **question})
    else:
        answer = client.post(route, params=question, content=PHANTOM)
    assert answer.status_code == 422
    assert words in answer.json()["detail"]


def test_an_opened_image_comes_back_upright_small_and_without_metadata(client: TestClient) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010F] = "a camera"
    content = encoded(Image.fromarray(np.zeros((1000, 2000, 3), np.uint8)), "JPEG", exif=exif)
    answer = client.post("/api/images", params={"name": "turned.jpg"}, content=content).json()
    assert (answer["width"], answer["height"]) == (1000, 2000)
    with Image.open(io.BytesIO(base64.b64decode(answer["source"].partition(",")[2]))) as image:
        assert image.size == (400, 800)
        assert not {"exif", "icc_profile", "xmp"} & image.info.keys()
        assert not image.getexif()


def test_an_opened_image_comes_with_what_the_network_sees_of_it(client: TestClient, predictor: Predictor) -> None:
    answer = client.post("/api/images", content=PHANTOM).json()
    seen = pixels(answer["input"])
    assert np.array_equal(seen, prepare(decode(PHANTOM), predictor.bundle.card.size))
    again = client.post("/api/predict", content=png(seen)).json()
    assert again["probabilities"] == answer["probabilities"]


def test_samples_are_predicted_and_labelled_synthetic(client: TestClient) -> None:
    listed = client.get("/api/samples").json()
    assert [entry["sample"] for entry in listed] == list(SAMPLES)
    assert all(entry["synthetic"] for entry in listed)
    answer = client.get("/api/samples/melanoma").json()
    assert answer["synthetic"] is True
    assert answer["predicted"] == client.post("/api/predict", content=PHANTOM).json()["predicted"]


def test_the_twin_of_the_explain_page_explains_a_sample(client: TestClient) -> None:
    address = "/explain?sample=melanoma&target=mel&against=nv"
    answer = client.get(f"/api{address}").json()
    posted = client.post("/api/explain?target=mel&against=nv", content=PHANTOM).json()
    assert np.allclose(answer["attribution"]["values"], posted["attribution"]["values"])


@pytest.mark.parametrize(
    "path", ["/api/samples/tea", "/api/samples/tea/image.png", "/api/explain?sample=tea", "/api/tea"]
)
def test_what_does_not_exist_is_not_found(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json()["detail"].startswith("There is no")


@pytest.mark.parametrize("kind", ["content", "form"])
def test_a_file_over_20_megabytes_is_refused_without_being_decoded(client: TestClient, kind: str) -> None:
    content = bytes(MAX_BYTES + 1_000_000)
    sent = {"content": content} if kind == "content" else {"files": {"image": ("large.png", content)}}
    answer = client.post("/api/predict", **sent)
    assert answer.status_code == 413
    assert "20 MB" in answer.json()["error"]


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary=x"])
def test_a_broken_form_is_refused(client: TestClient, content_type: str) -> None:
    answer = client.post("/api/predict", content=b"--y\r\nnothing", headers={"Content-Type": content_type})
    assert answer.status_code == 422
    assert "form" in answer.json()["error"]


def test_a_form_without_a_file_is_refused(client: TestClient) -> None:
    answer = client.post("/api/predict", files={"image": (None, "text")})
    assert answer.status_code == 422


@pytest.mark.parametrize("route", ["/api/predict", "/api/images", "/api/explain"])
def test_no_hostile_file_makes_the_server_fail(client: TestClient, route: str) -> None:
    before = client.post("/api/predict", content=PHANTOM).json()
    files = hostile_files()
    assert len(files) >= 40
    for name, content in files.items():
        answer = client.post(route, params={"name": name}, content=content)
        assert answer.status_code in ({200} if name in HARMLESS else {413, 422}), name
        assert answer.json()["image"] == name
        assert ("predicted" if name in HARMLESS else "error") in answer.json(), name
    assert client.post("/api/predict", content=PHANTOM).json() == before


def test_hostile_files_in_forms_under_hostile_names_are_refused_too(client: TestClient) -> None:
    for content in hostile_files().values():
        answer = client.post("/api/predict", files={"image": ('../"\x00<script>.png', content)})
        assert answer.status_code in {200, 413, 422}
    assert client.post("/api/predict", content=PHANTOM).status_code == 200


def test_how_far_a_map_can_be_believed_is_answered_for_the_same_question(client: TestClient) -> None:
    question = {"method": "gradcam", "target": "mel", "against": "nv", "name": "a.png"}
    answer = client.post("/api/trust", params=question, content=PHANTOM).json()
    assert (answer["image"], answer["method"], answer["target"], answer["against"]) == ("a.png", "gradcam", "mel", "nv")
    assert {"deletion_area_contrast", "inside_mask", "stability_symmetries"} <= answer["measures"].keys()
    assert len(answer["verdicts"]) == 4


def test_the_map_that_is_judged_is_made_at_the_layer_and_for_the_call_that_are_asked_for(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = []

    def no_verdicts(attribution: Attribution, *_: object, **__: object) -> None:
        judged.append(attribution)
        raise StoppedError

    monkeypatch.setattr("app.api.trust", no_verdicts)
    monkeypatch.setattr("explain.surrogate.SAMPLES", 64)
    layer = client.get("/api/methods").json()[0]["layers"][-2]["layer"]
    for question in ({"method": "gradcam", "layer": layer}, {"method": "lime", "library": True, "target": "mel"}):
        client.post("/api/trust", params={**question, "tta": True}, content=PHANTOM)
    assert judged[0].parameters["layer"] == layer
    assert judged[0].target.code == client.post("/api/predict?tta=1", content=PHANTOM).json()["predicted"]
    assert judged[1].parameters["library"] is True
