"""The pyzmq end of a client: one DEALER socket that never blocks and leaves nothing behind."""

import secrets
from collections.abc import Sequence

import zmq

from .frames import FRAME_BYTES, Buffer

HEARTBEAT_MS = 2000
HEARTBEAT_TIMEOUT_MS = 10_000
RECONNECT_MS = 100
RECONNECT_MAX_MS = 2000


class Dealer:
    """Connects to ``address`` ("tcp://127.0.0.1:5599"), now or whenever a backend is there.

    Keep it on one thread. Sending copies each frame once: pyzmq's sending without a copy starts a
    Python thread, and Blender does not support those. Receiving does not copy.
    """

    def __init__(self, address: str) -> None:
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        options: dict[int, int | bytes] = {
            zmq.LINGER: 0,
            zmq.IMMEDIATE: 1,
            zmq.MAXMSGSIZE: FRAME_BYTES,
            zmq.HEARTBEAT_IVL: HEARTBEAT_MS,
            zmq.HEARTBEAT_TIMEOUT: HEARTBEAT_TIMEOUT_MS,
            zmq.RECONNECT_IVL: RECONNECT_MS,
            zmq.RECONNECT_IVL_MAX: RECONNECT_MAX_MS,
            # The same name after a reconnect, so that the server's events still find this client.
            zmq.ROUTING_ID: b"c" + secrets.token_bytes(12),
        }
        for option, value in options.items():
            self._socket.setsockopt(option, value)
        self._socket.connect(address)

    def send(self, frames: Sequence[Buffer]) -> bool:
        """Send, or give False where there is no peer or no room now."""
        try:
            self._socket.send_multipart(frames, zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True

    def poll(self) -> list[memoryview] | None:
        """The next message that has arrived, its frames as views, or None."""
        try:
            frames = self._socket.recv_multipart(zmq.NOBLOCK, copy=False)
        except zmq.Again:
            return None
        return [frame.buffer for frame in frames]

    def wait(self, seconds: float) -> None:
        """Sleep until a message may be there, at most ``seconds``."""
        self._socket.poll(int(seconds * 1000))

    def close(self) -> None:
        """Close at once; messages not yet sent are dropped."""
        self._context.destroy(linger=0)
