from dash import html

from app.heat_card import heat_card
from explain.methods import METHODS


def test_dash_knows_only_the_frame_of_a_card() -> None:
    """Whatever it knows it asks at each of its updates, of which an explanation sends dozens."""
    for method in METHODS:
        assert sum(1 for _ in heat_card(method)._traverse()) == 2


def test_the_controls_of_a_method_stand_between_its_name_and_its_pictures() -> None:
    head, control, body = heat_card("layercam", html.Div(id="control")).children
    assert (head.className, control.id, body.className) == ("heat-head", "control", "heat-body")
