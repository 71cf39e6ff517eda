import pytest
from dash import dcc, html

from app.html_text import as_text, table_box


def test_components_are_the_elements_that_dash_would_make() -> None:
    style = {"backgroundColor": "red", "--place": "3%", "width": 2}
    cell = html.Td(["a", html.Strong("<b>"), None, 3], className="x", rowSpan=2, style=style, **{"data-a": 'm"l'})
    assert as_text(html.Table(html.Tr(cell))) == (
        '<table><tr><td class="x" rowspan="2" style="background-color: red; --place: 3%; width: 2px" data-a="m&quot;l">'
        "a<strong>&lt;b&gt;</strong>3</td></tr></table>"
    )


def test_what_is_none_is_no_attribute() -> None:
    assert as_text(html.Td("a", className=None, title=None)) == "<td>a</td>"


def test_a_component_that_is_no_element_is_refused() -> None:
    with pytest.raises(ValueError, match="Graph is no HTML element"):
        as_text(html.Td(dcc.Graph()))


def test_a_table_stands_in_a_box_that_scrolls() -> None:
    box = table_box(html.Table(html.Caption("A table"))).to_plotly_json()["props"]
    assert box == {
        "className": "table-box",
        "tabIndex": 0,
        "data-html": "<table><caption>A table</caption></table>",
        "children": None,
    }
