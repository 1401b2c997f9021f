"""A report may be anything: it becomes an outcome, always, and nothing in it is believed that does not fit."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fargrade.sandbox import Command, Job, Outcome, PythonCall
from fargrade.sandbox.claims import outcome_of
from fargrade.sandbox.job import KINDS

JOB = Job(files={}, entry=PythonCall("a.py", "f"), keep=("kept",))
REPORT: dict[str, Any] = {
    "stopped": "",
    "exit_code": 0,
    "signal": None,
    "stdout": "",
    "stderr": "",
    "truncated": False,
    "seconds": 0.1,
    "files": {},
    "result": '{"kind": "returned", "value": 1}',
}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(KINDS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.sampled_from([*REPORT]), inner),
    max_leaves=12,
)


def read(**changed: Any) -> Outcome:
    return outcome_of({**REPORT, **changed}, JOB)


@given(ANYTHING)
def test_anything_is_an_outcome(report: Any) -> None:
    assert isinstance(outcome_of(report, JOB).sentence(), str)


@given(st.sampled_from([*REPORT]), ANYTHING)
def test_a_report_with_anything_in_one_place(name: str, value: Any) -> None:
    outcome = read(**{name: value})
    assert outcome.kind in KINDS
    outcome.sentence().encode()


@given(st.sampled_from(["returned", "raised", "exited", "not_json", "no_import"]), ANYTHING, ANYTHING, ANYTHING)
def test_a_result_with_anything_in_it(kind: str, value: Any, error: Any, detail: Any) -> None:
    said = json.dumps({"kind": kind, "value": value, "error": error, "detail": detail, "exit_code": value})
    outcome = read(result=said)
    assert outcome.kind in (kind, "lost")
    outcome.sentence().encode()
    json.dumps(outcome.value, ensure_ascii=False).encode()


@pytest.mark.parametrize("kind", ["killed", "timed_out", "flooded", "lost", "no_start", "ok", "", None, 1])
def test_what_only_the_runner_can_know_a_result_cannot_say(kind: Any) -> None:
    assert read(result=json.dumps({"kind": kind})).kind == "lost"


@pytest.mark.parametrize(
    "changed",
    [
        {"stopped": "passed"},
        {"stopped": None},
        {"exit_code": -1},
        {"exit_code": True},
        {"exit_code": 1 << 70},
        {"signal": "9"},
        {"seconds": float("nan")},
        {"seconds": float("inf")},
        {"seconds": "1"},
        {"stdout": None},
        {"files": {"not asked for": ""}},
        {"files": {"kept": "no base64!"}},
        {"files": []},
        {"result": None},
        {"result": "{" * 10_000},
        {"result": '{"kind": "returned", "value": Infinity}'},
        {"result": '{"kind": "raised", "error": {"type": "E", "message": "m", "file": "f", "line": 1e999}}'},
    ],
)
def test_what_does_not_fit_is_lost(changed: dict[str, Any]) -> None:
    assert read(**changed).kind == "lost"


def test_a_value_larger_than_allowed_is_not_taken() -> None:
    assert read(result=json.dumps({"kind": "returned", "value": "x" * 600_000})).kind == "too_large"


def test_a_program_says_nothing_about_itself() -> None:
    job = Job(files={}, entry=Command(("true",)))
    outcome = outcome_of({**REPORT, "exit_code": 1}, job)
    assert (outcome.kind, outcome.exit_code, outcome.value, outcome.ok) == ("exited", 1, None, False)
    assert outcome_of({**REPORT, "result": ""}, job).ok


def test_a_call_that_exits_is_never_ok() -> None:
    assert not read(result="").ok
    assert not read(result='{"kind": "exited", "exit_code": 0, "detail": "command", "command": true}').ok


def test_text_is_one_line_without_what_steers_a_terminal() -> None:
    error = {"type": "E\n\x1b[2J", "message": "a\x9b\u202eb", "file": "f", "line": 3, "bases": [], "frames": []}
    outcome = read(result=json.dumps({"kind": "raised", "error": error}))
    assert outcome.sentence() == "f, line 3, raised E [2J: ab"


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_sentence(kind: Any) -> None:
    sentence = Outcome(kind, detail="WHAT", exit_code=3, signal=9, seconds=2).sentence()
    assert sentence.endswith(".") or kind == "raised"
    assert "{" not in sentence
