"""What is looked at before an XML document is parsed: its encoding, its DOCTYPE."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from dataclasses import dataclass
from xml.parsers import expat

from spark_jobs.errors import MemberError
from spark_jobs.formats.text import codec_name

DECLARED = re.compile(rb"<\?xml\s[^>]*?\sencoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")
# Codecs that Python calls text encodings, but in which no document is written; some take quadratic time.
NO_ENCODINGS = {"punycode", "idna", "undefined", "unicode-escape", "unicode_escape", "raw-unicode-escape", "utf-7"}
MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


@dataclass(frozen=True)
class TextEncoding:
    """The encoding of a document; `override` where neither mark nor declaration says it, so that the rule does."""

    name: str
    override: str | None

    def refuse_if_wrong(self, parts: Iterable[bytes]) -> None:
        """Raises MemberError `member.encoding` unless the parts of a document are text of this encoding."""
        try:
            if codecs.lookup(self.name).name not in NO_ENCODINGS:
                decoder = codecs.getincrementaldecoder(self.name)()
                for part in parts:
                    decoder.decode(part)
                decoder.decode(b"", final=True)
                return
        except (UnicodeError, LookupError):
            pass
        raise MemberError("member.encoding", "its text is not in the encoding that it or the rule says")


def text_encoding(data: bytes, of_rule: str) -> TextEncoding:
    """The encoding that a byte order mark says, else the XML declaration, else the rule."""
    for mark, name in MARKS.items():
        if data.startswith(mark):
            return TextEncoding(name, None)
    declared = DECLARED.match(data)
    if declared:
        return TextEncoding(declared[1].decode(), None)
    return TextEncoding(of_rule, None if codec_name(of_rule) == "utf-8" else of_rule)


def refuse_doctype(parts: Iterable[bytes]) -> None:
    """Raises MemberError `member.dtd` if a document, given in parts, has a DOCTYPE and can be read as far as that."""
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = stop_at_doctype
    try:
        for part in parts:
            parser.Parse(part)
    except (expat.ExpatError, ValueError, LookupError):
        return  # the parser proper has its say


def stop_at_doctype(*_: object) -> None:
    """A handler of expat."""
    raise MemberError("member.dtd", "it has a DOCTYPE")
