"""`python -m tests.benchmarks NAME…`: ours against the reference, in one run; one JSON line each.

`ratio` is reference_ms / ours_ms: how many times faster ours is; `must` is the least that was asked for, `met` whether
it and what else was asked for are reached. Measure on a machine that does nothing else.
"""

import argparse
import json
import os

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
    shap,
    smoothgrad,
    upload,
)

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
    "smoothgrad": smoothgrad.measure,
    "upload": upload.measure,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="+", choices=BENCHMARKS, metavar="NAME", help=", ".join(BENCHMARKS))
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for name in parser.parse_args().names:
        print(json.dumps(BENCHMARKS[name]()), flush=True)


if __name__ == "__main__":
    main()
