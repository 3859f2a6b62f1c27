"""Columns with comments, as SQL says them."""

from __future__ import annotations

from collections.abc import Mapping


def comment(text: str) -> str:
    """A COMMENT clause; nothing for an empty text."""
    return " COMMENT '{}'".format(text.replace("\\", "\\\\").replace("'", "\\'")) if text else ""


def column_list(columns: Mapping[str, tuple[str, str]]) -> str:
    """`name type COMMENT '...'`, parted by commas, from name -> (type, comment)."""
    return ", ".join(f"{name} {kind}{comment(text)}" for name, (kind, text) in columns.items())
