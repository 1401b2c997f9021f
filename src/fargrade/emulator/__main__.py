"""The world process: `python -m fargrade.emulator --control FD --services a,b`, or `--port N` to stand alone."""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import socket
import sys
import threading
from typing import Any

from fargrade.emulator.channel import ChannelClosed, receive_frame, send_frame


def main() -> int:
    """Run until the grader's side of the control channel is gone."""
    parser = argparse.ArgumentParser(prog="python -m fargrade.emulator")
    parser.add_argument("--control", type=int, default=-1)
    parser.add_argument("--services", default="")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--port", type=int, default=4566)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--ends-with-parent", action="store_true")
    given = parser.parse_args()
    if given.ends_with_parent:
        _end_with_parent()
    services = [name for name in given.services.split(",") if name]
    if given.control < 0:
        return serve_alone(given.host, given.port, services, given.region)
    channel = socket.socket(fileno=given.control)
    # Imports make no garbage worth looking for, and what they made stays: both are a tenth of the start-up.
    gc.disable()
    world = World(channel, services, given.region)
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)  # a call makes much, and little of it is garbage
    gc.enable()
    world.run()
    return 0


def _end_with_parent() -> None:
    """Linux: the kernel ends this process with the one that started it, even while it hangs or is stopped."""
    import ctypes

    pr_set_pdeathsig, sigkill = 1, 9
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, ctypes.c_ulong(sigkill), 0, 0, 0)


class World:
    """The control channel's side of the gateway."""

    def __init__(self, channel: socket.socket, services: list[str], region: str) -> None:
        from fargrade.emulator import images  # noqa: F401 - registers its control operations
        from fargrade.emulator.gateway import Gateway
        from fargrade.emulator.server import Listeners

        _load_engine()
        self._channel = channel
        self._gateway = Gateway(services, region)
        self._listeners = Listeners(self._gateway)

    def run(self) -> None:
        """Answer the grader, a frame a request, until it is gone."""
        while True:
            try:
                message, handles = receive_frame(self._channel)
            except (ChannelClosed, OSError):
                os._exit(0)  # the grader is gone: nothing here is worth an orderly end
            try:
                reply: Any = {"ok": self._answer(message, handles)}
            except Exception as error:
                code = getattr(error, "code", "")
                reply = {
                    "fault": getattr(error, "message", "") if code else f"{type(error).__name__}: {error}",
                    "code": code,
                }
            send_frame(self._channel, reply)

    def _answer(self, message: dict[str, Any], handles: list[int]) -> Any:
        operation = message["op"]
        if operation == "send":
            response = self._gateway.from_grader(
                message["method"], message["path"], message["headers"], message["body"]
            )
            return {"status": response.status, "headers": response.headers, "body": response.body}
        if operation == "control":
            return self._gateway.control(message["name"], message["arguments"])
        if operation == "faults":
            return self._gateway.faults
        if operation == "calls":
            return self._gateway.recording.as_json()
        if operation == "reset":
            if message.get("region"):
                self._gateway.region = message["region"]
            return self._gateway.reset(message["seed"], message["account"], message.get("key", ""))
        if operation == "listen":
            from fargrade.emulator.server import loopback_socket

            listening = socket.socket(fileno=handles[0]) if handles else loopback_socket(message.get("port", 0))
            return self._listeners.serve(listening)
        if operation == "close_listeners":
            return self._listeners.close()
        raise ValueError(f"there is no operation {operation}")


def _load_engine() -> None:
    """The docker engine registers its route and control operation, where it is there."""
    from importlib import import_module
    from importlib.util import find_spec

    if find_spec("fargrade.emulator.engine"):
        import_module("fargrade.emulator.engine")


def serve_alone(host: str, port: int, services: list[str] | None = None, region: str = "us-east-1") -> int:
    """Serve the embedded AWS on host:port until interrupted; returns the exit status. All services, unless named."""
    from fargrade.emulator.services import BY_MODEL

    unknown = sorted(set(services or ()) - set(BY_MODEL))
    if unknown:
        print(f"There is no service {unknown[0]} here: choose among {', '.join(sorted(BY_MODEL))}.", file=sys.stderr)
        return 2
    from fargrade.emulator.server import loopback_socket

    try:
        listening = loopback_socket(port, host)
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or error
        print(f"Port {port} on {host} cannot be used ({why}): choose another with --port.", file=sys.stderr)
        return 2
    from fargrade.emulator import images  # noqa: F401 - registers its control operations
    from fargrade.emulator.gateway import Gateway
    from fargrade.emulator.server import Listeners

    _load_engine()
    gateway = Gateway(services or sorted(BY_MODEL), region)
    port = Listeners(gateway, alone=True).serve(listening)
    print(f"fargrade emulator on http://{host}:{port} (AWS_ENDPOINT_URL), Ctrl-C ends it", flush=True)
    print("Ready.", flush=True)  # the line that LocalStack's clients wait for
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
