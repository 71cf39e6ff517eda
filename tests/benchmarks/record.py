"""What the benchmarks measured last, kept in the repository, and the table of it in the README."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from app.markdown import markdown_table
from model.atomic import write_atomically
from model.machine import machine

RECORD = Path(__file__).parent / "measured.json"
COLUMNS = ("Benchmark", "What", "Asked for", "Measured", "Met", "Forward pass")


@dataclass(frozen=True)
class Row:
    """What a benchmark is about, what was asked of it, and its result as a format string over its JSON line."""

    what: str
    asked: str
    result: str


ROWS = {
    "prediction": Row(
        "One image, ONNX Runtime against compiled Keras", "", "{ours_ms:.1f} ms, {ratio:.1f} times faster"
    ),
    "gradcam": Row(
        "Grad-CAM of all seven classes and any contrast",
        "1.2 times the forward pass; 20 times faster than tf-keras-vis for one class",
        "{times_the_forward_pass:.2f} times; {ratio:.0f} times faster",
    ),
    "gradcam_batch": Row(
        "The same over batches of 32, in images/s", "0.85 of the forward pass'", "{ratio:.2f} of the forward pass'"
    ),
    "gradcam_dense": Row(
        "The same of `lesion_cnn`, whose head is dense",
        "1.6 times the forward pass",
        "{times_the_forward_pass:.2f} times",
    ),
    "lime": Row(
        "LIME to a rank correlation of 0.95 with 5,000 samples of the lime library",
        "on each image; 10 times faster than the library's defaults through Keras",
        "on {reached} images; {ours_ms:.0f} ms, {ratio:.0f} times faster; it ends by itself after {settled_ms} ms, at "
        "correlations of {settled_correlations}",
    ),
    "shap": Row(
        "SHAP, {evaluations} evaluations, against shap through Keras",
        "3 times faster; the same within 1e-4",
        "{ratio:.1f} times faster; the same within {largest_difference:.0e}",
    ),
    "shap_intervals": Row(
        "Cells whose Owen value, by 43,692 evaluations, lies in the interval that SHAP gives after 500",
        "0.95 of them",
        "{mean_covered} on {images} images; {mean_strongest_covered} of the tenth that count for most",
    ),
    "integrated_gradients": Row(
        "Integrated Gradients, 32 steps, against a plain TensorFlow loop",
        "2 times faster",
        "{ratio:.1f} times faster; {compiled_ratio:.1f} times where the loop's step is compiled",
    ),
    "smoothgrad": Row("SmoothGrad, 20 samples, against tf-keras-vis", "2 times faster", "{ratio:.1f} times faster"),
    "first_map": Row(
        "First partial map on screen, drawn by Chromium, of another class; of a new image, from the choice of its file",
        "500 ms",
        "LIME {lime_ms} and {lime_of_an_upload_ms} ms, SHAP {shap_ms} and {shap_of_an_upload_ms} ms",
    ),
    "upload": Row(
        "A 12-megapixel JPEG to prediction and Grad-CAM, inside the server",
        "120 ms",
        "{ours_ms:.0f} ms by the API; {dashboard_ms:.0f} ms by the dashboard, which also makes the picture to show",
    ),
    "audit": Row(
        "Images/s of an audit without image quality, from files",
        "0.8 of the forward pass' in batches of 32, for images of 300 × 225",
        "{ratio:.2f}, {images_per_second} images/s; {published_ratio:.2f} for 600 × 450",
    ),
    "audit_memory": Row(
        "Peak memory of an audit of {images[0]:,} images over that of {images[1]:,}", "0.9", "{ratio:.2f}"
    ),
    "export": Row("The int8 ONNX file against the float32 graph", "", "{ratio:.2f} times as fast"),
    "pipeline": Row("Training's input, against the step that consumes it", "", "{ratio:.1f} times faster"),
}


def keep(line: Mapping[str, Any], forward_ms: float) -> None:
    """Put a benchmark's line into the record, with today's date, the machine and its forward pass in milliseconds."""
    stamp = {"date": date.today().isoformat(), "machine": machine(), "forward_ms": round(forward_ms, 1)}
    record = {**read(), str(line["name"]): {**line, "measured": stamp}}
    write_atomically(RECORD, (json.dumps(dict(sorted(record.items())), indent=1) + "\n").encode())


def read() -> dict[str, dict[str, Any]]:
    """The lines of the record by the benchmark's name."""
    return json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.is_file() else {}


def markdown() -> str:
    """The table of the README, under it when and where it was measured."""
    record = read()
    rows = [_cells(name, row, record[name]) for name, row in ROWS.items() if name in record]
    machines = sorted({"{machine}, {date}".format(**line["measured"]) for line in record.values()})
    where = f"Medians, on {'; '.join(machines)}. Forward pass: of one image, just before; so fast the machine was then."
    return f"{markdown_table(COLUMNS, rows, numbers=False)}\n\n{where}"


def _cells(name: str, row: Row, line: Mapping[str, Any]) -> list[str]:
    met = {True: "yes", False: "**no**", None: "–"}[line.get("met")]
    forward = f"{line['measured']['forward_ms']} ms"
    return [f"`{name}`", row.what.format(**line), row.asked or "–", row.result.format(**line), met, forward]
