"""`python -m tests.benchmarks NAME…`: ours against the reference, in one run; one JSON line each.

`ratio` is reference_ms / ours_ms: how many times faster ours is; `must` is the least that was asked for, `met` whether
it and what else was asked for are reached, `forward_ms` how long the shipped model's forward pass took just before:
so fast the machine was. Measure on a machine that does nothing else. `--save` keeps the lines in
`tests/benchmarks/measured.json`, from which `python -m scripts.figures` fills the README's table.
"""

import argparse
import json
import os

import numpy as np

from model.bundle import DEFAULT_BUNDLE, load_bundle
from model.prediction import Predictor
from tests.benchmarks import (
    audit,
    audit_memory,
    export,
    first_map,
    gradcam,
    gradcam_batch,
    gradcam_dense,
    integrated_gradients,
    lime,
    pipeline,
    prediction,
    record,
    shap,
    shap_intervals,
    smoothgrad,
    upload,
)
from tests.benchmarks.medians import medians

BENCHMARKS = {
    "audit": audit.measure,
    "audit_memory": audit_memory.measure,
    "export": export.measure,
    "first_map": first_map.measure,
    "gradcam": gradcam.measure,
    "gradcam_batch": gradcam_batch.measure,
    "gradcam_dense": gradcam_dense.measure,
    "integrated_gradients": integrated_gradients.measure,
    "lime": lime.measure,
    "pipeline": pipeline.measure,
    "prediction": prediction.measure,
    "shap": shap.measure,
    "shap_intervals": shap_intervals.measure,
    "smoothgrad": smoothgrad.measure,
    "upload": upload.measure,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="+", choices=BENCHMARKS, metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--save", action="store_true", help="keep the lines for the README's table")
    arguments = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for name in arguments.names:
        forward_ms = forward_pass()
        line = BENCHMARKS[name]()
        print(json.dumps({**line, "forward_ms": round(forward_ms, 1)}), flush=True)
        if arguments.save:
            record.keep(line, forward_ms)


def forward_pass() -> float:
    """Median milliseconds of the shipped model's forward pass of one image: how fast the machine is just now."""
    predictor = Predictor(load_bundle(DEFAULT_BUNDLE))
    image = np.zeros((1, predictor.bundle.card.size, predictor.bundle.card.size, 3), np.uint8)
    return medians(lambda: predictor.logits(image), lambda: None, 30)[0]


if __name__ == "__main__":
    main()
