"""What gates say as JUnit XML, which every CI shows: a test case for each gate and row.

It has no standard. GitLab shows a case's name and the failure's text and neither its class
nor the failure's message, so the name holds the row and both hold the line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from edgekit.report.gates import outcome_line, row_text

if TYPE_CHECKING:
    from edgekit.gates.judging import Outcome

# What XML 1.0 cannot hold in any form; the reasons of engines may have such characters.
_NOT_IN_XML = re.compile("[^\t\n\r\\u0020-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")


def junit_xml(outcomes: Sequence[Outcome], runs: Sequence[str] = ()) -> bytes:
    """Return the document, in UTF-8."""
    broken = sum(not outcome.is_held for outcome in outcomes)
    counts = {"tests": str(len(outcomes)), "failures": str(broken), "errors": "0"}
    root = ElementTree.Element("testsuites", {"name": "edgekit", **counts})
    suite = ElementTree.SubElement(
        root, "testsuite", {"name": "edgekit gates", **counts, "skipped": "0", "time": "0"}
    )
    for outcome in outcomes:
        name = ": ".join(filter(None, (outcome.gate.text, row_text(outcome, runs))))
        case = ElementTree.SubElement(
            suite, "testcase", {"classname": "edgekit.gates", "name": _clean(name), "time": "0"}
        )
        if not outcome.is_held:
            line = _clean(f"{outcome.gate.text}: {outcome_line(outcome, runs)}")
            failure = ElementTree.SubElement(case, "failure", {"message": line, "type": "gate"})
            failure.text = line
    ElementTree.indent(root)
    content: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _clean(text: str) -> str:
    return _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text)
