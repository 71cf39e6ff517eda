"""A case's row is the same whatever is audited beside it: other batches, other threads, a resumed audit."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from analysis.audit import ask_network
from analysis.audit_parts import BATCH, AuditPart, part_table
from model.bundle import ModelBundle
from model.cases import COLUMNS
from model.images import decode, prepare
from model.prediction import Predictor, batches

IMAGES = 11
# ONNX Runtime pools less than 7 images in another order of additions: a bit or two of logits of about 10.
ROUNDING = 1e-5


@pytest.fixture(scope="module")
def prepared(originals: list[Path], bundle: ModelBundle) -> NDArray[np.uint8]:
    return np.stack([prepare(decode(path), bundle.card.size) for path in originals[:IMAGES]])


def part(bundle: ModelBundle, paths: list[Path]) -> AuditPart:
    unknown = pd.DataFrame(dict.fromkeys(COLUMNS, "unknown"), index=range(len(paths)))
    known = {"image_id": [path.stem for path in paths], "path": [str(path) for path in paths]}
    return AuditPart(Path("nowhere"), bundle.path, unknown.assign(**known, age=50.0, seen=False), quality=False)


@pytest.mark.parametrize("size", [1, 3, 8, 32])
def test_batches_of_every_size_give_the_same_logits_and_maps(
    bundle: ModelBundle, prepared: NDArray[np.uint8], size: int
) -> None:
    whole = ask_network(Predictor(bundle), [prepared])
    in_batches = ask_network(Predictor(bundle, threads=1), (prepared[piece] for piece in batches(IMAGES, size)))
    np.testing.assert_array_equal(in_batches.maps, whole.maps)
    for name in ("logits", "embeddings"):
        np.testing.assert_allclose(getattr(in_batches, name), getattr(whole, name), rtol=0, atol=ROUNDING)


def test_a_part_s_rows_are_bit_identical_however_many_threads_write_it(
    bundle: ModelBundle, originals: list[Path]
) -> None:
    audited = part(bundle, originals[:IMAGES])
    expected = part_table(audited, threads=1)
    for threads in (2, 4):
        found = part_table(audited, threads=threads)
        for name in ("gradcam", "embedding"):
            np.testing.assert_array_equal(np.stack(found[name].to_list()), np.stack(expected[name].to_list()))
        lists = ["gradcam", "embedding"]
        pd.testing.assert_frame_equal(found.drop(columns=lists), expected.drop(columns=lists), check_exact=True)


def test_progress_counts_every_case_in_order(bundle: ModelBundle, originals: list[Path]) -> None:
    told: list[int] = []
    part_table(part(bundle, originals[:IMAGES]), told.append, threads=2)
    assert told == [*range(BATCH, IMAGES, BATCH), IMAGES]
