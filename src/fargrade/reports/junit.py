"""JUnit XML of a grade, as pytest writes it (the xunit2 family): a suite an item, a case a check."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from fargrade.reports.gradescope import output as said

# What XML 1.0 cannot hold (https://www.w3.org/TR/xml/#charsets), whoever wrote it.
IMPOSSIBLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def report(grade: Mapping[str, Any]) -> bytes:
    """junit.xml for a grade."""
    root = ElementTree.Element("testsuites")
    for item in grade["items"]:
        checks = item["checks"]
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=_text(f"{item['id']} {item['slug']}"),
            tests=str(len(checks)),
            failures=str(sum(check["status"] == "failed" for check in checks)),
            skipped=str(sum(check["status"] == "not_judged" for check in checks)),
            errors="0",
            time=f"{item['seconds']:.3f}",
        )
        for check in checks:
            case = ElementTree.SubElement(
                suite,
                "testcase",
                classname=_text(f"week{item['week']}.{item['slug']}"),
                name=_text(check["title"]),
                time=f"{check['seconds']:.3f}",
            )
            if check["status"] == "failed":
                failure = ElementTree.SubElement(
                    case, "failure", message=_text(check["found"] or check["reason"])[:400]
                )
                failure.text = _text(said(check))
            elif check["status"] == "not_judged":
                ElementTree.SubElement(case, "skipped", message=_text(check["reason"])[:400])
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _text(text: str) -> str:
    return IMPOSSIBLE.sub("\ufffd", text)
