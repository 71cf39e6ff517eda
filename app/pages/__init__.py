"""The pages, by the pattern of their address.

A page is a module with three functions: `layout(context, query, **parts) -> Component` builds it from its address,
`register_callbacks(app, context)` makes it respond, and `register_api(server, context)` adds its JSON twin.
"""

from collections.abc import Mapping
from types import ModuleType

from dash.development.base_component import Component
from starlette.routing import compile_path

from app import urls
from app.components import failed, link_button
from app.context import Context
from app.model_choice import unknown_model
from app.pages import card, case, cases, confusion, explain, explanations, leakage, metrics, pair

PAGES: dict[str, ModuleType] = {
    urls.EXPLAIN: explain,
    urls.CASES: cases,
    urls.CASE: case,
    urls.METRICS: metrics,
    urls.CONFUSION: confusion,
    urls.PAIR: pair,
    urls.LEAKAGE: leakage,
    urls.EXPLANATIONS: explanations,
    urls.CARD: card,
}


def render(context: Context, pathname: str, query: Mapping[str, str]) -> Component:
    """The page at `pathname`, or a page that says there is none."""
    path = urls.path_in_model(pathname)
    page, parts = find(path)
    if page is not None:
        component: Component = page.layout(context, query, **parts)
        return component
    if path.startswith(f"{urls.MODELS}/"):
        return unknown_model(context, path, query)
    return failed("There is no such page", pathname, link_button("To Explain", urls.explain()))


def find(path: str) -> tuple[ModuleType | None, dict[str, str]]:
    """The page whose pattern fits `path` (`urls.path_in_model`), None where there is none, and the pattern's parts."""
    for pattern, page in PAGES.items():
        expression, _, convertors = compile_path(pattern)
        match = expression.match(urls.EXPLAIN if path == urls.HOME else path)
        if match:
            return page, {name: convertors[name].convert(value) for name, value in match.groupdict().items()}
    return None, {}
