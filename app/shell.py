"""The frame around every page: left rail, top bar, bottom bar on phones, and the notice that this is no diagnosis."""

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from app import model_choice, urls
from app.components import NOTICE, icon, leaky_split
from app.context import Context
from app.theme import MANTINE_THEME

PAGE = "page"
LOCATION = "location"


def shell(context: Context) -> Component:
    """The whole document but for the page, which the router puts into the element `page`."""
    return dmc.MantineProvider(
        dmc.AppShell(
            [
                html.A("Skip to content", href=f"#{PAGE}", className="skip-link"),
                dcc.Location(id=LOCATION, refresh="callback-nav"),
                dmc.AppShellHeader(_top_bar(context), className="top-bar"),
                dmc.AppShellNavbar(html.Nav(_links(context), className="rail", **{"aria-label": "Pages"})),
                dmc.AppShellMain(
                    html.Div(
                        id=PAGE,
                        className="page",
                        tabIndex=-1,
                        children=[dmc.Skeleton(height=28, width=240), dmc.Skeleton(height=420, mt="md")],
                    )
                ),
                html.Nav(_links(context), className="bottom-bar", **{"aria-label": "Pages"}),
            ],
            header={"height": {"base": 76, "sm": 48}},
            navbar={"width": 88, "breakpoint": "sm", "collapsed": {"mobile": True, "desktop": False}},
            padding=0,
        ),
        theme=MANTINE_THEME,
        defaultColorScheme="auto",
    )


def _top_bar(context: Context) -> list[Component]:
    card = context.bundle.card
    data = "no images on this machine" if context.data_path is None else context.data_path.name
    return [
        html.Div(
            [
                dcc.Link([icon("microscope", 22), "LesionLens"], href=urls.home(), className="brand"),
                html.Div(
                    [_fact("Model", model_choice.select(context)), _fact("Data", data)],
                    className="facts",
                ),
                *leaky_split(card),
                html.Span(NOTICE, className="notice notice-wide"),
                dmc.ColorSchemeToggle(
                    lightIcon=icon("sun", 18),
                    darkIcon=icon("moon", 18),
                    variant="subtle",
                    color="gray",
                    **{"aria-label": "Switch between light and dark"},
                ),
            ],
            className="top-bar-row",
        ),
        html.Div(NOTICE, className="notice notice-narrow"),
    ]


def _fact(label: str, value: Component | str) -> Component:
    content = html.Span(value, className="fact-value") if isinstance(value, str) else value
    return html.Span([html.Span(label, className="fact-label"), content], className=f"fact fact-{label.lower()}")


def _links(context: Context) -> list[Component]:
    pages = (
        ("Explain", "photo-search", urls.explain()),
        ("Cases", "layout-grid", urls.cases()),
        ("Metrics", "chart-bar", urls.metrics()),
        ("Confusion", "grid-dots", urls.confusion()),
        ("Pair", "arrows-left-right", urls.pair(*context.results.first_pair)),
        ("Leakage", "droplet", urls.leakage()),
        ("Explanations", "scale", urls.explanations()),
        ("Card", "id-badge-2", urls.card()),
    )
    return [
        dmc.NavLink(
            label=name,
            leftSection=icon(icon_name, 22),
            href=href,
            active="partial",
            className="page-link",
        )
        for name, icon_name, href in pages
    ]
