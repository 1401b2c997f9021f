"""What the learner's code called, kept by the world: the evidence graders read and failures show."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any

KEEP_FIRST = 2000
KEEP_LAST = 500
MAX_TEXT = 4096
MAX_ITEMS = 100
MAX_DEPTH = 8
MAX_CALL = 32_768  # of one call's parameters, in characters
SHOWN = 160
SECRET = ("password", "secret", "token", "authorization")


@dataclass(frozen=True)
class RecordedCall:
    """One call: what was asked, and what AWS answered. `parameters` are capped and free of secrets."""

    number: int
    service: str
    operation: str
    parameters: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    error: str = ""
    message: str = ""
    region: str = ""

    @property
    def ok(self) -> bool:
        return self.status < 400

    def summary(self) -> str:
        """One line, such as `ecr CreateRepository(repositoryName="shop") → 200`."""
        given = ", ".join(f"{key}={json.dumps(value, default=str)}" for key, value in self.parameters.items())
        given = given if len(given) <= SHOWN else given[: SHOWN - 1] + "…"
        came = str(self.status) if self.ok else f"{self.error or self.status}: {self.message}"
        return f"{self.service} {self.operation}({given}) → {came[:300]}"


class Recording:
    """Keeps the first and the last calls, and counts them all: a flood must not eat memory."""

    def __init__(self) -> None:
        self._first: list[RecordedCall] = []
        self._last: deque[RecordedCall] = deque(maxlen=KEEP_LAST)
        self.count = 0

    def add(
        self,
        service: str,
        operation: str,
        parameters: dict[str, Any],
        *,
        status: int,
        error: str = "",
        message: str = "",
        region: str = "",
    ) -> None:
        """Record one call."""
        self.count += 1
        call = RecordedCall(
            self.count, service, operation, _Capper().copy(parameters), status, error, message[:MAX_TEXT], region
        )
        (self._first if len(self._first) < KEEP_FIRST else self._last).append(call)

    def as_json(self) -> list[dict[str, Any]]:
        """All that is kept, in order."""
        return [asdict(call) for call in [*self._first, *self._last]]


class _Capper:
    """Copies parameters without secrets, and without more than a call may take of the recording's memory."""

    def __init__(self) -> None:
        self._left = MAX_CALL

    def copy(self, value: Any, key: str = "", depth: int = 0) -> Any:
        if isinstance(value, dict | list | tuple) and (depth >= MAX_DEPTH or self._left <= 0):
            return "…"
        if isinstance(value, dict):
            kept = list(value.items())[:MAX_ITEMS]
            return {self._text(str(k)): self.copy(v, str(k), depth + 1) for k, v in kept}
        if isinstance(value, list | tuple):
            return [self.copy(one, key, depth + 1) for one in value[:MAX_ITEMS]]
        if isinstance(value, bytes):
            return f"<{len(value)} bytes>"
        if isinstance(value, str):
            return "<hidden>" if _is_secret(key) else self._text(value)
        return value if isinstance(value, int | float | bool) or value is None else self._text(str(value))

    def _text(self, text: str) -> str:
        most = max(0, min(MAX_TEXT, self._left))
        self._left -= min(len(text), most) + 8  # and what holding it costs
        return text if len(text) <= most else text[:most] + "…"


def _is_secret(key: str) -> bool:
    return key.lower() != "nexttoken" and any(word in key.lower() for word in SECRET)
