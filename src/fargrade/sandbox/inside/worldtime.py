"""The world's time in the learner's process: sleeping moves the world's clock and returns at once.

`install()` takes the place of `time.sleep` and of the clocks that a waiting loop looks at, so that boto3's waiters,
the AWS CLI's `aws ecs wait …` and a loop of the learner's own all go through minutes in milliseconds. An hour of
waiting in one process is enough: more ends in TimeoutError, and in boto3's WaiterError inside a waiter. Where no
world answers, a sleep is a short real one.
"""

from __future__ import annotations

import datetime as dates
import json
import os
import socket
import sys
import time
from typing import Any

ROUTE = "/_fargrade/time"
REAL = "FARGRADE_TIME"
LONGEST = 3600.0  # of the world's time, that one process may wait
REAL_SECONDS = 0.2  # the longest real sleep where no world answers
ANSWER_SECONDS = 15.0
real_sleep = time.sleep
real_time = time.time
_real_date = dates.datetime


class WorldTime:
    """What this process knows of the world's clock."""

    def __init__(self, ahead: float | None = None) -> None:
        self.ahead = ahead  # of the machine's clock; None: not yet asked
        self.waited = 0.0
        self.moved = 0.0
        self.away = False

    def sleep(self, seconds: float) -> None:
        """As time.sleep, in the world's time. Raises TimeoutError after an hour of it, ValueError as time.sleep."""
        if not isinstance(seconds, int | float) and not hasattr(seconds, "__float__"):
            real_sleep(seconds)  # says what is wrong with it
        seconds = float(seconds)
        if not seconds >= 0:
            real_sleep(seconds)
        if self.waited + seconds > LONGEST:
            raise TimeoutError(
                f"more than {LONGEST / 60:.0f} minutes of the world's time have passed in waiting: "
                "what is waited for will not come"
            )
        if seconds == 0 or self.away or not self._ask(seconds):
            real_sleep(min(seconds, REAL_SECONDS))
        self.waited += seconds

    def offset(self) -> float:
        """How far the world's clock is ahead of the machine's."""
        if self.ahead is None and not self.away:
            self._ask(0)
        return self.ahead or 0.0

    def _ask(self, seconds: float) -> bool:
        try:
            answer = ask(seconds)
            self.ahead = answer["now"] - real_time()
            self.moved += answer["moved"]
        except (OSError, ValueError, KeyError, TypeError):
            self.away = True
            return False
        return True


def ask(seconds: float) -> dict[str, float]:
    """Have the world pass `seconds`. Raises OSError, ValueError where no world answers."""
    where = os.environ.get("AWS_ENDPOINT_URL", "").partition("//")[2].partition("/")[0]
    host, _, port = where.partition(":")
    body = json.dumps({"seconds": seconds}).encode()
    with socket.create_connection((host, int(port)), timeout=ANSWER_SECONDS) as connection:
        head = f"POST {ROUTE} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode() + body)
        answered = b"".join(iter(lambda: connection.recv(1 << 12), b""))
    answer = json.loads(answered.partition(b"\r\n\r\n")[2])
    return {"now": float(answer["now"]), "moved": float(answer["moved"])}


def install(ahead: float | None = None) -> None:
    """From here on this process lives in the world's time. Whoever imported a clock by name before keeps theirs.

    `ahead`: by how many seconds it is ahead of the machine's; None: the world is asked at the first look at a clock.
    Not where the world's time is the machine's own (LocalStack, AWS): there a sleep takes as long as it takes.
    """
    if os.environ.get(REAL) == "real":
        return
    world = WorldTime(ahead)
    monotonic, monotonic_ns, perf, perf_ns = time.monotonic, time.monotonic_ns, time.perf_counter, time.perf_counter_ns
    time.sleep = world.sleep  # type: ignore[assignment]
    time.time = lambda: real_time() + world.offset()
    time.time_ns = lambda: int((real_time() + world.offset()) * 1e9)
    time.monotonic = lambda: monotonic() + world.moved
    time.monotonic_ns = lambda: monotonic_ns() + int(world.moved * 1e9)
    time.perf_counter = lambda: perf() + world.moved
    time.perf_counter_ns = lambda: perf_ns() + int(world.moved * 1e9)
    _install_dates(world)
    if "botocore.waiter" in sys.modules:
        _waiters_end(sys.modules["botocore.waiter"])
    else:
        sys.meta_path.insert(0, _WhenWaiters())


def _install_dates(world: WorldTime) -> None:
    """datetime.now() and its like tell the world's time; every datetime is still an instance of `datetime`."""

    class Kind(type):
        def __instancecheck__(cls, one: object) -> bool:
            return isinstance(one, _real_date)

        def __subclasscheck__(cls, one: type) -> bool:
            return issubclass(one, _real_date)

    def ahead() -> dates.timedelta:
        return dates.timedelta(seconds=world.offset())

    class datetime(_real_date, metaclass=Kind):  # noqa: N801 - it stands for datetime
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return _real_date.now(tz) + ahead()

        @classmethod
        def utcnow(cls) -> Any:
            return _real_date.now(dates.UTC).replace(tzinfo=None) + ahead()

        @classmethod
        def today(cls) -> Any:
            return _real_date.now() + ahead()

        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            return _real_date(*args, **kwargs)

        @classmethod
        def fromtimestamp(cls, *args: Any, **kwargs: Any) -> Any:
            return _real_date.fromtimestamp(*args, **kwargs)

        @classmethod
        def fromisoformat(cls, *args: Any) -> Any:
            return _real_date.fromisoformat(*args)

        @classmethod
        def strptime(cls, *args: Any) -> Any:
            return _real_date.strptime(*args)

        @classmethod
        def combine(cls, *args: Any, **kwargs: Any) -> Any:
            return _real_date.combine(*args, **kwargs)

    dates.datetime = datetime  # type: ignore[misc]


def _waiters_end(waiters: Any) -> None:
    """A waiter that has waited for an hour of the world's time ends as boto3's do: WaiterError."""
    wait = waiters.Waiter.wait

    def patient(self: Any, **kwargs: Any) -> Any:
        try:
            return wait(self, **kwargs)
        except TimeoutError:
            from botocore.exceptions import WaiterError

            raise WaiterError(name=self.name, reason="Max attempts exceeded", last_response={}) from None

    waiters.Waiter.wait = patient


class _WhenWaiters:
    """Finds botocore.waiter when it is imported, and mends it then."""

    def find_spec(self, name: str, *_: Any) -> Any:
        if name != "botocore.waiter":
            return None
        sys.meta_path.remove(self)
        from importlib.util import find_spec

        spec = find_spec(name)
        if spec is not None and spec.loader is not None:
            run = spec.loader.exec_module

            def exec_module(module: Any) -> None:
                run(module)
                _waiters_end(module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec
