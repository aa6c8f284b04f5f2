r"""Text from a file becomes text for a person: a terminal, a spreadsheet, the name of a file.

Names, messages and paths may come from anyone's file and hold anything. On a terminal a control
character is shown (\x1b) instead of obeyed; a cell is no formula; a name does not lead out of the
folder that it is unpacked in.
"""

from __future__ import annotations

import re

# C0 and C1 without line break and tab, and what turns the direction of the text around it.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
# What a spreadsheet takes for the beginning of a formula (OWASP, "CSV injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def printable(text: str) -> str:
    """Return text with each control character as Python writes it."""
    return _CONTROL.sub(lambda match: ascii(match[0])[1:-1], text)


def printable_json(text: str) -> str:
    """Return JSON text that says the same, with the control characters that JSON allows escaped."""
    return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def printable_cell(text: str) -> str:
    """Return text for a cell of a spreadsheet, after an apostrophe if it began a formula."""
    return printable(f"'{text}" if text.startswith(_FORMULA) else text)


def member_name(name: str) -> str:
    """Return a name for a member of an archive: as it is, or quoted if it leads elsewhere."""
    from urllib.parse import quote

    leads_out = name.startswith("/") or ".." in name.split("/") or "\\" in name
    return quote(name, safe="") if leads_out or printable(name) != name else name
