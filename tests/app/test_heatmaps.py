import base64
import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from app.heatmaps import attribution_from, facts, heatmap
from explain.attribution import Attribution, ExplanationError, Target

ATTRIBUTION = Attribution(
    values=np.array([[1.0, -2.0], [0.0, 0.5]], np.float32),
    method="lime",
    target=Target("mel", "nv"),
    parameters={"regions": 40, "stability": 0.87},
    seed=3,
    evaluations=1000,
    seconds=7.25,
    converged=False,
)


def picture(url: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))


def test_a_map_goes_to_the_browser_and_comes_back_unchanged() -> None:
    sent = heatmap(ATTRIBUTION, (450, 600), complete=True)
    back = attribution_from(sent["npz"])
    assert np.array_equal(back.values, ATTRIBUTION.values)
    assert (back.method, back.target, back.seed) == (ATTRIBUTION.method, ATTRIBUTION.target, ATTRIBUTION.seed)
    assert back.parameters == ATTRIBUTION.parameters


def test_pictures_have_the_image_s_proportions_and_the_layer_is_transparent_at_zero() -> None:
    sent = heatmap(ATTRIBUTION, (900, 1200), complete=True)
    with picture(sent["heat"]) as heat, picture(sent["map"]) as drawn:
        assert heat.size == drawn.size == (640, 480)
        assert heat.getpixel((10, 470))[3] == 0
        assert heat.getpixel((630, 10))[3] == 255
    field = heatmap(replace(ATTRIBUTION, method="gradcam"), (900, 1200), complete=True)
    with picture(field["heat"]) as heat:
        assert heat.size == (320, 240)


def test_the_colour_bar_says_what_its_ends_mean() -> None:
    sent = heatmap(ATTRIBUTION, (450, 600), complete=True)
    assert sent["marks"] == ("−2\nfor nv", "0\nlogit per region", "+2\nfor mel")
    assert (sent["gradient"][0], sent["gradient"][-1]) == ("#0072B2", "#D55E00")


def test_the_colour_bar_of_a_control_starts_at_zero_and_has_no_classs_colour() -> None:
    sent = heatmap(replace(ATTRIBUTION, method="random"), (450, 600), complete=True)
    assert sent["marks"] == ("0", "0.99\nof 1", "2")
    assert len(sent["gradient"]) == 17
    assert not {"#0072B2", "#D55E00"} & set(sent["gradient"])


def test_a_partial_map_has_no_file() -> None:
    assert heatmap(ATTRIBUTION, (450, 600), complete=False)["npz"] is None


def test_facts_say_whether_more_of_the_same_would_change_the_map() -> None:
    assert facts(ATTRIBUTION) == "1,000 evaluations in 7.2 s · half of them gave another map (r = 0.87)"


def test_facts_say_why_a_method_ended_and_how_sure_its_strongest_region_is() -> None:
    interval = np.array([[0.1, 0.31], [0.1, 0.2]], np.float32)
    settled = replace(ATTRIBUTION, parameters={"rank_stability": 0.953}, converged=True, interval=interval)
    assert facts(settled) == (
        "1,000 evaluations in 7.2 s · ended when the order of regions settled (expected ρ = 0.95)"
        " · strongest -2 ± 0.3 (95 %)"
    )
    assert "order of regions not settled" in facts(replace(settled, converged=False))


@pytest.mark.parametrize("npz", ["", "AAAA", base64.b64encode(b"PK\x03\x04 no zip").decode()])
def test_a_browser_that_sends_no_map_is_refused(npz: str) -> None:
    with pytest.raises(ExplanationError):
        attribution_from(npz)


def test_a_pickle_is_refused() -> None:
    buffer = io.BytesIO()
    np.savez(buffer, values=np.array([{"a": 1}], dtype=object), metadata=np.array("{}"))
    with pytest.raises(ExplanationError):
        attribution_from(base64.b64encode(buffer.getvalue()).decode())


def test_a_file_that_unpacks_to_much_more_is_refused() -> None:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, values=np.zeros((3000, 3000), np.float32), metadata=np.array("{}"))
    with pytest.raises(ExplanationError):
        attribution_from(base64.b64encode(buffer.getvalue()).decode())
