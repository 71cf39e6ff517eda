"""Classes by name in running text."""

from model.classes import BY_CODE


def named(code: str) -> str:
    """A diagnosis in the middle of a sentence; a class of another model by its code."""
    if code not in BY_CODE:
        return code
    name = BY_CODE[code].name
    return name[0].lower() + name[1:]
