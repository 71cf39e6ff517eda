"""The part of the Explain page that takes the patient into account: age, sex and site, each optional."""

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, html
from dash.development.base_component import Component

from app.class_names import named
from app.components import class_chip
from app.context import Context
from app.explain_parts import about
from app.numbers import percent, signed_interval
from app.patient import Asked, age_in_years, with_patient
from model.bundle import BundleError
from model.metadata import OLDEST, SEXES, MetadataError, MetadataFusion, read_fusion

FIELDS = ("explain-age", "explain-sex", "explain-site")
RESULT = "explain-patient-result"
NOTHING = "Nothing is said of the patient: the probabilities above stand."
CAVEAT = (
    "In the training data age and site go with the diagnosis because of who was sent to which clinic, too. The "
    "heatmaps explain the image alone."
)


def patient_panel(context: Context, query: Mapping[str, str]) -> list[Component]:
    """The fields as the address fills them (`age`, `sex`, `site`), and the place of what they change.

    Nothing for a model that cannot take the patient into account, and for a damaged fusion the sentence that says so.
    """
    try:
        fusion = read_fusion(context.bundle.path)
    except MetadataError as error:
        return [_section(html.P(str(error), role="alert"))]
    if fusion is None:
        return []
    asked = asked_by(query, fusion)
    age, sex, site = FIELDS
    return [
        _section(
            html.Div(
                [
                    dmc.NumberInput(
                        id=age,
                        label="Age",
                        value=asked.age,
                        min=0,
                        max=OLDEST,
                        allowNegative=False,
                        placeholder="Unknown",
                    ),
                    _select(sex, "Sex", SEXES, asked.sex),
                    _select(site, "Site", fusion.sites, asked.site),
                ],
                className="patient-fields",
            ),
            html.Div(NOTHING, id=RESULT, className="patient-result", **{"aria-live": "polite"}),
            html.P(f"{_gain(context)}{CAVEAT}", className="caption"),
        )
    ]


def _section(*content: Component) -> Component:
    heading = html.Div(dmc.Title("With age, sex and site", order=2), className="panel-heading")
    return html.Section([heading, *content], className="panel explain-patient")


def asked_by(query: Mapping[str, str], fusion: MetadataFusion) -> Asked:
    """What an address says of the patient; what cannot be is passed over."""
    sex, site = query.get("sex"), query.get("site")
    try:
        age: float | None = float(query["age"])
    except (KeyError, ValueError):
        age = None
    return Asked(
        age if age is not None and 0 <= age <= OLDEST else None,
        sex if sex in SEXES else None,
        site if site in fusion.sites else None,
    )


def register_patient(app: Dash, context: Context, current: str) -> None:
    """Show what the patient changes of the image in the store `current`, and keep the fields in the address."""
    fields = [Input(field, "value") for field in FIELDS]
    app.clientside_callback(ClientsideFunction("patient", "remember"), *fields, prevent_initial_call=True)

    @app.callback(Output(RESULT, "children"), Input(current, "data"), *fields)
    def show(image: dict[str, Any] | None, age: float | str | None, sex: str | None, site: str | None) -> Any:
        if not image or "error" in image:
            return NOTHING
        try:
            model = context.predictor if image["disagreement"] is None else context.ensemble
            found = with_patient(model, image["probabilities"], Asked(age_in_years(age), sex, site))
        except (MetadataError, BundleError) as error:
            return str(error)
        return NOTHING if found is None else html.Div(_comparison(image, found), **about(image))


def _select(identifier: str, label: str, values: tuple[str, ...], value: str | None) -> Component:
    return dmc.Select(id=identifier, label=label, data=list(values), value=value, placeholder="Unknown", clearable=True)


def _gain(context: Context) -> str:
    validated = context.cross_validation
    if validated is None or validated.metadata is None:
        return ""
    gain = validated.metadata.figures.gain
    return (
        f"Out-of-fold they change balanced accuracy by {signed_interval(gain.balanced_accuracy)} and melanoma AUC by "
        f"{signed_interval(gain.melanoma_auc)}. "
    )


def _comparison(image: Mapping[str, Any], found: Mapping[str, Any]) -> list[Component]:
    """The called class and the probabilities, from the image alone and with the patient."""
    alone, together = image["probabilities"], found["probabilities"]
    kept = image["predicted"] == found["predicted"]
    called = f"Called {named(found['predicted'])}, "
    sentence = called + ("as from the image alone." if kept else f"not {named(image['predicted'])}.")
    rows = [
        html.Tr(
            [
                html.Th(class_chip(code), scope="row"),
                html.Td(percent(alone[code]), className="number"),
                html.Td(html.Strong(percent(together[code])), className="number"),
            ]
        )
        for code in sorted(together, key=lambda code: -together[code])
    ]
    titles = ("Diagnosis", "Image alone", "With the patient")
    header = [html.Th(title, scope="col", className="number" if index else None) for index, title in enumerate(titles)]
    table = html.Table([html.Thead(html.Tr(header)), html.Tbody(rows)], className="table")
    return [html.P(sentence, className="call-sentence"), html.Div(table, className="table-box")]
