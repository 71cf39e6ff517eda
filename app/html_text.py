"""Large or often drawn parts of a page as text: the browser makes the elements itself.

Dash watches every component of a page for changes, in a time that grows with the square of their number: 1,600 of them
take ten seconds on a slow core. What never changes once it is laid out need not be watched.
"""

import re
from collections.abc import Mapping
from html import escape
from typing import Any

from dash import html
from dash.development.base_component import Component

ATTRIBUTES = {"className": "class"}


def table_box(table: Component) -> Component:
    """A box that scrolls sideways, with a table of `dash.html` components."""
    return text_box(table, className="table-box", tabIndex=0)


def text_box(content: Any, **properties: Any) -> Component:
    """A div with these properties and with `content`, as `as_text` takes it; `assets/base.js` fills it."""
    return html.Div(**properties, **{"data-html": as_text(content)})


def as_text(node: Any) -> str:
    """HTML of `dash.html` components, of texts, which are escaped, and of lists of these.

    Raises ValueError for components of other libraries, which are no elements.
    """
    if node is None:
        return ""
    if isinstance(node, list | tuple):
        return "".join(map(as_text, node))
    if not isinstance(node, Component):
        return escape(str(node))
    plain = node.to_plotly_json()
    if plain["namespace"] != "dash_html_components":
        raise ValueError(f"{plain['type']} is no HTML element.")
    properties = dict(plain["props"])
    children, name = as_text(properties.pop("children", None)), plain["type"].lower()
    attributes = "".join(_attribute(key, value) for key, value in properties.items() if value is not None)
    return f"<{name}{attributes}>{children}</{name}>"


def _attribute(name: str, value: Any) -> str:
    text = _style(value) if name == "style" else str(value)
    return f' {ATTRIBUTES.get(name, name.lower())}="{escape(text)}"'


def _style(style: Mapping[str, Any]) -> str:
    """Numbers are pixels, as React has them for lengths."""
    written = {re.sub("[A-Z]", lambda letter: f"-{letter[0].lower()}", name): value for name, value in style.items()}
    return "; ".join(f"{name}: {value}{'px' * isinstance(value, int | float)}" for name, value in written.items())
