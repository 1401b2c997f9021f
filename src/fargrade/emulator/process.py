"""The grader's side of the world process: starts it, talks to it, ends it. Imports no moto."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Any

from fargrade.emulator.channel import ChannelClosed, receive_frame, send_frame
from fargrade.emulator.recording import RecordedCall

START_SECONDS = 60.0
DEADLINE_SECONDS = 20.0
SOURCE = Path(__file__).resolve().parents[2]


class EmulatorFault(Exception):
    """A fault of ours: the world process died, hangs or failed. Never the learner's."""


class EmulatorRefused(Exception):
    """The world refused a control operation as AWS would: `code` and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class EmulatorProcess:
    """A world process. Starting returns at once; the first operation waits until it is up."""

    def __init__(self, process: subprocess.Popen[bytes], channel: socket.socket, said: IO[bytes]) -> None:
        self._process = process
        self._channel = channel
        self._said = said
        self._lock = threading.Lock()
        self._up = False
        self._broken = ""

    @classmethod
    def start(cls, services: Iterable[str], *, region: str = "us-east-1") -> EmulatorProcess:
        """Start a world with these services imported; others are imported when they are first called."""
        ours, theirs = socket.socketpair()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        environment |= {
            "PYTHONPATH": str(SOURCE),
            "AWS_ACCESS_KEY_ID": "none",
            "AWS_SECRET_ACCESS_KEY": "none",
        }
        command = [
            sys.executable,
            "-m",
            "fargrade.emulator",
            "--control",
            str(theirs.fileno()),
            "--region",
            region,
        ]
        if threading.current_thread() is threading.main_thread():  # the kernel goes by the thread that started it
            command.append("--ends-with-parent")
        said = tempfile.TemporaryFile()  # a traceback of ours is a reason to give, not a sight for learners  # noqa: SIM115
        with theirs:
            process = subprocess.Popen(
                [*command, "--services", ",".join(services)],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                env=environment,
                start_new_session=True,  # Ctrl-C is the grader's to handle
            )
        return cls(process, ours, said)

    def ask(
        self,
        operation: str,
        handles: Sequence[int] = (),
        *,
        seconds: float = DEADLINE_SECONDS,
        **message: Any,
    ) -> Any:
        """One request and its reply. Raises EmulatorFault, EmulatorRefused."""
        with self._lock:
            if self._broken:
                raise EmulatorFault(self._broken)
            try:
                self._channel.settimeout(seconds if self._up else START_SECONDS)
                send_frame(self._channel, {"op": operation, **message}, handles)
                reply, _ = receive_frame(self._channel)
            except TimeoutError:
                self._broken = f"it did not answer within {seconds:g} seconds"
            except (ChannelClosed, OSError, ValueError):
                self._broken = "its process has ended"
            if self._broken:
                self._process.kill()
                self._process.wait()
                self._broken += self._last_words()
                raise EmulatorFault(self._broken)
            self._up = True
        if "fault" in reply:
            if reply.get("code"):
                raise EmulatorRefused(reply["code"], reply["fault"])
            raise EmulatorFault(reply["fault"])
        return reply["ok"]

    def _last_words(self) -> str:
        """The last line that the dead process wrote of its trouble."""
        self._said.seek(0)
        lines = self._said.read()[-2000:].decode("utf-8", "replace").split("\n")
        return next((f" ({line.strip()[:300]})" for line in reversed(lines) if line.strip()), "")

    def listen(self, listening: socket.socket | None = None, *, port: int = 0) -> int:
        """Serve learners on this listening socket, else on `port` of loopback (0: a free one); returns the port."""
        return int(self.ask("listen", [listening.fileno()] if listening else (), port=port))

    def close_listeners(self) -> None:
        """Stop serving learners."""
        self.ask("close_listeners")

    def reset(self, seed: int, account: str, key: str = "", region: str = "") -> None:
        """Make the world anew, in this account and region, with this access key for its learner; ids follow `seed`."""
        self.ask("reset", seed=seed, account=account, key=key, region=region)

    def calls(self) -> list[RecordedCall]:
        """The learner's calls since the last reset, in order."""
        return [RecordedCall(**one) for one in self.ask("calls")]

    def faults(self) -> list[str]:
        """What the emulator could not do for the learner or the grader since the last reset: faults of ours."""
        faults: list[str] = self.ask("faults")
        return faults

    def control(self, operation: str, **arguments: Any) -> Any:
        """Run a control operation (emulator.extensions)."""
        return self.ask("control", name=operation, arguments=arguments)

    def send(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        """The grader's own AWS request: status, headers, body."""
        reply = self.ask("send", method=method, path=path, headers=headers, body=body)
        return reply["status"], reply["headers"], reply["body"]

    def close(self) -> None:
        """End the process."""
        self._broken = self._broken or "it was closed"
        self._channel.close()
        self._process.kill()
        self._process.wait()
        self._said.close()
