"""The look: Mantine's theme, and the Plotly template whose dark side is in assets/plotly.css."""

from typing import Any

from model.classes import DIAGNOSES

FONT = 'Inter, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif'
ACCENT = "#0c8599"
CLASS_COLOURS = {diagnosis.code: diagnosis.colour for diagnosis in DIAGNOSES}

MANTINE_THEME: dict[str, Any] = {
    "primaryColor": "teal",
    "primaryShade": {"light": 8, "dark": 5},
    "autoContrast": True,
    "fontFamily": FONT,
    "defaultRadius": "sm",
    "cursorType": "pointer",
    "fontSizes": {"xs": "0.75rem", "sm": "0.8125rem", "md": "0.875rem", "lg": "1rem", "xl": "1.25rem"},
    "headings": {
        "fontFamily": FONT,
        "fontWeight": "600",
        "sizes": {
            "h1": {"fontSize": "1.375rem", "lineHeight": "1.3"},
            "h2": {"fontSize": "0.9375rem", "lineHeight": "1.4"},
            "h3": {"fontSize": "0.8125rem", "lineHeight": "1.4"},
        },
    },
}


def plotly_template() -> dict[str, Any]:
    """The template of every figure, light on white so that a downloaded figure prints well.

    On the page, assets/plotly.css lets text, grid and background follow the colour scheme.
    """
    axis = {
        "gridcolor": "#e9ecef",
        "linecolor": "#adb5bd",
        "zerolinecolor": "#ced4da",
        "ticks": "outside",
        "tickcolor": "#adb5bd",
        "ticklen": 4,
        "title": {"standoff": 8},
        "automargin": True,
    }
    return {
        "layout": {
            "font": {"family": FONT, "size": 12, "color": "#343a40"},
            "title": {"font": {"size": 14, "weight": 600}, "x": 0, "xref": "paper", "xanchor": "left"},
            "paper_bgcolor": "#ffffff",
            "plot_bgcolor": "#ffffff",
            "colorway": list(CLASS_COLOURS.values()),
            "xaxis": axis,
            "yaxis": axis,
            "margin": {"l": 56, "r": 16, "t": 40, "b": 48},
            "hoverlabel": {
                "bgcolor": "#212529",
                "bordercolor": "#212529",
                "font": {"color": "#f8f9fa", "family": FONT, "size": 12},
            },
            "legend": {"orientation": "h", "y": -0.18, "x": 0},
            "separators": ".\u202f",
        }
    }
