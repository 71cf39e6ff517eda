"""SmoothGrad of one image with 20 samples, against tf-keras-vis; both get the same noise and give the same map."""

from explain import explain
from model.bundle import DEFAULT_BUNDLE, load_bundle
from model.images import prepare
from model.phantoms import sample
from model.prediction import Predictor
from tests.benchmarks.medians import compared, medians


def measure() -> dict[str, object]:
    bundle = load_bundle(DEFAULT_BUNDLE)
    predictor, image = Predictor(bundle), prepare(sample("melanoma").image, bundle.card.size)
    times = medians(
        lambda: explain(image, predictor, "smoothgrad", "mel"),
        lambda: explain(image, predictor, "smoothgrad", "mel", library=True),
        5,
    )
    return compared("smoothgrad", *times, must=2, reference="tf-keras-vis")
