"""The server's address: loopback only, and clear words where it cannot be had."""

import ipaddress
from urllib.parse import urlsplit

import zmq

from protocol.errors import DistilleryError
from protocol.frames import FRAME_BYTES

DEFAULT_BIND = "tcp://127.0.0.1:5599"


def check_loopback(bind: str) -> None:
    """Raise DistilleryError unless the address is tcp on a loopback interface."""
    parts = urlsplit(bind)
    try:
        host, port = parts.hostname or "", parts.port
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        port, loopback = None, False
    if parts.scheme != "tcp" or port is None or not loopback:
        raise DistilleryError(
            "bind_refused",
            f"The address {bind} is refused: only loopback is allowed, as in {DEFAULT_BIND}.",
            "For another machine, forward the port: ssh -L 5599:127.0.0.1:5599 HOST.",
        )


def bind_router(context: zmq.Context[zmq.Socket[bytes]], address: str) -> zmq.Socket[bytes]:
    """A ROUTER socket on the address; DistilleryError where it is taken or cannot be used."""
    socket = context.socket(zmq.ROUTER)
    options = {
        zmq.LINGER: 0, zmq.MAXMSGSIZE: FRAME_BYTES, zmq.ROUTER_MANDATORY: 1,
        zmq.ROUTER_HANDOVER: 1, zmq.HEARTBEAT_IVL: 5000, zmq.HEARTBEAT_TIMEOUT: 30_000,
    }
    for option, value in options.items():
        socket.setsockopt(option, value)
    try:
        socket.bind(address)
    except zmq.ZMQError as error:
        context.destroy(linger=0)
        raise _bind_error(address, error) from error
    return socket


def _bind_error(address: str, error: zmq.ZMQError) -> DistilleryError:
    if error.errno == zmq.EADDRINUSE:
        return DistilleryError(
            "port_in_use",
            f"Another program listens on {address}, perhaps a backend that runs already.",
            "Stop it, or choose another port: --bind tcp://127.0.0.1:0 takes any free one.",
        )
    return DistilleryError(
        "bind_failed", f"The address {address} cannot be used: {error}.",
        f"Use one like {DEFAULT_BIND}.",
    )
