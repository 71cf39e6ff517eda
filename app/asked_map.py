"""What is asked of a map: the parameters and their checks that explaining and judging an image have in common."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, HTTPException

from app.context import Context
from app.method_list import names_in_address
from app.patient import Asked, check_patient
from explain import check_method, check_seed
from explain.attribution import ExplanationError
from explain.methods import DEFAULT_METHOD, METHODS
from model.bundle import BundleError

CALLED_AGAINST_ITSELF = "{} is the called class. Name a target, or another class to contrast with."


@dataclass(frozen=True)
class AskedMap:
    """One method's map of an image, and who predicts the image.

    `target` None is the called class. `layer` and `library` are for the methods of which `/api/methods` says so.
    `methods`, parted by commas as in the address of the page, are those with whose maps its agreement is wanted; they
    are asked for the same target, at their last layer. `tta`, `ensemble` and `patient` are for the prediction: the map
    always explains the one model and the image as it stands.
    """

    patient: Annotated[Asked, Depends()]
    method: str = DEFAULT_METHOD
    target: str | None = None
    against: str | None = None
    seed: int = 0
    layer: str | None = None
    library: bool = False
    methods: str = ""
    tta: bool = False
    ensemble: bool = False

    @property
    def others(self) -> list[str]:
        """The methods to compare with, but for the one that is asked for itself."""
        return [code for code in names_in_address(self.methods) if code != self.method]

    def target_or(self, called: str) -> str:
        """The target, `called` where none is named; raises HTTPException 422 where that is what it is set against."""
        target = self.target or called
        if target == self.against:
            raise HTTPException(422, CALLED_AGAINST_ITSELF.format(self.against))
        return target


def asked_map(context: Context) -> Callable[..., Awaitable[AskedMap]]:
    """The dependency of routes: what is asked for, once it is known that the context's model can answer it.

    It raises HTTPException 422, or MetadataError for a patient that the model cannot take into account.
    """

    async def checked(asked: Annotated[AskedMap, Depends()]) -> AskedMap:
        _check_map(context, asked)
        await asyncio.to_thread(check_predicting, context, asked.ensemble, asked.patient)
        return asked

    return checked


def check_predicting(context: Context, ensemble: bool, patient: Asked) -> None:
    """Raise HTTPException as `check_ensemble` does, MetadataError as `check_patient` does."""
    check_ensemble(context, ensemble)
    bundles = [member.bundle for member in context.ensemble.members] if ensemble else [context.bundle]
    check_patient(bundles, patient)


def check_ensemble(context: Context, ensemble: bool) -> None:
    """Raise HTTPException 422 when the ensemble is asked for and there is none; the first time it loads all members."""
    if ensemble:
        try:
            _ = context.ensemble
        except BundleError as error:
            raise HTTPException(422, str(error)) from error


def _check_map(context: Context, asked: AskedMap) -> None:
    try:
        check_method(asked.method, context.bundle, asked.layer, library=asked.library)
        check_seed(asked.seed)
    except ExplanationError as error:
        raise HTTPException(422, str(error)) from error
    unknown = [code for code in asked.others if code not in METHODS]
    if unknown:
        raise HTTPException(422, f"methods are of {', '.join(METHODS)}, not {unknown[0]!r}.")
    classes = context.bundle.card.classes
    for code in (asked.target, asked.against):
        if code is not None and code not in classes:
            raise HTTPException(422, f"target and against are of {', '.join(classes)}, not {code!r}.")
    if asked.target is not None and asked.target == asked.against:
        raise HTTPException(422, "target and against are the same class.")
