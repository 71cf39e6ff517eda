"""Leakage: how much of this figure is memory?"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from dash import Dash, html
from dash.development.base_component import Component
from fastapi import FastAPI, HTTPException, Response

from analysis.bootstrap import Estimate
from analysis.leakage import HOW_TO_WRITE, Face, Memory
from analysis.metrics import Scores
from analysis.overlap import TOTAL, of_all_folds
from analysis.predictions import PredictionsError
from app import urls
from app.components import class_chip, class_name, download_link, empty, failed, graph, page_header, panel, whisker
from app.context import Context
from app.csv_answers import csv_answer, estimate_columns
from app.figures import overlap_figure
from app.html_text import table_box
from app.jsonable import jsonable
from app.leakage_results import LeakageResults
from app.leakage_tables import other_rows
from app.numbers import decimal, percent
from model.classes import BY_CODE

QUESTION = "How much of this figure is memory?"
DECISION = (
    "The most probable class counts as called, as in the original report. Values with 95 % intervals from 1,000 "
    "resamples of lesions."
)
PROTOCOLS = {
    "oversampled": "Oversampled, then split",
    "image": "Split by image",
    "lesion": "Split by lesion",
}
COLOURS = {"oversampled": "var(--notice)", "lesion": "var(--accent)"}
OVERLAP_HEIGHT = 320
FEW_ROWS = 50
NO_OVERLAP = "The overlap table has not been made: lesionlens leakage --data PATH --save makes it."
# The two trainings differ in nothing but the split and the number of epochs that makes their steps agree.
COMMANDS = """\
lesionlens train --data ham10000 --network lesion_cnn --size 64 --balance oversample \\
    --moving-average 0.99 --label-smoothing 0.1 --patience 100 --protocol oversampled --epochs 10
lesionlens train --data ham10000 --network lesion_cnn --size 64 --balance oversample \\
    --moving-average 0.99 --label-smoothing 0.1 --patience 100 --protocol lesion --epochs 47
lesionlens leakage --data ham10000 --save \\
    --models runs/lesion_cnn_oversampled_fold0_64px/bundle runs/lesion_cnn_lesion_fold0_64px/bundle"""


def layout(context: Context, query: Mapping[str, str]) -> Component:
    """The page; it shows HAM10000 and one pair of trainings, whatever the model that is served."""
    try:
        return page(context.leakage)
    except PredictionsError as error:
        return failed("The figures of leakage cannot be read", f"{error} `{HOW_TO_WRITE}` writes it again.")


def register_callbacks(app: Dash, context: Context) -> None:
    """The page has no controls."""


def register_api(server: FastAPI, context: Context) -> None:
    """The overlap and both faces as JSON, the tables as CSV."""

    @server.get(urls.json_twin(urls.LEAKAGE))
    def leakage() -> Any:
        results = context.leakage
        return {"overlap": jsonable(results.overlap), "faces": jsonable(results.faces)}

    @server.get(f"{urls.json_twin(urls.LEAKAGE)}/overlap.csv")
    def overlap_csv() -> Response:
        if context.leakage.overlap is None:
            raise HTTPException(404, NO_OVERLAP)
        return csv_answer(context.leakage.overlap, "lesionlens_overlap.csv")

    @server.get(f"{urls.json_twin(urls.LEAKAGE)}/report.csv")
    def report_csv(protocol: str) -> Response:
        face = next((one for one in context.leakage.faces if one.training.protocol == protocol), None)
        if face is None:
            raise HTTPException(404, f"There is no network measured on protocol {protocol!r}.")
        return csv_answer(report_table(face), f"lesionlens_report_{protocol}.csv")


def page(results: LeakageResults) -> Component:
    """The page of what `results` holds."""
    faces = results.faces
    answer = _answer(*faces) if faces else QUESTION
    parts: list[Component] = [page_header("Leakage", answer)]
    if faces:
        parts.append(html.Div([_comparison(*faces), _original(results)], className="panels faces"))
    else:
        parts += [_untrained(), _original(results)]
    parts.append(_overlap(results))
    if faces:
        parts.append(_memory(*faces))
        parts.append(html.Div([_report(face) for face in faces], className="panels two"))
    return html.Div(parts, className="page-stack")


def report_table(face: Face) -> pd.DataFrame:
    """The per-class table of one face in the layout of scikit-learn's report, with the ends of the intervals."""
    metrics = face.metrics
    rows = [(row.code, row.scores, row.cases) for row in metrics.classes]
    rows += [("macro avg", metrics.macro, metrics.cases), ("weighted avg", metrics.weighted, metrics.cases)]
    table = pd.DataFrame(
        {
            "class": name,
            **estimate_columns({"precision": scores.precision, "recall": scores.recall, "f1-score": scores.f1}),
            "support": support,
        }
        for name, scores, support in rows
    )
    accuracy = estimate_columns({"f1-score": metrics.accuracy})
    row = pd.DataFrame([{"class": "accuracy", **accuracy, "support": metrics.cases}])
    return pd.concat([table[:-2], row, table[-2:]], ignore_index=True)


def _answer(leaky: Face, honest: Face) -> str:
    return (
        f"One network, trained twice under one budget, shows two faces: a balanced accuracy of "
        f"{decimal(leaky.adjusted.value, 2)} where {percent(leaky.memory[0].copies, 0)} of the test rows are copies of "
        f"training rows, and of {decimal(honest.adjusted.value, 2)} on lesions that it never saw."
    )


def _untrained() -> Component:
    text = html.Div(
        [
            "The same network has to be trained twice under the same budget, on a leaky split and on an honest one, "
            "and measured on the test part of either. These commands do it:",
            html.Pre(COMMANDS, className="commands", tabIndex=0),
        ]
    )
    return empty("The two networks have not been trained yet", text)


def _comparison(leaky: Face, honest: Face) -> Component:
    columns = [
        html.Th(
            [
                html.Div(PROTOCOLS[face.training.protocol], style={"color": COLOURS[face.training.protocol]}),
                html.Div(
                    f"{face.metrics.cases:,} test rows of {face.metrics.lesions:,} lesions, "
                    f"{percent(face.memory[0].copies)} copies of training rows"
                ),
            ],
            scope="col",
        )
        for face in (leaky, honest)
    ]
    both = (leaky, honest)
    rows = [
        _row(
            "Balanced accuracy, called in proportion",
            both,
            [f.adjusted for f in both],
            [f.metrics.chance_balanced_accuracy for f in both],
        ),
        _row(
            "Balanced accuracy",
            both,
            [f.metrics.balanced_accuracy for f in both],
            [f.metrics.chance_balanced_accuracy for f in both],
        ),
        _row("Accuracy", both, [f.metrics.accuracy for f in both], [f.metrics.chance_accuracy for f in both]),
        _row("Macro AUC", both, [f.metrics.macro.auc for f in both], [0.5, 0.5]),
        _row("Accuracy on rows whose lesion is in training", both, [f.memory[0].accuracy_seen for f in both]),
        _row("Accuracy on the other rows", both, [f.memory[0].accuracy_unseen for f in both]),
    ]
    header = html.Thead(html.Tr([html.Th("Figure", scope="col"), *columns]))
    return panel(
        f"One network ({leaky.training.network}, {leaky.training.size} px), one budget "
        f"({_steps(leaky, honest)} steps), two test figures",
        table_box(html.Table([header, html.Tbody(rows)], className="table scores")),
        html.P(
            f"{DECISION} The oversampled test rows hold every diagnosis equally often, so that their accuracy is a "
            "balanced accuracy; the honest ones hold them as patients bring them, two thirds naevi. Compare balanced "
            "accuracies. Called in proportion: the class is called whose probability is largest in proportion to its "
            f"share of the training rows, as elsewhere in LesionLens. {other_rows(leaky)}",
            className="caption",
        ),
    )


def _steps(leaky: Face, honest: Face) -> str:
    counts = sorted({leaky.training.steps, honest.training.steps})
    return " and ".join(f"{count:,}" for count in counts)


def _row(
    name: str, faces: Sequence[Face], values: Sequence[Estimate], chances: Sequence[float] | None = None
) -> Component:
    cells = []
    for index, (face, value) in enumerate(zip(faces, values, strict=True)):
        drawn = [_drawn(value, COLOURS[face.training.protocol])]
        if chances is not None:
            drawn.append(html.Div(f"chance {decimal(chances[index])}", className="quiet"))
        cells.append(html.Td(drawn))
    return html.Tr([html.Th(name, scope="row"), *cells])


def _drawn(estimate: Estimate, colour: str) -> Component:
    return html.Span("no such rows", className="quiet") if math.isnan(estimate.value) else whisker(estimate, colour)


def _original(results: LeakageResults) -> Component:
    title = "Why the original report's 92 % is not performance"
    if results.overlap is None:
        return panel(title, html.P(NO_OVERLAP))
    shares = of_all_folds(results.overlap[results.overlap["protocol"] == "oversampled"]).set_index("diagnosis")
    image, lesion = (shares[column].to_dict() for column in ("image", "lesion"))
    rows = int(shares["rows"].to_dict()[TOTAL])
    complete = [code for code in BY_CODE if image.get(code) == 1]
    return panel(
        title,
        html.Div(
            [
                html.P(
                    "The system that LesionLens grows out of reports 92 % accuracy and an AUC of 0.99 on "
                    f"{rows:,} test rows. Its notebook repeats the images of every diagnosis until each has "
                    "as many rows as the commonest, and splits the rows afterwards. So copies of one image fall on "
                    "both sides of the split."
                ),
                html.P(
                    [
                        html.Strong(f"{percent(image[TOTAL])} of its test rows are copies of a training row"),
                        f", and {percent(lesion[TOTAL])} show a lesion that is in training: every row of "
                        f"{', '.join(complete)}, where few images are repeated often, and "
                        f"{percent(image['nv'], 0)} of nv, where an image is seldom drawn twice.",
                    ]
                ),
                html.P(
                    "A table that looks every image up, and knows nothing else, would be right on "
                    f"{percent(image[TOTAL])} of these rows. An accuracy of 92 % on them says how well the network "
                    "remembers; what it makes of a new lesion, it does not say."
                ),
                html.P(
                    "An honest split keeps all images of a lesion on one side, and copies nothing before it splits. "
                    "Every figure elsewhere in LesionLens is measured on such a split unless it is marked as leaky."
                ),
            ],
            className="prose",
        ),
    )


def _overlap(results: LeakageResults) -> Component:
    title = "Share of test rows that training has already seen, by diagnosis, in HAM10000"
    if results.overlap is None:
        return panel(title, html.P(NO_OVERLAP))
    figures = []
    for protocol, name in PROTOCOLS.items():
        shares = of_all_folds(results.overlap[results.overlap["protocol"] == protocol])
        total = shares[shares["diagnosis"] == TOTAL].iloc[0]
        figures.append(
            html.Div(
                [
                    html.H3(f"{name}: {percent(total['lesion'])} seen", className="figure-title"),
                    graph(
                        overlap_figure(shares),
                        f"leakage-overlap-{protocol}",
                        f"lesionlens_overlap_{protocol}",
                        OVERLAP_HEIGHT,
                    ),
                ]
            )
        )
    return panel(
        title,
        html.Div(figures, className="panels three"),
        html.P(
            "Solid: the image itself is in training. Pale: another image of the same lesion is. All folds together. "
            "For your own data: lesionlens leakage --data PATH.",
            className="caption",
        ),
        actions=[download_link("CSV", f"{urls.json_twin(urls.LEAKAGE)}/overlap.csv")],
    )


def _memory(leaky: Face, honest: Face) -> Component:
    header = html.Thead(
        html.Tr(
            [
                html.Th("Diagnosis", scope="col"),
                html.Th("Test rows", scope="col", className="number"),
                html.Th("Seen", scope="col", className="number"),
                html.Th("Leaky: recall on seen rows", scope="col"),
                html.Th("Leaky: recall on other rows", scope="col"),
                html.Th("Honest: recall on new lesions", scope="col"),
            ]
        )
    )
    ours = {one.diagnosis: one for one in honest.memory}
    rows = [_memory_row(one, ours[one.diagnosis]) for one in leaky.memory[1:]]
    return panel(
        "What the leaky network knows of lesions it has seen, and of others, by diagnosis",
        table_box(html.Table([header, html.Tbody(rows)], className="table scores")),
        html.P(
            "A row is seen when its lesion is in training. Where no row is unseen, the leaky figure says nothing at "
            "all about new lesions. The honest network's recall is on test lesions that it never saw.",
            className="caption",
        ),
    )


def _memory_row(leaky: Memory, honest: Memory) -> Component:
    return html.Tr(
        [
            html.Th(class_name(leaky.diagnosis), scope="row"),
            html.Td(f"{leaky.rows:,}", className="number"),
            html.Td(percent(leaky.seen / leaky.rows), className="number"),
            html.Td(_drawn(leaky.accuracy_seen, COLOURS["oversampled"])),
            html.Td([_drawn(leaky.accuracy_unseen, COLOURS["oversampled"]), *_few_rows(leaky.rows - leaky.seen)]),
            html.Td(_drawn(honest.accuracy_unseen, COLOURS["lesion"])),
        ]
    )


def _few_rows(count: int) -> list[Component]:
    """How many rows there are, where an interval over so few lesions says little."""
    return [html.Div(f"of {count} rows", className="quiet")] if 0 < count < FEW_ROWS else []


def _report(face: Face) -> Component:
    metrics, protocol = face.metrics, face.training.protocol
    colour = COLOURS[protocol]
    names = ("precision", "recall", "f1-score", "support")
    header = html.Tr([html.Th("", scope="col"), *(html.Th(name, scope="col") for name in names)])
    classes = [_report_row(class_chip(row.code), row.scores, row.cases, colour) for row in metrics.classes]
    accuracy = html.Tr(
        [
            html.Th("accuracy", scope="row"),
            html.Td(),
            html.Td(),
            html.Td(whisker(metrics.accuracy, colour)),
            html.Td(f"{metrics.cases:,}", className="number"),
        ]
    )
    averages = [
        accuracy,
        _report_row("macro avg", metrics.macro, metrics.cases, colour),
        _report_row("weighted avg", metrics.weighted, metrics.cases, colour),
    ]
    table = html.Table([html.Thead(header), html.Tbody(classes), html.Tbody(averages)], className="table scores")
    csv = urls.with_query(f"{urls.json_twin(urls.LEAKAGE)}/report.csv", {"protocol": protocol})
    kind = "Leaky" if protocol == "oversampled" else "Honest"
    return panel(
        f"{kind}: per-class report on protocol {protocol}",
        html.Div(table, className="table-box", tabIndex=0),
        html.P(DECISION, className="caption"),
        actions=[download_link("CSV", csv)],
    )


def _report_row(name: str | Component, scores: Scores, support: int, colour: str) -> Component:
    values = (scores.precision, scores.recall, scores.f1)
    return html.Tr(
        [
            html.Th(name, scope="row"),
            *(html.Td(whisker(value, colour)) for value in values),
            html.Td(f"{support:,}", className="number"),
        ]
    )
