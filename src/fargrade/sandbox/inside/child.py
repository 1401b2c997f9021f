"""Becomes the learner's process: limits, environment, then their function or program. Runs once a process."""

from __future__ import annotations

import builtins
import importlib.util
import inspect
import json
import os
import sys
import traceback
from datetime import date, datetime
from typing import Any

try:
    import resource
except ImportError:  # Windows: no limits, and no promise of any
    resource = None  # type: ignore[assignment]

MAX_MESSAGE = 4000


def become(job: dict[str, Any], folder: str, result: int, stdout: int, stderr: int) -> None:
    """Run the job in this process and end it. What a Python call came to is written to `result` as JSON."""
    null = os.open(os.devnull, os.O_RDONLY)
    for target, source in ((0, null), (1, stdout), (2, stderr)):
        os.dup2(source, target)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(job["env"])
    limit(job["limits"])
    if job["argv"]:
        _execute(job["argv"])
    sys.stdin, sys.stdout, sys.stderr = (
        open(0, encoding="utf-8", errors="replace"),
        open(1, "w", encoding="utf-8", errors="replace", buffering=1),
        open(2, "w", encoding="utf-8", errors="replace", buffering=1),
    )
    came = call(job["python"], folder, job["limits"]["result_bytes"])
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        pass
    body = json.dumps(came).encode()
    with open(result, "wb") as pipe:
        pipe.write(body)
    os._exit(0)


def _execute(argv: list[str]) -> None:
    try:
        os.execvp(argv[0], argv)
    except OSError as error:
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
        os._exit(127)


def limit(limits: dict[str, Any]) -> None:
    """Set this process's limits; they hold for its children, too."""
    if resource is None:
        return
    for name, value in (
        ("RLIMIT_CPU", limits["cpu_seconds"]),
        ("RLIMIT_AS", limits["memory_bytes"]),
        ("RLIMIT_NPROC", limits["processes"]),
        ("RLIMIT_NOFILE", limits["open_files"]),
        ("RLIMIT_FSIZE", limits["file_bytes"]),
        ("RLIMIT_CORE", 0),
    ):
        which = getattr(resource, name, None)
        if which is None:
            continue
        try:
            resource.setrlimit(which, (value, value))
        except (ValueError, OSError):
            continue  # a lower limit is in force already, or the system has none (macOS and RLIMIT_AS)


def call(wanted: dict[str, Any], folder: str, most: int) -> dict[str, Any]:
    """What the call came to: {"kind", and what belongs to it}. Never raises, whatever the learner's code does."""
    path = os.path.join(folder, wanted["file"])
    if not os.path.isfile(path):
        return {"kind": "no_file", "detail": wanted["file"]}
    try:
        module = _load(path, folder)
    except SyntaxError as error:
        where = os.path.basename(error.filename or wanted["file"])
        return {"kind": "no_import", "detail": f"{where}, line {error.lineno}: {error.msg}"}
    except BaseException as error:
        return _ended(error, folder)
    function = getattr(module, wanted["function"], None)
    if not callable(function):
        return {"kind": "no_function", "detail": wanted["function"]}
    args, kwargs = wanted["args"], wanted["kwargs"]
    try:
        inspect.signature(function).bind(*args, **kwargs)
    except TypeError as error:
        return {"kind": "wrong_arguments", "detail": f"{wanted['function']}{_signature(function)}: {error}"}
    except BaseException:
        pass  # no signature to be had: the call itself will tell
    try:
        value = function(*args, **kwargs)
        return _returned(value, most)
    except BaseException as error:
        return _ended(error, folder)


def _signature(function: Any) -> str:
    try:
        return str(inspect.signature(function))
    except BaseException:
        return "(…)"


def _load(path: str, folder: str) -> Any:
    name = os.path.splitext(os.path.basename(path))[0]
    here = os.path.dirname(path)
    sys.path[:0] = [here] if here == folder else [here, folder]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(name, module)
    spec.loader.exec_module(module)
    return module


def _returned(value: Any, most: int) -> dict[str, Any]:
    try:
        text = json.dumps(value, default=_plain)
    except builtins.BaseException:
        return {"kind": "not_json", "detail": f"{type(value).__name__}"[:200]}
    if len(text) > most:
        return {"kind": "too_large"}
    return {"kind": "returned", "value": json.loads(text)}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    raise TypeError(type(value).__name__)


def _ended(error: BaseException, folder: str) -> dict[str, Any]:
    if isinstance(error, SystemExit):
        code = error.code if isinstance(error.code, int) else 0 if error.code is None else 1
        return {"kind": "exited", "exit_code": code}
    found: dict[str, Any] = {"type": type(error).__name__, "message": "", "file": "", "line": 0}
    found["bases"] = [one.__name__ for one in type(error).__mro__[:20]]
    try:
        found["message"] = str(error)[:MAX_MESSAGE]
    except BaseException:
        found["message"] = ""
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename.startswith(folder):
            found["file"] = os.path.relpath(frame.filename, folder)
            found["line"] = frame.lineno or 0
    return {"kind": "raised", "error": found}
