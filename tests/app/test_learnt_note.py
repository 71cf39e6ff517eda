from pathlib import Path

from app.context import Context
from app.learnt_note import asked_bundles, learnt_note
from model.bundle import SHIPPED, load_bundle

FOLDS = [load_bundle(SHIPPED / f"efficientnet_lite0_lesion_fold{fold}_192px") for fold in range(5)]


def opened(ham10000: Path) -> tuple[Context, str]:
    """The default model with the data set, and a case of its test part."""
    context = Context(FOLDS[0], ham10000)
    return context, context.results.table["image_id"].iloc[0]


def test_a_case_of_the_test_part_was_learnt_by_every_other_fold(ham10000: Path) -> None:
    context, case = opened(ham10000)
    assert learnt_note(context, case, FOLDS[:1]) is None
    assert "The model learnt from this lesion" in str(learnt_note(context, case, FOLDS[1:2]))
    assert "Of 5 models 4 learnt from this lesion" in str(learnt_note(context, case, FOLDS))


def test_of_an_image_of_one_s_own_nothing_is_known(ham10000: Path) -> None:
    context, _ = opened(ham10000)
    assert learnt_note(context, None, FOLDS) is None
    assert learnt_note(Context(FOLDS[0]), "ISIC_0000000", FOLDS) is None


def test_an_answer_with_disagreement_is_the_ensemble_s(ham10000: Path) -> None:
    context, _ = opened(ham10000)
    assert asked_bundles(context, {"disagreement": None}) == FOLDS[:1]
    assert len(asked_bundles(context, {"disagreement": {"mutual_information": 0.1}})) == 5
