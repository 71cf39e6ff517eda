import json
from pathlib import Path
from typing import Any

import pytest

from app.explain_parts import chosen_view
from app.method_choice import DEFAULT_METHODS, LAYERED, chosen_methods, layer_choice, methods_select
from explain.layers import layers
from explain.methods import METHODS
from model.bundle import ModelBundle
from tests.conftest import ROOT


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, list(DEFAULT_METHODS)),
        ({"methods": "lime,gradcam"}, ["gradcam", "lime"]),
        ({"methods": "gradcam  "}, ["gradcam++"]),  # gradcam++ as somebody typed it
        ({"methods": "tea,edges"}, ["edges"]),
        ({"methods": "tea"}, list(DEFAULT_METHODS)),
    ],
)
def test_the_address_names_the_methods(query: dict[str, str], expected: list[str]) -> None:
    assert chosen_methods(query) == expected


def test_a_view_is_one_of_the_methods_that_are_shown() -> None:
    assert chosen_view({"view": "lime"}) == "lime"
    assert chosen_view({"view": "lime", "methods": "gradcam"}) == "all"


def test_every_method_can_be_chosen_among_its_family() -> None:
    groups: list[dict[str, Any]] = methods_select({}).to_plotly_json()["props"]["data"]
    assert [group["group"] for group in groups] == ["Class activation", "Gradients", "Regions", "Controls"]
    assert [item["value"] for group in groups for item in group["items"]] == list(METHODS)


def test_a_layer_of_the_address_is_chosen_and_else_the_last(bundle: ModelBundle) -> None:
    def chosen(query: dict[str, str]) -> str:
        value: str = layer_choice(bundle, query).children[1].value
        return value

    known = layers(bundle)
    assert chosen({"layer": known[1]}) == known[1]
    assert chosen({}) == chosen({"layer": "tea"}) == "features"
    assert METHODS[LAYERED].layered


def test_the_browser_leaves_the_same_methods_out_of_the_address() -> None:
    script = (ROOT / Path("assets/explain.js")).read_text(encoding="utf-8")
    assert f"const DEFAULT_METHODS = {json.dumps(','.join(DEFAULT_METHODS))};" in script
    assert f"const LAYERED = {json.dumps(LAYERED)};" in script
