"""What the cases of an audit are, and who predicted them, said wherever they are shown."""

from dash import html
from dash.development.base_component import Component

from analysis.audit_reader import Audit
from app.certainty import NUMBERS
from app.components import empty, failed
from app.context import Context
from app.evaluation_data import evaluation_note
from model.bundle import ModelBundle


def out_of_fold(audit: Audit) -> bool:
    """Whether each case is predicted by that one of several folds which has not seen its lesion."""
    return bool(audit.manifest.parameters.get("out_of_fold"))


def audit_name(audit: Audit) -> str:
    """The audit as the list of models names it."""
    models, cases = audit.manifest.models, f"{audit.manifest.rows:,} cases"
    if out_of_fold(audit):
        count = NUMBERS[len(models)] if len(models) < len(NUMBERS) else str(len(models))
        return f"All {count} folds, out-of-fold ({cases})"
    return f"Audit of {models[0].name} ({cases})"


def audit_answer(audit: Audit | None) -> dict[str, object] | None:
    """The audit in JSON: how many cases, by which models, and whether none of these had seen its cases."""
    if audit is None:
        return None
    models = [model.name for model in audit.manifest.models]
    return {"cases": audit.manifest.rows, "models": models, "out_of_fold": out_of_fold(audit)}


def cases_note(context: Context) -> list[Component]:
    """Of which cases a page's figures are, where they are not of the model's own test part."""
    if context.audit is None:
        return [*evaluation_note(context.bundle.card), *_int8_note(context.bundle)]
    return [html.P(_sentence(context, context.audit), className="notice audit-note", role="note")]


def _int8_note(bundle: ModelBundle) -> list[Component]:
    if not bundle.int8:
        return []
    text = (
        f"These are the predictions of {bundle.card.name} before it was quantised. Images on the Explain page are "
        "answered by its int8 graph, which `lesionlens export` holds against it."
    )
    return [html.P(text, className="notice", role="note")]


def model_note(context: Context) -> list[Component]:
    """Which model a page is about that shows none of the audit's cases."""
    if context.audit is None:
        return []
    text = (
        f"This page is about {context.bundle.card.name}, which explains images here. Cases, Metrics, Confusion and "
        "Pair show the audit."
    )
    return [html.P(text, className="notice audit-note", role="note")]


def _sentence(context: Context, audit: Audit) -> str:
    cases, models = f"{audit.manifest.rows:,} cases", audit.manifest.models
    if out_of_fold(audit):
        return (
            f"An audit of {cases}, each predicted by the one of {len(models)} models that has not seen its lesion. "
            "Logits are calibrated, each by its own model's temperature."
        )
    learnt = int(context.results.table["seen"].sum())
    worth = (
        f"It has learnt {learnt:,} of them, or another image of their lesion: figures with these flatter it."
        if learnt
        else "None of them, and no other image of their lesions, is known to be among what it has learnt."
    )
    return f"An audit of {cases}, predicted by {models[0].name}. {worth} Logits are calibrated."


def no_predictions(context: Context) -> Component:
    """What a page shows instead of figures where `context.results` has a problem."""
    problem = context.results.problem or ""
    if context.audit is None:
        return empty("There are no test predictions", problem)
    return failed("This audit cannot be shown", problem)


def no_such_case(context: Context, image_id: str) -> str:
    """That a case is none of those that are shown."""
    where = "the test part of this model" if context.audit is None else "this audit"
    return f"{image_id} is not in {where}."
