"""Ids as AWS makes them, which follow the world's seed as moto's do."""

from __future__ import annotations


def new_id() -> str:
    """A UUID."""
    from moto.moto_api._internal import mock_random

    return str(mock_random.uuid4())
