"""Methods as users name them: several in one word, with commas."""

from explain.attribution import ExplanationError
from explain.methods import METHODS


def method_list(text: str) -> list[str]:
    """The codes in an argument, each once, in its order; `all` names every method and control.

    Raises ExplanationError for one that there is not.
    """
    names = list(dict.fromkeys(name.strip() for name in text.split(",")))
    if names == ["all"]:
        return list(METHODS)
    unknown = [name for name in names if name not in METHODS]
    if unknown:
        raise ExplanationError(f"There is no method {unknown[0]!r}. Choose from all, {', '.join(METHODS)}.")
    return names


def names_in_address(text: str) -> list[str]:
    """What a query's value names, each once, whether there are such methods or not."""
    as_typed = text.replace(" ", "+")  # "gradcam++", where an address means spaces
    return [name for name in dict.fromkeys(as_typed.split(",")) if name]
