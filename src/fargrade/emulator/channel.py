"""Length-prefixed JSON frames between the grader and the world process: never pickle.

A frame is four bytes of length (big-endian) and that much UTF-8 JSON; bytes travel as {"$b": base64}. A
listening socket may ride along with a frame (SCM_RIGHTS).
"""

from __future__ import annotations

import base64
import json
import socket
import struct
from collections.abc import Sequence
from typing import Any

MAX_FRAME = 256 << 20
HEADER = struct.Struct(">I")


class ChannelClosed(Exception):
    """The other side is gone."""


def send_frame(channel: socket.socket, message: Any, handles: Sequence[int] = ()) -> None:
    """Send one frame, with file descriptors if any. Raises OSError."""
    body = json.dumps(message, default=_encode).encode()
    frame = HEADER.pack(len(body)) + body
    if handles:
        sent = socket.send_fds(channel, [frame], list(handles))
        channel.sendall(frame[sent:])
    else:
        channel.sendall(frame)


def receive_frame(channel: socket.socket) -> tuple[Any, list[int]]:
    """One frame and the descriptors that came with it. Raises ChannelClosed, OSError (also time-outs)."""
    first, handles, _, _ = socket.recv_fds(channel, HEADER.size, 4)
    if not first:
        raise ChannelClosed
    header = first + _exactly(channel, HEADER.size - len(first))
    (length,) = HEADER.unpack(header)
    if length > MAX_FRAME:
        raise ChannelClosed
    return json.loads(_exactly(channel, length), object_hook=_decode), list(handles)


def _exactly(channel: socket.socket, size: int) -> bytes:
    parts = []
    while size:
        part = channel.recv(min(size, 1 << 20))
        if not part:
            raise ChannelClosed
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _encode(value: object) -> Any:
    if isinstance(value, bytes | bytearray):
        return {"$b": base64.b64encode(value).decode()}
    return str(value)


def _decode(value: dict[str, Any]) -> Any:
    return base64.b64decode(value["$b"]) if value.keys() == {"$b"} else value
