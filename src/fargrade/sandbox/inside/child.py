"""Becomes the learner's process: limits, environment, then their function or program. Runs once a process."""

from __future__ import annotations

import importlib.util
import inspect
import json
import os
import signal
import sys
import traceback
import types
from datetime import date, datetime
from typing import Any

import sidecar
import worldtime

try:
    import resource
except ImportError:  # Windows: no limits, and no promise of any
    resource = None  # type: ignore[assignment]

MAX_MESSAGE = 4000
RESULT = 3
OURS = (
    "child",
    "frames",
    "folders",
    "identity",
    "nursery",
    "otlp",
    "processes",
    "runner",
    "sidecar",
    "supervise",
    "warming",
    "worldtime",
)


def become(job: dict[str, Any], folder: str, result: int, stdout: int, stderr: int) -> None:
    """Run the job in this process and end it. What a Python call came to is written to `result` as JSON."""
    null = os.open(os.devnull, os.O_RDONLY)
    kept = [os.dup(one) for one in (null, stdout, stderr, result)]
    for target, source in enumerate(kept):
        os.dup2(source, target, inheritable=target != RESULT)
    os.closerange(RESULT + 1, 1024)  # nothing of the runner's stays open here
    os.chdir(folder)
    os.umask(0o022)
    os.environ.clear()
    os.environ.update(job["env"])
    limit(job["limits"])
    if job["argv"]:
        _execute(job["argv"])
    beside = sidecar.start()
    worldtime.install(job["ahead"])
    streams = _look_ordinary(job["python"]["file"])
    body = json.dumps(call(job["python"], folder, job["limits"]["result_bytes"])).encode()
    if beside:
        beside.finish()
    for stream in (sys.stdout, sys.stderr, *streams):
        try:
            stream.flush()
        except BaseException:  # the learner's code may have closed or replaced it
            continue
    while body:
        body = body[os.write(RESULT, body) :]
    os._exit(0)


def _execute(argv: list[str]) -> None:
    for name in ("SIGPIPE", "SIGXFSZ"):  # Python ignores them, and a program would inherit that
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    try:
        os.execvp(argv[0], argv)
    except OSError as error:
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
        os._exit(127 if isinstance(error, FileNotFoundError) else 126)


def _look_ordinary(file: str) -> tuple[Any, Any]:
    """Leave nothing of the runner for the learner's imports to find; returns the fresh stdout and stderr."""
    for name in OURS:
        sys.modules.pop(name, None)
    sys.modules["__main__"] = types.ModuleType("__main__")
    sys.argv = [file]
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        mode = "w" if number else "r"
        stream = open(number, mode, encoding="utf-8", errors="replace", buffering=1 if number else -1)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    return sys.stdout, sys.stderr


def limit(limits: dict[str, Any]) -> None:
    """Set this process's limits; they hold for its children, too."""
    if resource is None:
        return
    cpu = limits["cpu_seconds"]
    for name, soft, hard in (
        ("RLIMIT_CPU", cpu, cpu + 1),  # SIGXCPU first, which says why; then SIGKILL
        ("RLIMIT_AS", limits["memory_bytes"], limits["memory_bytes"]),
        ("RLIMIT_NPROC", limits["processes"] + _beside(), limits["processes"] + _beside()),
        ("RLIMIT_NOFILE", limits["open_files"], limits["open_files"]),
        ("RLIMIT_FSIZE", limits["file_bytes"], limits["file_bytes"]),
        ("RLIMIT_CORE", 0, 0),
    ):
        which = getattr(resource, name, None)
        if which is None:
            continue
        try:
            most = resource.getrlimit(which)[1]
            most = hard if most == resource.RLIM_INFINITY else min(hard, most)
            resource.setrlimit(which, (min(soft, most), most))
        except (ValueError, OSError):
            continue  # the system has no such limit (macOS and RLIMIT_AS)


def _beside() -> int:
    """How many threads this user has already: RLIMIT_NPROC counts them all, and an ordinary user's are many."""
    count, me = 0, os.getuid()
    try:
        for name in os.listdir("/proc"):
            if name.isdigit():
                try:
                    if os.stat(f"/proc/{name}").st_uid == me:
                        count += len(os.listdir(f"/proc/{name}/task"))
                except OSError:
                    continue
    except OSError:
        return 4096  # no /proc (macOS): a limit that stops a fork bomb, and nobody else
    return count


def call(wanted: dict[str, Any], folder: str, most: int) -> dict[str, Any]:
    """What the call came to: {"kind", and what belongs to it}. Never raises, whatever the learner's code does."""
    path = os.path.join(folder, wanted["file"])
    if not os.path.isfile(path):
        return {"kind": "no_file", "detail": wanted["file"]}
    try:
        module = _load(path, folder)
    except SyntaxError as error:
        return _unreadable(error, wanted["file"], folder)
    except BaseException as error:
        return _ended(error, folder)
    try:
        function = getattr(module, wanted["function"], None)
    except BaseException as error:
        return _ended(error, folder)
    if not callable(function):
        return {"kind": "no_function", "detail": wanted["function"]}
    args, kwargs = wanted["args"], wanted["kwargs"]
    try:
        inspect.signature(function).bind(*args, **kwargs)
    except TypeError as error:
        return {"kind": "wrong_arguments", "detail": _misfit(wanted["function"], function, error)}
    except BaseException:
        pass  # no signature to be had: the call itself will tell
    try:
        value = function(*args, **kwargs)
    except BaseException as error:
        return _ended(error, folder)
    return _returned(value, most)


def _misfit(name: str, function: Any, error: TypeError) -> str:
    try:
        return f"{name}{inspect.signature(function)}: {error}"[:MAX_MESSAGE]
    except BaseException:
        return f"{name}(…)"


def _unreadable(error: SyntaxError, file: str, folder: str) -> dict[str, Any]:
    """A syntax error in a file of the learner's, which may be a helper of the one that was asked for."""
    if error.filename and error.filename.startswith(folder + os.sep):
        file = os.path.relpath(error.filename, folder)
    elif error.filename and error.filename != os.path.join(folder, file):
        return _ended(error, folder)  # raised by their code about something else, such as compile() of a text
    return {"kind": "no_import", "detail": f"{file}, line {error.lineno or 1}: {error.msg}"[:MAX_MESSAGE]}


def _load(path: str, folder: str) -> Any:
    name = os.path.splitext(os.path.basename(path))[0]
    here = os.path.dirname(path)
    sys.path[:0] = [here] if here == folder else [here, folder]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Not over a module that is loaded: a learner's json.py must not take the place of everybody's json.
    sys.modules.setdefault(name, module)
    spec.loader.exec_module(module)
    return module


def _returned(value: Any, most: int) -> dict[str, Any]:
    try:
        text = json.dumps(value, default=_plain, allow_nan=False)
        plain = json.loads(text)
    except MemoryError:
        return {"kind": "too_large"}
    except BaseException as error:
        return {"kind": "not_json", "detail": _what(value, error)}
    return {"kind": "returned", "value": plain} if len(text) <= most else {"kind": "too_large"}


def _what(value: Any, error: BaseException) -> str:
    """What stands in the way: the type of the value, and of what is inside it."""
    try:
        outer, said = type.__getattribute__(type(value), "__name__"), str(error)
        if isinstance(error, _NotPlain) and said != outer:
            return f"{outer} holding {said}"[:200]
        return f"{outer} ({said})"[:200] if isinstance(error, ValueError | TypeError) and said else str(outer)[:200]
    except BaseException:
        return "object"


class _NotPlain(Exception):
    """A value that JSON has no form for; its message is the type's name."""


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    raise _NotPlain(type(value).__name__)


def _ended(error: BaseException, folder: str) -> dict[str, Any]:
    if isinstance(error, SystemExit):
        return {"kind": "exited", "exit_code": _exit_code(error)}
    return {
        "kind": "raised",
        "error": {
            "type": _safely(lambda: type(error).__name__, "Exception"),
            "message": _safely(lambda: str(error), ""),
            "bases": [_safely(lambda one=one: one.__name__, "") for one in type(error).__mro__[:20]],
            **_where(error, folder),
        },
    }


def _safely(make: Any, otherwise: str) -> str:
    """The text, or `otherwise` where the learner's own __str__ or __name__ fails or is no text."""
    try:
        return str.__str__(make())[:MAX_MESSAGE]
    except BaseException:
        return otherwise


def _exit_code(error: SystemExit) -> int:
    """As the interpreter would: sys.exit("text") prints it and is 1."""
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return int(error.code) & 0xFF
    try:
        print(error.code, file=sys.stderr)
    except BaseException:
        return 1
    return 1


def _where(error: BaseException, folder: str) -> dict[str, Any]:
    """The innermost of the learner's own frames, and all of them as lines of text."""
    frames = []
    for frame, line in traceback.walk_tb(error.__traceback__):
        path = frame.f_code.co_filename
        if path.startswith(folder + os.sep):
            frames.append((os.path.relpath(path, folder), line, frame.f_code.co_name))
    if not frames:
        return {"file": "", "line": 0, "frames": []}
    shown = frames if len(frames) <= 10 else frames[:5] + frames[-5:]
    return {
        "file": frames[-1][0],
        "line": frames[-1][1],
        "frames": [f"{file}, line {line}, in {name}" for file, line, name in shown],
    }
