import numpy as np

from model.symmetries import symmetries, undone

IMAGE = np.random.default_rng(0).integers(0, 256, (4, 4, 3), np.uint8)


def test_they_are_eight_different_views_and_the_first_is_the_image() -> None:
    views = symmetries(IMAGE)
    assert views.shape == (8, 4, 4, 3)
    assert views.dtype == np.uint8
    np.testing.assert_array_equal(views[0], IMAGE)
    assert len({view.tobytes() for view in views}) == 8


def test_they_are_those_of_a_two_by_two_square() -> None:
    corners = np.repeat(np.array([[1, 2], [3, 4]], np.uint8)[..., np.newaxis], 3, axis=2)
    seen = {tuple(view[..., 0].ravel().tolist()) for view in symmetries(corners)}
    turns = {(1, 2, 3, 4), (2, 4, 1, 3), (4, 3, 2, 1), (3, 1, 4, 2)}
    mirrored = {(2, 1, 4, 3), (4, 2, 3, 1), (3, 4, 1, 2), (1, 3, 2, 4)}
    assert seen == turns | mirrored


def test_the_views_of_any_view_are_the_same_eight() -> None:
    views = symmetries(IMAGE)
    expected = sorted(view.tobytes() for view in views)
    for view in views:
        assert sorted(other.tobytes() for other in symmetries(view)) == expected


def test_a_mirror_image_mirrored_is_the_image() -> None:
    mirrored = symmetries(IMAGE)[4]
    np.testing.assert_array_equal(symmetries(mirrored)[4], IMAGE)


def test_a_map_of_any_view_is_laid_back_over_the_image() -> None:
    for number, view in enumerate(symmetries(IMAGE)):
        np.testing.assert_array_equal(undone(view[..., 0].astype(np.float32), number), IMAGE[..., 0])
