"""The option --save of commands whose figures the README and the dashboard keep."""

import argparse
from pathlib import Path


def add_save_option(parser: argparse.ArgumentParser, what: str) -> None:
    """Add --save [DIR]: a folder to keep `what` in, without DIR that of the shipped models' figures."""
    from analysis.predictions import COMMITTED

    parser.add_argument("--save", type=Path, nargs="?", const=COMMITTED, metavar="DIR", help=f"keep {what}")
