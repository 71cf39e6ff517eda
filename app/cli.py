"""The command line: `lesionlens COMMAND …`."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version

from app.commands import (
    audit,
    card,
    data,
    evaluate,
    explain,
    export,
    import_,
    leakage,
    localisation,
    predict,
    sanity,
    serve,
    train,
)

COMMANDS = (
    serve,
    predict,
    explain,
    train,
    evaluate,
    audit,
    localisation,
    sanity,
    leakage,
    card,
    import_,
    export,
    data,
)
NOTICE = "A teaching and research tool, not for diagnosis. The shipped model is for non-commercial use (CC BY-NC 4.0)."


def parser() -> argparse.ArgumentParser:
    """The parser of all commands; a command is a module with `add_parser` and `run`."""
    main_parser = argparse.ArgumentParser(
        prog="lesionlens",
        description="Train a network on dermatoscopic images, see what it looks at, and argue with it in a dashboard.",
        epilog=NOTICE,
    )
    main_parser.add_argument("--version", action="version", version=f"lesionlens {version('lesionlens')}")
    subparsers = main_parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(subparsers)
    return main_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 2 for what the user can mend, with one line that says how."""
    # TensorFlow's own start-up notes are no concern of the user's.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

    arguments = parser().parse_args(argv)
    try:
        status: int = arguments.run(arguments)
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except (ValueError, OSError) as error:
        print(f"lesionlens: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("lesionlens: stopped", file=sys.stderr)
        return 130
    return status
