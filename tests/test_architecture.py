"""The house stands as drawn: imports point down, start-up is light, and nothing is tracked that must not be."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from model.bundle import ModelBundle

ROOT = Path(__file__).parent.parent
LAYERS = ("app", "analysis", "explain", "model")
INTERFACES = {"argparse", "click", "dash", "dash_ag_grid", "dash_mantine_components", "fastapi", "flask", "plotly"} | {
    "rich",
    "starlette",
    "uvicorn",
    "websockets",
}
SLOW_TO_IMPORT = ("tensorflow", "keras", "shap", "lime", "tf_keras_vis")
# In halves, so that this file does not hold what it forbids.
REGISTRY_HOSTS = {".".join(halves) for halves in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"))}
MAX_TRACKED_BYTES = 20 * 2**20


def modules(layer: str) -> list[Path]:
    return sorted((ROOT / layer).rglob("*.py"))


def imported(module: Path) -> set[str]:
    """Top-level names of all that a module imports, inside functions and for type checkers too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            names.add(str(node.module).split(".")[0])
    return names


def tracked_files() -> list[Path]:
    """What git tracks, and what it would with the next `git add`."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    return [ROOT / name for name in dict.fromkeys(listed) if name and (ROOT / name).is_file()]


def loaded_after(code: str, *arguments: str) -> set[str]:
    """Which of SLOW_TO_IMPORT a fresh Python has loaded after running `code`."""
    report = f"import json, sys; print(json.dumps([name for name in {SLOW_TO_IMPORT} if name in sys.modules]))"
    command = [sys.executable, "-c", f"{code}\n{report}", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_point_down(layer: str) -> None:
    above = set(LAYERS[: LAYERS.index(layer)]) | {"tests"}
    assert modules(layer)
    assert {str(module): found for module in modules(layer) if (found := imported(module) & above)} == {}


@pytest.mark.parametrize("layer", LAYERS[1:])
def test_nothing_below_app_knows_an_interface(layer: str) -> None:
    assert {str(module): found for module in modules(layer) if (found := imported(module) & INTERFACES)} == {}


def test_what_is_found_wrong_would_be_found(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text("def f():\n    from app.server import g\n    import dash.dcc\n")
    assert imported(module) == {"app", "dash"}
    assert loaded_after("import lime") == {"lime"}


def test_help_is_printed_without_the_slow_libraries() -> None:
    code = "from app.cli import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass"
    assert loaded_after(code) == set()


def test_the_dashboard_starts_without_the_slow_libraries(bundle: ModelBundle) -> None:
    code = "import sys\nfrom app.server import create_app\ncreate_app(sys.argv[1])"
    assert loaded_after(code, str(bundle.path)) == set()


def test_no_registry_host_is_named() -> None:
    variables = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_INDEX_URL", "UV_DEFAULT_INDEX", "NPM_CONFIG_REGISTRY")
    here = {urlsplit(url).hostname for name in variables for url in os.environ.get(name, "").split()}
    hosts = REGISTRY_HOSTS | {host for host in here if host}
    named = re.compile("|".join(map(re.escape, sorted(hosts))).encode(), re.IGNORECASE)
    assert [str(file) for file in tracked_files() if named.search(file.read_bytes())] == []


def test_no_image_of_the_data_set_is_tracked() -> None:
    image = re.compile(r"ISIC_\d{7}.*\.(jpe?g|png|webp|bmp|tiff?)", re.IGNORECASE)
    assert [str(file) for file in tracked_files() if image.fullmatch(file.name)] == []


def test_no_tracked_file_is_larger_than_20_megabytes() -> None:
    assert [str(file) for file in tracked_files() if file.stat().st_size > MAX_TRACKED_BYTES] == []
