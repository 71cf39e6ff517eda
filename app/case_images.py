"""Pictures of a case: its image where that is on this machine, and its stored Grad-CAM maps as layers over it."""

import io
from functools import lru_cache
from pathlib import Path

import dash_mantine_components as dmc
import numpy as np
from dash import html
from dash.development.base_component import Component
from fastapi import FastAPI, HTTPException, Response
from fastapi.responses import FileResponse
from numpy.typing import NDArray
from PIL import Image

from app import urls
from app.components import icon
from app.context import Context
from app.results import Results
from app.uploads import png, shrink
from explain.attribution import Attribution, Target
from explain.overlay import attribution_rgba
from model.images import ImageError, decode

THUMBNAIL_SIDE = 240
HEATMAP_SIDE = 256
CACHED = {"Cache-Control": "private, max-age=3600"}


def stored_attribution(results: Results, image_id: str, target: Target) -> Attribution:
    """The Grad-CAM map of a case as it was stored with its prediction; raises KeyError for an unknown case."""
    maps = results.maps(image_id)
    values = maps[target.code] if target.against is None else maps[target.code] - maps[target.against]
    return Attribution(values, "gradcam", target, {"source": "stored predictions"}, seed=0, evaluations=0, seconds=0.0)


def picture(context: Context, image_id: str, target: Target | None = None, *, large: bool = False) -> Component:
    """A case's image, or a placeholder where it is not on this machine, under the heatmap of `target` if given."""
    if image_id in context.image_paths:
        source = urls.case_image(image_id) if large else urls.case_thumbnail(image_id)
        ground = html.Img(src=source, alt=f"Dermatoscopic image {image_id}", className="case-photo")
    else:
        ground = html.Div(
            [icon("photo-off", 22), html.Span("Image not on this machine")] if target is None or large else None,
            className="case-photo missing",
        )
    if target is None:
        return html.Div(ground, className="case-picture")
    layer = html.Img(
        src=urls.case_heatmap(image_id, target.code, target.against),
        alt=f"Grad-CAM heatmap of {image_id} for {target}",
        className="case-heatmap",
    )
    return html.Div([ground, layer], className="case-picture")


def opacity_slider(identifier: str) -> Component:
    """A slider for the opacity of heatmaps; the page's callback sets the CSS variable --heatmap-opacity from it."""
    return html.Div(
        [
            dmc.Text("Heatmap opacity", size="xs", className="quiet"),
            dmc.Slider(
                id=identifier, min=0, max=100, step=5, value=75, updatemode="drag", size="sm", w=140,
                thumbLabel="Heatmap opacity in percent",
            ),
        ],
        className="opacity-control",
    )  # fmt: skip


def path_of(context: Context, image_id: str) -> Path:
    """Where the image of a case is; raises HTTPException 404 where it is not on this machine."""
    if image_id not in context.image_paths:
        raise HTTPException(404, f"The image {image_id} is not on this machine.")
    return context.image_paths[image_id]


def case_pixels(context: Context, image_id: str) -> NDArray[np.uint8]:
    """The pixels of a case, uint8 (height, width, 3); raises HTTPException 404 where it is not here, 422 if damaged."""
    try:
        return decode(path_of(context, image_id))
    except ImageError as error:
        raise HTTPException(422, f"{image_id}: {error}") from error


def register_images(server: FastAPI, context: Context) -> None:
    """The routes of a case's pictures."""

    @server.get(urls.API + urls.CASE + "/image")
    def image(image_id: str) -> FileResponse:
        return FileResponse(path_of(context, image_id), headers=CACHED)

    @server.get(urls.API + urls.CASE + "/thumbnail.jpg")
    def thumbnail(image_id: str) -> Response:
        try:
            return Response(_thumbnail(path_of(context, image_id)), media_type="image/jpeg", headers=CACHED)
        except ImageError as error:
            raise HTTPException(422, f"{image_id}: {error}") from error

    @server.get(urls.API + urls.CASE + "/heatmap.png")
    def heatmap(image_id: str, target: str, against: str | None = None) -> Response:
        known = {*context.results.classes, None}
        if image_id not in context.results.table.index or not {target, against} <= known or target == against:
            raise HTTPException(404, f"There is no map of {target} against {against} for {image_id}.")
        attribution = stored_attribution(context.results, image_id, Target(target, against))
        layer = png(attribution_rgba(attribution, HEATMAP_SIDE, HEATMAP_SIDE))
        return Response(layer, media_type="image/png", headers=CACHED)


@lru_cache(maxsize=2048)
def _thumbnail(path: Path) -> bytes:
    content = io.BytesIO()
    Image.fromarray(shrink(decode(path), THUMBNAIL_SIDE)).save(content, "JPEG", quality=82)
    return content.getvalue()
