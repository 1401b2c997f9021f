"""Length-prefixed, size-capped JSON frames over a socket. Never pickle."""

from __future__ import annotations

import json
import socket
import struct
import time
from typing import Any

HEADER = struct.Struct(">I")
MAX_JOB = 96 << 20
MAX_OUTCOME = 32 << 20


class Gone(Exception):
    """The other side is gone, or what it sent is no frame."""


def send(channel: socket.socket, message: Any, *, seconds: float | None = None) -> None:
    """Send one frame. Raises Gone, and TimeoutError when it is not taken within `seconds`."""
    body = json.dumps(message).encode()
    channel.settimeout(seconds)
    try:
        channel.sendall(HEADER.pack(len(body)) + body)
    except TimeoutError:
        raise
    except OSError as error:
        raise Gone(str(error)) from None


def receive(channel: socket.socket, most: int, *, seconds: float | None = None) -> Any:
    """One frame of at most `most` bytes, within `seconds` altogether. Raises Gone, TimeoutError."""
    until = None if seconds is None else time.monotonic() + seconds
    try:
        (length,) = HEADER.unpack(_exactly(channel, HEADER.size, until))
        if length > most:
            raise Gone(f"a frame of {length} bytes")
        return json.loads(_exactly(channel, length, until))
    except TimeoutError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise Gone(str(error)) from None


def _exactly(channel: socket.socket, size: int, until: float | None) -> bytes:
    parts = []
    while size:
        # The deadline is for the frame, not for each piece: a drip of bytes must not keep the reader.
        if until is not None and (left := until - time.monotonic()) <= 0:
            raise TimeoutError
        channel.settimeout(None if until is None else left)
        part = channel.recv(min(size, 1 << 20))
        if not part:
            raise Gone("closed")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
