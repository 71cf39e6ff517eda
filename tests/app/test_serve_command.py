import argparse
import socket

import pytest

from app.commands import serve


def test_a_port_in_use_is_said_to_be() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(serve.PortError, match=f"Port {port} on 127.0.0.1 is in use.*--port"):
            serve.listen("127.0.0.1", port)


def test_an_address_of_another_machine_cannot_be_listened_on() -> None:
    with pytest.raises(serve.PortError, match=r"Cannot listen on 203\.0\.113\.1:8050"):
        serve.listen("203.0.113.1", 8050)


def test_port_0_takes_a_free_one() -> None:
    with serve.listen("127.0.0.1", 0) as listener:
        assert listener.getsockname()[1] > 0


def test_the_command_line_s_defaults() -> None:
    parser = argparse.ArgumentParser()
    serve.add_parser(parser.add_subparsers())
    arguments = parser.parse_args(["serve"])
    assert (arguments.host, arguments.port, arguments.data) == ("127.0.0.1", 8050, None)
