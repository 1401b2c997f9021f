"""Length-prefixed, size-capped JSON frames over a socket or pipe. Never pickle."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

HEADER = struct.Struct(">I")
MAX_JOB = 64 << 20
MAX_OUTCOME = 32 << 20


class Gone(Exception):
    """The other side is gone, or what it sent is no frame."""


def send(channel: socket.socket, message: Any) -> None:
    """Send one frame. Raises OSError."""
    body = json.dumps(message).encode()
    channel.sendall(HEADER.pack(len(body)) + body)


def receive(channel: socket.socket, most: int) -> Any:
    """One frame of at most `most` bytes. Raises Gone, TimeoutError."""
    try:
        (length,) = HEADER.unpack(_exactly(channel, HEADER.size))
        if length > most:
            raise Gone(f"a frame of {length} bytes")
        return json.loads(_exactly(channel, length))
    except TimeoutError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise Gone(str(error)) from None


def _exactly(channel: socket.socket, size: int) -> bytes:
    parts = []
    while size:
        part = channel.recv(min(size, 1 << 20))
        if not part:
            raise Gone("closed")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
