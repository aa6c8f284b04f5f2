"""Verdicts as JUnit XML, which every CI shows: a test case for each gate and row.

There is no standard for it. GitLab shows a case's name and the failure's text and neither its class
nor the failure's message, so the row stands in the name and the line in both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from edgekit.report.gates import verdict_line

if TYPE_CHECKING:
    from edgekit.gates.gate import Verdict

# What XML 1.0 cannot hold in any form; the reasons of engines may have such characters.
_NOT_IN_XML = re.compile("[^\t\n\r\\u0020-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")


def junit_xml(verdicts: Sequence[Verdict], runs: Sequence[str] = ()) -> bytes:
    """Return the document, in UTF-8."""
    broken = sum(not verdict.is_held for verdict in verdicts)
    counts = {"tests": str(len(verdicts)), "failures": str(broken), "errors": "0"}
    root = ElementTree.Element("testsuites", {"name": "edgekit", **counts})
    suite = ElementTree.SubElement(
        root, "testsuite", {"name": "edgekit gates", **counts, "skipped": "0", "time": "0"}
    )
    for verdict in verdicts:
        name = verdict.gate.text
        if verdict.id is not None:
            run = f" in {runs[verdict.run]}" if len(runs) > 1 else ""
            name += f": {verdict.id} on {verdict.device}{run}"
        case = ElementTree.SubElement(
            suite, "testcase", {"classname": "edgekit.gates", "name": _clean(name), "time": "0"}
        )
        if not verdict.is_held:
            line = _clean(f"{verdict.gate.text}: {verdict_line(verdict, runs)}")
            failure = ElementTree.SubElement(case, "failure", {"message": line, "type": "gate"})
            failure.text = line
    ElementTree.indent(root)
    content: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _clean(text: str) -> str:
    return _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text)
