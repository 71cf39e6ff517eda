import json
from dataclasses import replace

import numpy as np

from analysis.region_values import region_values
from app.region_answer import AT_MOST, MEANS, NO_INTERVAL, OWN, regions_answer, regions_message
from tests.explain.attributions import attribution
from tests.explain.linear import SIZE, noise

CELLS = replace(
    attribution([[0.5, -2.0], [0.0, 0.25]], method="shap"), interval=np.array([[0.125, 1], [0, 0.25]], np.float32)
)


def test_what_counts_for_most_is_listed_first_with_its_interval() -> None:
    rows = regions_answer(region_values(CELLS, noise()))
    assert [row["region"] for row in rows] == [2, 1, 4, 3]
    assert rows[0] == {"region": 2, "place": "upper right", "share": 0.25, "value": -2.0, "half_width": 1.0}


def test_the_browser_is_sent_the_same_in_words() -> None:
    message = json.loads(json.dumps(regions_message(CELLS, noise()), allow_nan=False))
    assert (message["height"], message["width"], message["runs"]) == (2, 2, [1, 1, 2, 1, 3, 1, 4, 1])
    strongest = message["rows"][0]
    assert (strongest["value"], strongest["plus_or_minus"]) == ("−2", "± 1")
    assert message["unit"] == "logit per cell"


def test_runs_are_lengths_in_reading_order() -> None:
    message = regions_message(attribution(np.zeros((SIZE, SIZE)), method="lime"), noise())
    runs = np.reshape(message["runs"], (-1, 2))
    assert runs[:, 1].sum() == SIZE * SIZE == message["height"] * message["width"]
    assert set(runs[:, 0]) == {row["region"] for row in message["rows"]}


def test_the_note_says_what_the_numbers_are() -> None:
    exact = replace(CELLS, interval=None)
    field = replace(CELLS, method="rise")
    notes = [regions_message(one, noise())["note"] for one in (CELLS, exact, field, replace(field, interval=None))]
    assert notes == [OWN, NO_INTERVAL, AT_MOST, f"{MEANS}, and no interval."]
    assert regions_message(exact, noise())["rows"][0]["plus_or_minus"] == "–"
