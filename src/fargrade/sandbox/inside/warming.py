"""Imports ahead of the job what the learner's code will import, and fills the caches that make it quick."""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import sys
from typing import Any

SERVICES = ("ecr", "sts")
YOUNG = 20_000  # objects before they are looked through: a client makes thousands, and drops few
CREDENTIALS: dict[str, Any] = {
    "region_name": "us-east-1",
    "aws_access_key_id": "warm",
    "aws_secret_access_key": "warm",
    "endpoint_url": "http://127.0.0.1:9",
}


def warm(names: list[str]) -> None:
    """Import each module of `names`; "boto3:ecr-public" makes a client of that service once, too."""
    modules = list(dict.fromkeys(name.partition(":")[0] for name in names if name))
    for name in modules:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    if "boto3" in modules and "boto3" in sys.modules:
        asked = [name.partition(":")[2] for name in names if name.startswith("boto3:")]
        _warm_boto3(dict.fromkeys([*SERVICES, *asked]))
    gc.set_threshold(YOUNG, 10, 10)
    gc.collect()
    gc.freeze()  # what is warm now stays out of the children's collections, and so shared with them


def _warm_boto3(services: dict[str, None]) -> None:
    """Read the services' models once. Every fresh session of a child finds them (52 ms a client without, 4 with)."""
    import boto3
    import botocore.session

    shared: dict[str | None, Any] = {}
    create = botocore.session.create_loader

    def create_loader(search_path_string: str | None = None) -> Any:
        if search_path_string not in shared:
            shared[search_path_string] = create(search_path_string)
        return shared[search_path_string]

    botocore.session.create_loader = create_loader
    _share_what_all_sessions_find_out()
    "localhost".encode("idna")  # a connection's host is: the codec and its tables are imported for it
    for service in services:
        with contextlib.suppress(Exception):
            client = boto3.Session().client(service, **CREDENTIALS)
            client.meta.events.register("before-send", _no_answer)
            _rehearse(client)
    _make_a_session_ahead()


def _share_what_all_sessions_find_out() -> None:
    """Half of the price of a client: each session finds out anew which of botocore's own handlers take keywords and
    which of its events have new names, and makes a TLS context for each of its connection pools, three a client.
    """
    import botocore.hooks
    import botocore.httpsession

    plain = functools.lru_cache(maxsize=None)(botocore.hooks.accepts_kwargs)
    botocore.hooks.accepts_kwargs = lambda handler: plain(getattr(handler, "__func__", handler))

    renamed: dict[str, str] = {}
    aliaser = botocore.hooks.EventAliaser
    make, copy = aliaser.__init__, aliaser.__copy__

    def made(self: Any, event_emitter: Any, event_aliases: Any = None) -> None:
        make(self, event_emitter, event_aliases)
        if event_aliases is None:
            self._alias_name_cache = renamed

    def copied(self: Any) -> Any:
        another = copy(self)
        another._alias_name_cache = self._alias_name_cache
        return another

    aliaser.__init__, aliaser.__copy__ = made, copied
    context = botocore.httpsession.create_urllib3_context
    once = functools.lru_cache(maxsize=1)(context)  # each connection sets what it needs of it
    botocore.httpsession.create_urllib3_context = lambda *given, **more: (context if given or more else once)(
        *given, **more
    )


def _make_a_session_ahead() -> None:
    """The first session that a child asks for is made already: it reads no environment before it is used."""
    import botocore.session

    make = botocore.session.get_session
    ahead = [make()]

    def get_session(env_vars: Any = None) -> Any:
        return make(env_vars) if env_vars or not ahead else ahead.pop()

    botocore.session.get_session = get_session


def _rehearse(client: Any) -> None:
    """One call that never leaves: it imports and compiles what only a call needs."""
    readers = [name for name in client.meta.method_to_api_mapping if name.startswith(("get_", "describe_"))]
    for name in readers[:20]:
        with contextlib.suppress(Exception):  # one that needs arguments, or does not like the empty answer
            getattr(client, name)()
            break
    with contextlib.suppress(Exception):
        client.get_paginator("describe_repositories")


def _no_answer(request: Any, **_: Any) -> Any:
    from botocore.awsrequest import AWSResponse
    from botocore.compat import HTTPHeaders

    return AWSResponse(request.url, 200, HTTPHeaders(), _Empty())


class _Empty:
    def stream(self, *_: Any, **__: Any) -> Any:
        return iter((b"{}",))
