"""Gradescope's results.json. Its schema: https://gradescope-autograders.readthedocs.io/en/latest/specs/"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fargrade.course.language import translate as t
from fargrade.reports.terminal import plain, worth

WORDS = {"passed": "passed", "failed": "failed"}


def report(grade: Mapping[str, Any]) -> bytes:
    """results.json for a grade. Not judged checks are shown without a status or points: they are out of nothing."""
    told = {
        "score": grade["score"],
        "execution_time": round(sum(item["seconds"] for item in grade["items"])),
        "output": _head(grade),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "extra_data": {"seed": grade["seed"], "max_score": grade["max_score"], "backend": dict(grade["backend"])},
        "tests": [_test(item, check, at) for item in grade["items"] for at, check in enumerate(item["checks"], 1)],
    }
    return (json.dumps(told, ensure_ascii=True, indent=1) + "\n").encode("ascii")


def _head(grade: Mapping[str, Any]) -> str:
    lines = [f"seed {grade['seed']}"]
    if grade["backend"].get("confined") is False:
        lines.append(str(grade["backend"].get("note", "")))
    if not grade["complete"]:
        lines.append(t("The grading was interrupted: what did not run is not judged."))
    return plain("\n".join(lines))


def _test(item: Mapping[str, Any], check: Mapping[str, Any], at: int) -> dict[str, Any]:
    judged = check["status"] != "not_judged"
    test: dict[str, Any] = {
        "name": plain(f"{item['id']} {item['title']}: {check['title']}"),
        "number": f"{item['id']}.{at}",
        "output": output(check),
        "output_format": "text",
        "tags": [item["id"], f"week{item['week']}", check["evidence"]],
        "visibility": "hidden" if check.get("hidden") else "visible",
        "extra_data": {"id": check["id"], "status": check["status"]},
        "score": check["score"],
        "max_score": check["points"] if judged else 0,
    }
    if judged:
        test["status"] = WORDS[check["status"]]
    return test


def output(check: Mapping[str, Any]) -> str:
    rows = [
        ("", check["reason"]),
        (t("expected"), check["expected"]),
        (t("found"), check["found"]),
        (t("on AWS"), check["on_aws"]),
        (t("hint"), check["hint"]),
        (t("calls"), "\n".join(check["calls"])),
        (t("printed"), check.get("printed", "")),
        (t("docs"), check["docs"] if check["status"] == "failed" else ""),
    ]
    text = "\n".join(f"{label}: {said}" if label else said for label, said in rows if said)
    if check["status"] == "not_judged":
        text = f"{t('not judged')} ({worth(check['points'])}). {text}"
    return plain(text)[:20_000]
