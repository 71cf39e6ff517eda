"""The JSON API about images: predict one, explain one, and the synthetic samples.

An image comes as a request's whole body or as the one file of a multipart form. A refused one is answered with status
413 (too large) or 422 and the same JSON that the command line prints.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Annotated, Any

import numpy as np
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from numpy import uint8
from numpy.typing import NDArray

from analysis.agreement import agreement
from analysis.audit_manifest import AuditError
from analysis.predictions import PredictionsError
from analysis.region_values import has_regions, region_values
from analysis.trust import trust
from app import urls
from app.answers import attribution_answer, error_answer, prediction_answer
from app.asked_map import AskedMap, asked_map, check_ensemble, check_predicting
from app.context import Context
from app.disconnect import StoppedError, finished
from app.method_choice import method_answers
from app.patient import Asked, with_patient
from app.region_answer import regions_answer
from app.tensorflow_start import needs_tensorflow
from app.trust_answer import trust_answer
from app.uploads import TooLargeError, data_url, for_browser, png, read_image_file, shrink
from explain import explain
from explain.attribution import Attribution, StopSignal
from model.images import ImageError, decode, prepare, upright_size
from model.metadata import MetadataError
from model.phantoms import SAMPLES, sample
from model.prediction import Prediction

CONCURRENT_IMAGES = 2
THUMBNAIL_SIDE = 240
SHOWN_SIDE = 640  # pixels that a large photograph is shown with, at least
SPARE = 3  # times the network's size, as `prepare` has it, is enough of a large photograph
CLIENT_CLOSED_REQUEST = 499  # as nginx has it in its log; nobody receives it
IMMUTABLE = {"Cache-Control": "public, max-age=86400"}


def register(server: FastAPI, context: Context) -> None:
    """Add the routes to `server`."""
    checked = asked_map(context)
    slots = asyncio.Semaphore(CONCURRENT_IMAGES)  # bounds the memory that decoding takes

    def for_the_model(content: bytes) -> NDArray[uint8]:
        # What waits for its turn is small, however large the photograph; preparing it once more changes nothing.
        size = context.bundle.card.size
        return prepare(decode(content, at_least=SPARE * size), size)

    def for_the_browser(content: bytes) -> tuple[NDArray[uint8], str, tuple[int, int]]:
        return *for_browser(decode(content, at_least=SHOWN_SIDE)), upright_size(content)

    async def answer_about_image(
        request: Request,
        answer: Callable[[str, Any], dict[str, Any]],
        open_image: Callable[[bytes], Any] = for_the_model,
        threads: ThreadPoolExecutor | None = None,
        left: threading.Event | None = None,
    ) -> JSONResponse:
        name = request.query_params.get("name", "image")
        try:
            name, content = await read_image_file(request)
            async with slots:
                image = await asyncio.to_thread(open_image, content)
        except ImageError as error:
            return JSONResponse(error_answer(name, error), 413 if isinstance(error, TooLargeError) else 422)
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(threads, answer, name, image)
        return JSONResponse(await finished(request, work, left or threading.Event()))

    async def answer_with_map(
        request: Request,
        answer: Callable[[Context, str, NDArray[uint8], AskedMap, StopSignal], dict[str, Any]],
        asked: AskedMap,
    ) -> JSONResponse:
        left = threading.Event()
        threads = context.explanation_threads
        return await answer_about_image(
            request, lambda name, image: answer(context, name, image, asked, left.is_set), threads=threads, left=left
        )

    def opened(
        name: str, shown: NDArray[uint8], source: str, size: tuple[int, int], tta: bool, ensemble: bool
    ) -> dict[str, Any]:
        # What is predicted is what the maps will explain, though the network sees it in other pixels than people do.
        seen = prepare(shown, context.bundle.card.size)
        answer = prediction_answer(name, predicted(context, seen, tta, ensemble))
        return {**answer, "width": size[0], "height": size[1], "source": source, "input": data_url(seen)}

    @server.exception_handler(PredictionsError)
    def no_predictions(request: Request, error: PredictionsError) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, 404)

    @server.exception_handler(AuditError)
    def no_audit(request: Request, error: AuditError) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, 404)

    @server.exception_handler(MetadataError)
    def no_such_patient(request: Request, error: MetadataError) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, 422)

    @server.exception_handler(StoppedError)
    def client_has_left(request: Request, error: StoppedError) -> Response:
        return Response(status_code=CLIENT_CLOSED_REQUEST)

    @server.get(f"{urls.API}/health")
    def health() -> dict[str, str]:
        return {"status": "ok", "model": context.bundle.card.name}

    @server.post(f"{urls.API}/predict")
    async def predict_image(
        request: Request,
        asked: Annotated[Asked, Depends()],
        tta: bool = False,
        ensemble: bool = False,
    ) -> JSONResponse:
        """Predict the image in the request, with `tta` over its symmetries, with `ensemble` by all folds.

        With `age` (years), `sex` or `site` the answer also holds the prediction that takes the patient into account.
        """
        await asyncio.to_thread(check_predicting, context, ensemble, asked)

        def answer(name: str, image: NDArray[uint8]) -> dict[str, Any]:
            return answered(context, name, predicted(context, image, tta, ensemble), ensemble, asked)

        return await answer_about_image(request, answer)

    @server.post(f"{urls.API}/explain")
    async def explain_image(request: Request, asked: Annotated[AskedMap, Depends(checked)]) -> JSONResponse:
        """Predict and explain the image in the request; the target is the called class unless one is given.

        With `methods`, codes parted by commas, `agreement` is the rank correlation of the map's superpixels with those
        of these methods' maps.

        `tta`, `ensemble`, `age`, `sex` and `site` are for the prediction: the map always explains the one model and the
        image as it stands. `layer` and `library` are for the methods of which `methods` says so.
        """
        return await answer_with_map(request, explained, asked)

    @server.post(f"{urls.API}/trust")
    async def judge_image(request: Request, asked: Annotated[AskedMap, Depends(checked)]) -> JSONResponse:
        """How far the map can be believed that `explain` gives to the same question; takes several times as long.

        The lesion's outline is estimated. With `methods` it also says how far the map agrees with theirs.
        """
        return await answer_with_map(request, judged, asked)

    @server.post(f"{urls.API}/images")
    async def open_image(request: Request, tta: bool = False, ensemble: bool = False) -> JSONResponse:
        """Predict the image in the request and give it back upright and small, without metadata.

        `source` is the image to look at, lossless WebP or where it had to be scaled down JPEG, and `input`, lossless
        WebP, what the network sees of it.
        """
        await asyncio.to_thread(check_ensemble, context, ensemble)

        def answer(name: str, image: tuple[NDArray[uint8], str, tuple[int, int]]) -> dict[str, Any]:
            return opened(name, *image, tta, ensemble)

        return await answer_about_image(request, answer, for_the_browser)

    @server.get(f"{urls.API}/methods")
    def methods() -> list[dict[str, Any]]:
        """The explanation methods and controls."""
        return method_answers(context.bundle)

    @server.get(f"{urls.API}/samples")
    def samples() -> list[dict[str, Any]]:
        return [
            {"sample": name, "title": recipe.title, "description": recipe.description, "synthetic": True}
            for name, recipe in SAMPLES.items()
        ]

    @server.get(urls.API + "/samples/{name}")
    def open_sample(name: str, tta: bool = False, ensemble: bool = False) -> dict[str, Any]:
        """A synthetic sample as `images` gives an uploaded image."""
        check_ensemble(context, ensemble)
        image = sample_image(name)
        height, width = image.shape[:2]
        answer = opened(SAMPLES[name].title, *for_browser(image), (width, height), tta, ensemble)
        return {**answer, "synthetic": True, "sample": name}

    @server.get(urls.API + "/samples/{name}/image.png")
    def sample_file(name: str) -> Response:
        return Response(png(sample_image(name)), media_type="image/png", headers=IMMUTABLE)

    @server.get(urls.API + "/samples/{name}/thumbnail.png")
    def sample_thumbnail(name: str) -> Response:
        small = shrink(sample_image(name), THUMBNAIL_SIDE)
        return Response(png(small), media_type="image/png", headers=IMMUTABLE)


def answered(context: Context, name: str, prediction: Prediction, ensemble: bool, asked: Asked) -> dict[str, Any]:
    """The answer about a prediction, and beside it, `with_metadata`, the one that takes the patient into account."""
    answer = prediction_answer(name, prediction)
    model = context.ensemble if ensemble else context.predictor
    return {**answer, "with_metadata": with_patient(model, answer["probabilities"], asked)}


def predicted(context: Context, image: NDArray[uint8], tta: bool, ensemble: bool) -> Prediction:
    """The prediction of an image by the model or by its ensemble, once or over its symmetries."""
    model = context.ensemble if ensemble else context.predictor
    return model.predict(image, tta=tta)


def explained(
    context: Context, name: str, image: NDArray[uint8], asked: AskedMap, should_stop: StopSignal
) -> dict[str, Any]:
    """The prediction of an image, one method's map, and its agreement with the maps of the others that are asked for.

    `regions` are those of a method that has regions, else null. The map is unfinished where `should_stop` has ended it.
    """
    image = prepare(image, context.bundle.card.size)
    prediction = predicted(context, image, asked.tta, asked.ensemble)
    attribution = made(context, image, prediction, asked, should_stop)
    answer = answered(context, name, prediction, asked.ensemble, asked.patient)
    return {
        **answer,
        "attribution": attribution_answer(attribution),
        "regions": regions_answer(region_values(attribution, image)) if has_regions(asked.method) else None,
        "agreement": agreement_with(context, image, attribution, asked, should_stop),
    }


def judged(
    context: Context, name: str, image: NDArray[uint8], asked: AskedMap, should_stop: StopSignal
) -> dict[str, Any]:
    """What one method's map of a prepared image is worth; raises StoppedError once `should_stop` says so."""

    def go_on() -> None:
        if should_stop():
            raise StoppedError

    attribution = made(context, image, predicted(context, image, asked.tta, asked.ensemble), asked, should_stop)
    *_, found = trust(attribution, image, context.predictor, check=go_on)
    agreed = agreement_with(context, image, attribution, asked, should_stop)
    return {"image": name, **trust_answer(found, context.bundle.card.classes), "agreement": agreed}


def made(
    context: Context, image: NDArray[uint8], prediction: Prediction, asked: AskedMap, should_stop: StopSignal
) -> Attribution:
    """The map that is asked for, of the called class where no target is named."""
    target = asked.target_or(prediction.predicted)
    load_for(context, asked.method, asked.layer)
    question = (image, context.predictor, asked.method, target, asked.against)
    return explain(*question, seed=asked.seed, layer=asked.layer, library=asked.library, should_stop=should_stop)


def load_for(context: Context, method: str, layer: str | None = None) -> None:
    """Have TensorFlow there if the method's map at `layer` needs it: loaded once, however many ask at the same time."""
    if needs_tensorflow(context.bundle, method, layer):
        context.tensorflow.load(context.bundle)


def agreement_with(
    context: Context, image: NDArray[uint8], attribution: Attribution, asked: AskedMap, should_stop: StopSignal
) -> dict[str, float]:
    """How far a map of a prepared image agrees with those of the other methods that are asked for, by their codes."""
    if not asked.others:
        return {}
    target = attribution.target
    maps = {asked.method: attribution}
    for code in asked.others:
        load_for(context, code)
        question = (image, context.predictor, code, target.code, target.against)
        maps[code] = explain(*question, seed=asked.seed, should_stop=should_stop)
    found = agreement(maps, image).loc[asked.method, asked.others]
    return dict(zip(asked.others, found.to_numpy(np.float64).tolist(), strict=True))


@lru_cache(maxsize=len(SAMPLES))
def sample_image(name: str) -> NDArray[uint8]:
    """The picture of a synthetic sample; raises HTTPException 404 for an unknown name."""
    if name not in SAMPLES:
        raise HTTPException(404, f"There is no sample {name!r}; there are {', '.join(SAMPLES)}.")
    return sample(name).image
