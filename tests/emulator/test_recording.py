"""The recording is evidence, and is shown to people: it keeps order, forgets secrets, and cannot be flooded."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fargrade.emulator.recording import KEEP_FIRST, KEEP_LAST, MAX_CALL, RecordedCall, Recording

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=50)
    | st.binary(max_size=50),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=20), inner, max_size=5),
    max_leaves=30,
)


def kept(parameters: dict[str, Any]) -> dict[str, Any]:
    recording = Recording()
    recording.add("ecs", "RunTask", parameters, status=200)
    found: dict[str, Any] = recording.as_json()[0]["parameters"]
    return found


@pytest.mark.parametrize(
    "name", ["password", "SecretString", "authorizationToken", "clientToken", "x-amz-security-token"]
)
def test_secrets_are_hidden(name: str) -> None:
    assert kept({"outer": [{name: "tell nobody"}]}) == {"outer": [{name: "<hidden>"}]}


def test_a_page_token_is_no_secret() -> None:
    assert kept({"nextToken": "abc"}) == {"nextToken": "abc"}


@given(st.dictionaries(st.text(max_size=20), anything, max_size=6))
def test_whatever_was_asked_is_kept_as_json(parameters: dict[str, Any]) -> None:
    json.dumps(kept(parameters))


@pytest.mark.parametrize(
    "flood", [{"text": "x" * 10**7}, {"list": ["y" * 1000] * 10**5}, {"deep": {"k" * 4000: {"v": ["z" * 4000] * 100}}}]
)
def test_one_call_cannot_fill_the_memory(flood: dict[str, Any]) -> None:
    assert len(json.dumps(kept(flood))) < 3 * MAX_CALL


def test_many_calls_cannot_either_and_the_first_and_the_last_are_kept() -> None:
    recording = Recording()
    for number in range(KEEP_FIRST + 3 * KEEP_LAST):
        recording.add("ecr", f"Call{number}", {}, status=200)
    found = recording.as_json()
    assert recording.count == KEEP_FIRST + 3 * KEEP_LAST
    assert [one["number"] for one in found[:3]] == [1, 2, 3]
    assert found[-1]["number"] == recording.count
    assert len(found) == KEEP_FIRST + KEEP_LAST


def test_a_call_in_a_line() -> None:
    call = RecordedCall(
        1, "ecr", "CreateRepository", {"repositoryName": "Shop"}, 400, "InvalidParameterException", "no"
    )
    assert call.summary() == 'ecr CreateRepository(repositoryName="Shop") → InvalidParameterException: no'
    long = RecordedCall(1, "ecr", "PutImage", {"imageManifest": "x" * 4000})
    assert len(long.summary()) < 300
