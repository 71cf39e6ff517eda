"""`lesionlens train` in a process of its own, on a few dozen real images."""

import subprocess
import sys
from pathlib import Path

TINY = ("--limit", "64", "--size", "32", "--batch", "8", "--epochs", "3", "--network", "lesion_cnn")


def train(folder: Path, *arguments: str, script: str = "import app.cli; raise SystemExit(app.cli.main())") -> int:
    """Run `script`, the command itself unless it is told otherwise, on `arguments`; gives its exit status."""
    command = [sys.executable, "-c", script, "train", "--out", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    print(done.stdout, done.stderr)
    return done.returncode
