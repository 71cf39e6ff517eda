"""Starting TensorFlow without its notes on processors, which it prints before any setting can keep it from that."""

import os
from importlib import import_module
from pathlib import Path


def start_tensorflow() -> None:
    """Import TensorFlow with the process's error stream closed to it; an import that fails is raised as ever."""
    stream = os.dup(2)
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            import_module("tensorflow")
        finally:
            os.dup2(stream, 2)
            os.close(stream)
