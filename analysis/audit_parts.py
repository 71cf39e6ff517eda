"""The parts of an audit: which cases each holds, which model predicts them, and the batch function that writes one."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.audit import NetworkAnswers, ask_network, predicted_table, write_table
from analysis.audit_measures import measure_cases
from analysis.case_predictions import seen_cases, unseen_cases
from analysis.descriptors import image_quality
from analysis.faithfulness import EVALUATIONS
from analysis.predictions import probabilities
from analysis.stability import repetitions
from explain.methods import METHODS
from explain.one_thread import ONE_THREAD
from model.bundle import ModelBundle, load_bundle
from model.cases import DataError
from model.images import decode_file, prepare, prepare_file
from model.machine import usable_cores
from model.novelty import NoveltyCheck
from model.prediction import Predictor, batches
from model.splits import lesion_groups
from model.uncertainty import entropy

PART_ROWS = 512
# Measuring explanations can take minutes a case: a part has so few cases that a kill costs no more than this, about a
# quarter of an hour.
PART_EVALUATIONS = 100_000
# What one thread decodes and runs through the network: so few that the layers' outputs stay in its core's cache.
BATCH = 4
# 127 steps of int8 on either side of zero: a map is wrong by at most 1/254 of the case's largest absolute value.
STEPS = 127


@dataclass(frozen=True, eq=False)
class AuditPart:
    """One file of an audit: the `cases` that go into it, and how they are audited.

    `cases` has the columns of `model.cases.COLUMNS` and `seen`, whether the model in folder `bundle` has learnt the
    lesion. `methods` are the explanations that are measured, `quality` whether the images' descriptors are.
    """

    file: Path
    bundle: Path
    cases: pd.DataFrame
    methods: tuple[str, ...] = ()
    quality: bool = True


def cases_by_model(cases: pd.DataFrame, bundles: Sequence[ModelBundle]) -> list[pd.DataFrame]:
    """Which of `cases` each bundle's model predicts, with a column `seen`.

    One bundle takes all. Of several, folds, each case goes to the first that has not learnt its lesion. Raises
    DataError where that is none, or where a fold does not say what it has learnt.
    """
    seen = np.stack([seen_cases(cases, bundle).to_numpy(bool) for bundle in bundles], axis=1)
    if len(bundles) == 1:
        return [cases.assign(seen=seen[:, 0])]
    silent = [bundle.card.name for bundle in bundles if not bundle.learnt_path.is_file()]
    if silent:
        raise DataError(f"{silent[0]} does not say which cases it has learnt, so that it is no fold. Audit it alone.")
    by_all = np.flatnonzero(seen.all(axis=1))
    if len(by_all):
        raise DataError(
            f"{cases['image_id'].iloc[by_all[0]]} and {len(by_all) - 1:,} more images were learnt by every model: they "
            "are not the folds of one cross-validation."
        )
    chosen = seen.argmin(axis=1)
    return [cases[chosen == index].assign(seen=False) for index in range(len(bundles))]


def sampled(cases: pd.DataFrame, bundles: Sequence[ModelBundle], count: int, seed: int = 0) -> pd.DataFrame:
    """`count` cases of as many lesions, drawn at random; where there is one bundle, of lesions it has not learnt.

    The same cases, count and seed give the same sample whatever the rows' order. Raises DataError for too few lesions.
    """
    pool = unseen_cases(cases, bundles) if len(bundles) == 1 else cases
    shuffled = pool.sort_values("image_id").sample(frac=1, random_state=seed)
    distinct = shuffled[~pd.Series(lesion_groups(shuffled), index=shuffled.index).duplicated()]
    if count > len(distinct):
        raise DataError(f"A sample of {count:,} cases needs as many lesions; there are {len(distinct):,}.")
    return distinct.head(count).sort_values("image_id", ignore_index=True)


def part_rows(methods: Sequence[str]) -> int:
    """How many cases go into a part where so many methods are measured: each is run, judged, and run again for its
    stability.
    """
    evaluations = sum((1 + repetitions(method)) * METHODS[method].evaluations + EVALUATIONS for method in methods)
    return max(1, min(PART_ROWS, PART_EVALUATIONS // max(evaluations, 1)))


def divided(
    shares: Sequence[pd.DataFrame], bundles: Sequence[ModelBundle], folder: Path, methods: Sequence[str], quality: bool
) -> list[AuditPart]:
    """The parts of an audit into `folder`: each of `part_rows` cases of one model or less, in the shares' order."""
    rows = part_rows(methods)
    pieces = [
        (bundle.path.resolve(), share.iloc[piece].reset_index(drop=True))
        for share, bundle in zip(shares, bundles, strict=True)
        for piece in batches(len(share), rows)
    ]
    return [
        AuditPart(folder.resolve() / f"part-{number:05}.parquet", bundle, cases, tuple(methods), quality)
        for number, (bundle, cases) in enumerate(pieces)
    ]


def write_part(part: AuditPart, on_progress: Callable[[int], None] | None = None, threads: int | None = None) -> int:
    """Audit the cases of a part by so many threads, or one a core, and write its file, atomically; gives the row count.

    It depends on nothing but the part, so that any process on any machine that has the same files can do it. Sums are
    made on one thread, so that they are the same bit for bit whatever runs beside them.
    `on_progress` is told how many cases are done. Raises ImageError, naming the file, for a damaged image.
    """
    with ONE_THREAD:
        table = part_table(part, on_progress, threads)
    write_table(part.file, table)
    return len(table)


def part_table(
    part: AuditPart, on_progress: Callable[[int], None] | None = None, threads: int | None = None
) -> pd.DataFrame:
    """The rows of a part; the columns are those of `analysis.audit_manifest.COLUMNS`."""
    modified = (part.bundle / "card.json").stat().st_mtime_ns
    predictor = _predictor(part.bundle, modified, threads=1)
    card = predictor.bundle.card
    asked = list(_asked(predictor, part, threads, None if part.methods else on_progress))
    answers = NetworkAnswers(
        *(np.concatenate([getattr(one.answers, name) for one in asked]) for name in ("logits", "maps", "embeddings"))
    )
    table = predicted_table(card, part.cases, answers.logits)
    table["entropy"] = entropy(probabilities(table, card.classes)).astype(np.float32)
    table["model"] = card.name
    table["seen"] = part.cases["seen"]
    maps, table["gradcam_scale"] = _quantised(answers.maps)
    embeddings, table["embedding_rest"] = _projected(answers.embeddings, predictor.bundle.novelty_check)
    table["gradcam"], table["embedding"] = pd.Series(list(maps)), pd.Series(list(embeddings))
    quality = pd.DataFrame([descriptors for one in asked for descriptors in one.quality])
    table = pd.concat([table, quality.astype(np.float32)], axis=1)
    if part.methods:
        images = [image for one in asked for image in one.images]
        explaining = _predictor(part.bundle, modified, threads=0)
        measured = measure_cases(explaining, images, part.cases, table, part.methods, on_progress)
        table = pd.concat([table, measured.astype(np.float32)], axis=1)
    return table


@lru_cache(maxsize=2)
def _predictor(bundle: Path, modified: int, *, threads: int) -> Predictor:
    """The model of the part at hand; `modified` makes an overwritten bundle another."""
    return Predictor(load_bundle(bundle), threads=threads)


@dataclass(frozen=True, eq=False)
class _Asked:
    """What the network says of a batch, the images' descriptors, and the prepared images where methods need them."""

    answers: NetworkAnswers
    quality: list[dict[str, float]]
    images: list[NDArray[np.uint8]]


def _asked(
    predictor: Predictor, part: AuditPart, threads: int | None, on_progress: Callable[[int], None] | None
) -> Iterator[_Asked]:
    """The batches of a part in order; a thread has one at a time, from the files to the maps, and a core to itself."""
    paths = list(part.cases["path"])

    def ask(piece: slice) -> _Asked:
        read = [_read(path, predictor.bundle.card.size, part.quality) for path in paths[piece]]
        images = np.stack([image for image, _ in read])
        answers = ask_network(predictor, [images])
        return _Asked(answers, [quality for _, quality in read], list(images) if part.methods else [])

    with ThreadPoolExecutor(threads or usable_cores()) as pool:
        done = 0
        for one in pool.map(ask, batches(len(paths), BATCH)):
            yield one
            done += len(one.quality)
            if on_progress is not None:
                on_progress(done)


def _read(path: str, size: int, quality: bool) -> tuple[NDArray[np.uint8], dict[str, float]]:
    """A prepared image, and its descriptors if `quality`."""
    if not quality:
        return prepare_file(path, size), {}
    image = decode_file(path)
    return prepare(image, size), image_quality(image)


def _quantised(maps: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Each case's maps as int8, flat, and the float32 by which these are multiplied to get the maps back."""
    flat = maps.reshape(len(maps), -1)
    scales = (np.abs(flat).max(axis=1) / STEPS).astype(np.float32)
    steps = np.rint(flat / np.maximum(scales, np.finfo(np.float32).tiny)[:, np.newaxis]).astype(np.int8)
    return steps, scales


def _projected(
    embeddings: NDArray[np.float32], check: NoveltyCheck | None
) -> tuple[NDArray[np.float16], NDArray[np.float32]]:
    """The embeddings along the principal components that the bundle's novelty check keeps, and what these leave over.

    Where the bundle has no check the whole embeddings.
    """
    if check is None:
        return embeddings.astype(np.float16), np.zeros(len(embeddings), np.float32)
    coordinates, rest = check.projected(embeddings)
    return coordinates.astype(np.float16), rest
