"""Case: what is known, what was said, and the stored heatmaps."""

import io

import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from app.case_images import stored_attribution
from app.context import Context
from app.pages import render
from explain.attribution import Target
from model.bundle import ModelBundle
from model.classes import CODES


@pytest.fixture(scope="module")
def context(bundle: ModelBundle) -> Context:
    return Context(bundle)


def case_of(context: Context, diagnosis: str, predicted: str) -> "pd.Series[str]":
    table = context.results.table
    return table[(table["diagnosis"] == diagnosis) & (table["predicted"] == predicted)].iloc[0]


def test_a_contrast_is_the_difference_of_two_stored_maps(context: Context) -> None:
    case = context.results.table.iloc[0]
    maps = context.results.maps(case["image_id"])
    contrast = stored_attribution(context.results, case["image_id"], Target("mel", "nv"))
    np.testing.assert_array_equal(contrast.values, maps["mel"] - maps["nv"])


def test_stored_maps_add_up_to_their_logits(context: Context) -> None:
    """They are Grad-CAM maps: under global average pooling a map's values sum to logit - bias."""
    head = context.bundle.head
    if head is None:
        pytest.skip("this bundle's network does not end in global average pooling and one dense layer")
    for case in context.results.table.head(5).to_dict("records"):
        for index, code in enumerate(CODES):
            total = stored_attribution(context.results, case["image_id"], Target(code)).values.sum()
            assert total == pytest.approx(case[f"logit_{code}"] - head.bias[index], abs=1e-3)


def test_a_wrong_case_shows_the_called_class_the_diagnosis_and_their_contrast(context: Context) -> None:
    case = case_of(context, "mel", "nv")
    page = str(render(context, f"/cases/{case['image_id']}", {}))
    heatmaps = f"/api/cases/{case['image_id']}/heatmap.png"
    for question in ("target=nv'", "target=mel'", "target=nv&against=mel'"):
        assert f"{heatmaps}?{question}" in page
    assert "Melanoma, wrongly called melanocytic naevus" in page
    assert "Image not on this machine" in page


def test_neighbours_are_those_of_the_selection(context: Context) -> None:
    table = context.results.table
    ids = list(table[(table["diagnosis"] == "mel") & (table["predicted"] == "nv")]["image_id"])
    page = str(render(context, f"/cases/{ids[1]}", {"diagnosis": "mel", "predicted": "nv"}))
    assert f"2 of {len(ids)}" in page
    for neighbour in (ids[0], ids[2]):
        assert f"/cases/{neighbour}?diagnosis=mel&predicted=nv" in page


def test_an_unknown_case_says_so(context: Context, client: TestClient) -> None:
    assert "There is no such case" in str(render(context, "/cases/ISIC_9999999", {}))
    assert client.get("/api/cases/ISIC_9999999").status_code == 404


def test_json_holds_the_case_and_its_maps(context: Context, client: TestClient) -> None:
    case = context.results.table.iloc[0]
    answer = client.get(f"/api/cases/{case['image_id']}").json()
    assert answer["diagnosis"] == case["diagnosis"]
    assert answer["probability_mel"] == pytest.approx(case["probability_mel"])
    for code, stored in context.results.maps(case["image_id"]).items():
        np.testing.assert_allclose(answer["gradcam"][code], stored, rtol=1e-6)


def test_heatmap_layers_speak_in_the_colours_of_their_classes(context: Context, client: TestClient) -> None:
    image_id = context.results.table.index[0]
    answer = client.get(f"/api/cases/{image_id}/heatmap.png", params={"target": "mel", "against": "nv"})
    layer = np.asarray(Image.open(io.BytesIO(answer.content)))
    opaque = layer[layer[..., 3] > 0][:, :3]
    assert {tuple(colour) for colour in np.unique(opaque, axis=0)} <= {(0xD5, 0x5E, 0x00), (0x00, 0x72, 0xB2)}


@pytest.mark.parametrize("query", [{"target": "wart"}, {"target": "mel", "against": "mel"}])
def test_heatmaps_of_nothing_are_not_found(context: Context, client: TestClient, query: dict[str, str]) -> None:
    image_id = context.results.table.index[0]
    assert client.get(f"/api/cases/{image_id}/heatmap.png", params=query).status_code == 404
