"""`lesionlens serve`: the dashboard."""

import argparse
import errno
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from model.bundle import DEFAULT_BUNDLE

if TYPE_CHECKING:
    from app.context import Context


SECONDS_TO_END = 1  # for the thread that prepares; what it is in the middle of is not waited for


class PortError(ValueError):
    """The server cannot listen where it was told to; the message says why and what to do."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser("serve", help="start the dashboard", description="Start the dashboard.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8050, help="port to listen on, 0 for any (default: %(default)s)")
    parser.add_argument("--model", type=Path, default=DEFAULT_BUNDLE, metavar="BUNDLE", help="model bundle to serve")
    parser.add_argument("--int8", action="store_true", help="run the bundle's quantised network: smaller and faster")
    parser.add_argument("--data", type=Path, metavar="PATH", help="data set whose images are shown with the cases")
    parser.add_argument(
        "--audit",
        type=Path,
        metavar="DIR",
        help="audit whose cases can be chosen in the list of models (default: the shipped one)",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until interrupted; raises PortError, BundleError, DataError or AuditError before the server starts."""
    import uvicorn

    from app.server import WEBSOCKET_MESSAGE_BYTES, create_app

    listener = listen(arguments.host, arguments.port)
    app = create_app(arguments.model, arguments.data, int8=arguments.int8, audit_path=arguments.audit)
    config = uvicorn.Config(app, log_level="warning", ws_max_size=WEBSOCKET_MESSAGE_BYTES, timeout_graceful_shutdown=2)
    host, port = listener.getsockname()[:2]
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    print(f"LesionLens is listening on {address} (stop with Ctrl-C)", flush=True)
    preparing = threading.Thread(target=_prepare, args=(app.state.context,), daemon=True)
    preparing.start()
    try:
        with listener:
            uvicorn.Server(config).run(sockets=[listener])
    finally:
        app.state.context.tensorflow.end()
        preparing.join(SECONDS_TO_END)
    return 0


def _prepare(context: "Context") -> None:
    """Load the model and what explains by region, then TensorFlow, before somebody waits for them."""
    from app.tensorflow_start import load_when_quiet
    from explain import warm_up

    warm_up(context.predictor)
    load_when_quiet(context)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on `host` and `port`; raises PortError when it cannot."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except OverflowError as error:
        raise PortError(f"There is no port {port}: ports are 0 to 65535.") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortError(
                f"Port {port} on {host} is in use. Stop what uses it, or choose another with --port."
            ) from error
        raise PortError(f"Cannot listen on {host}:{port}: {error.strerror or error}.") from error
