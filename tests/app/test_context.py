from app.context import Context
from model.bundle import ModelBundle, load_bundle


def test_the_ensemble_is_offered_only_where_all_folds_run_as_the_model_does(bundle: ModelBundle) -> None:
    assert Context(bundle).ensemble_size == 5
    assert Context(load_bundle(bundle.path, int8=True)).ensemble_size == 1
