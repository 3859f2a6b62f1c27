"""XML: the fast reader reads what the exact one reads, and nothing that one document holds reaches another."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_jobs.formats.xml_exact import ExactReader
from spark_jobs.formats.xml_fast import FastReader
from spark_jobs.formats.xml_gate import Gate
from spark_jobs.formats.xml_rules import make_ready
from spark_jobs.rules.model import Column, Limits, Member
from tests.unit.zips import feed_of, read, refused, zip_of

WIDE = Limits(max_ratio=1_000_000)


def columns(*sources):
    return tuple(Column(f"c{number}", source=source) for number, source in enumerate(sources))


PARENT = Member(
    "doc",
    pattern="*",
    format="xml",
    record_path="/D",
    target="t",
    columns=columns("@a", "A", "B/A", "B/@a", "A/@b", "."),
)
CHILD = Member("kid", 1, parent="doc", record_path="Ks/K", target="k", columns=columns("@a", "A", "C", "C/@a", "."))
BUNDLE = Member("doc", pattern="*", format="xml", record_path="/D/E", target="t", columns=columns("A", "A/@a", "B/C"))
RULES = {
    "record and children": feed_of(PARENT, CHILD),
    "many records": feed_of(BUNDLE),
    "no source": feed_of(
        Member("doc", pattern="*", format="xml", record_path="/D", target="t", columns=columns("$member"))
    ),
}

TEXTS = [
    "",
    "",
    "",
    "",
    " ",
    "x",
    "\n  ",
    "\r\n",
    "\r",
    "a\r\nb",
    "&amp;",
    "&lt;/K>",
    "&#10;",
    "&#13;",
    "&#x41;",
    "é中😀\u2028",
    "\x85",
]
TEXTS += [
    "<![CDATA[]]>",
    "<![CDATA[<A>&amp;</A>]]>",
    "<!-- c -->",
    "<!--<A>--> ",
    "<?p <A/> ?>",
    "]]&gt;",
    "/>",
    "a>b",
    "'\"",
]
VALUES = ["", "1", "2", " x\n\ty ", "a&#10;b", "&quot;", "a>b", "/>", "&#9;", "é", " b='2' ", "a\r\nb"]
INNER = {  # what an element mostly holds, so that paths are found more often than by chance
    "D": ["A", "B", "B", "Ks", "Ks", "E", "E", "D", "K"],
    "Ks": ["K", "K", "K", "K", "Ks", "A", "X"],
    "K": ["A", "A", "C", "C", "X", "K", "Ks"],
    "E": ["A", "B", "A", "B", "E"],
    "B": ["A", "C", "B"],
}
STARTS = ["", "", "\ufeff", '<?xml version="1.0"?>\n', "<?xml version='1.0' encoding='UTF-8' ?>"]
AROUND = ["", "", "\n", "<!-- <D/> -->", "<?p?>"]


def element(rng, name, depth):
    equals, end = rng.choice(["=", "=", " = "]), rng.choice(["", " "])
    names = rng.sample("aabc", rng.choice([0, 0, 1, 1, 2]))
    tag = name + "".join(f'{rng.choice(" " + chr(10))}{key}{equals}"{rng.choice(VALUES)}"' for key in set(names))
    if rng.random() < 0.1:
        return f"<{tag}{end}/>"
    inside = INNER.get(name, ["A", "X", "AB"])
    count = rng.choice([0, 1, 2, 2, 3]) if depth else 0
    children = rng.choices(inside, k=count) if name == "Ks" or rng.random() < 0.2 else set(rng.choices(inside, k=count))
    texts = [text(rng)] + [part for child in children for part in (element(rng, child, depth - 1), text(rng))]
    return f"<{tag}>{''.join(texts)}</{name}{end}>"


def text(rng):
    return rng.choice("uvwxyz") if rng.random() < 0.6 else rng.choice(TEXTS)


def document(seed):
    rng = random.Random(seed)
    around = rng.choice(AROUND), rng.choice(AROUND)
    return (rng.choice(STARTS) + around[0] + element(rng, rng.choice("DDDDX"), 4) + around[1]).encode()


DOCUMENTS = st.integers(0, 2**32).map(document)


def as_rows(found):
    """Rows by rule: member, the parent's place, texts (an empty attribute and an absent one are alike)."""
    rows = []
    for one in found:
        parents = one.parents.to_pylist() if one.parents is not None else [None] * len(one.members)
        texts = [[text or None for text in column.to_pylist()] for column in one.texts.values()]
        rows.append(list(zip(one.members.to_pylist(), parents, *texts, strict=True)))
    return rows


def read_both(feed, documents):
    """What the exact reader and the fast reader say of the documents that the fast one admits."""
    rule = make_ready(feed.members[0], feed)
    fast, exact = FastReader(rule), ExactReader(rule)
    assert FastReader.fits(rule)
    admitted = []
    for data in documents:
        plain = fast.admit(data)
        if plain is not None:
            exact.read(data, len(admitted))
            admitted.append(plain)
    return as_rows(exact.take()), fast.read(admitted) if admitted else None, len(admitted)


def read_unparsed_and_exactly(feed, documents):
    """What the fast reader says of those documents that it admits unparsed, and how to have the exact one's word."""
    rule = make_ready(feed.members[0], feed)
    fast = FastReader(rule)
    admitted = [(plain, data) for data in documents if (plain := fast.admit_unparsed(data)) is not None]
    found = fast.read_unparsed([plain for plain, _ in admitted]) if admitted else None

    def exactly():
        exact = ExactReader(rule)
        for member, (_, data) in enumerate(admitted):
            exact.read(data, member)
        return as_rows(exact.take())

    return found, exactly


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(RULES)), st.lists(DOCUMENTS, min_size=1, max_size=4))
def test_fast_reader_agrees_with_exact_reader(rule, documents):
    exact, fast, _ = read_both(RULES[rule], documents)
    if fast is not None:
        assert as_rows(fast) == exact
    found, exactly = read_unparsed_and_exactly(RULES[rule], documents)
    if found is not None:
        assert as_rows(found) == exactly()


SPLINTERS = "< > / \" ' & <!-- --> <![CDATA[ ]]> <? ?> : = xmlns:a='b' xml:a='b' </D> <D> a: &#0; &x; % -- <!DOCTYPE_D> \u2070 \uffff"
CHANGES = st.tuples(
    st.integers(0, 10**6),
    st.integers(0, 3),
    st.sampled_from([*SPLINTERS.encode().split(), b"\0", b"\x01", b"\xff", b"\xed\xa0\x80", b" "]),
)


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(sorted(RULES)), DOCUMENTS, st.lists(CHANGES, min_size=1, max_size=3))
def test_fast_reader_admits_nothing_that_the_exact_reader_refuses(rule, data, changes):
    for place, length, splinter in changes:
        at = place % (len(data) + 1)
        data = data[:at] + splinter + data[at + length :]
    exact, fast, admitted = read_both(RULES[rule], [data])  # raises MemberError if admitted but refused
    if admitted and fast is not None:
        assert as_rows(fast) == exact


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(sorted(RULES)), st.lists(DOCUMENTS, min_size=3, max_size=3), st.lists(CHANGES, max_size=4))
def test_documents_that_are_parsed_together_are_well_formed_each_by_itself(rule, documents, changes):
    for turn, (place, length, splinter) in enumerate(changes):
        data = documents[turn % 2]
        at = place % (len(data) + 1)
        documents[turn % 2] = data[:at] + splinter + data[at + length :]
    found, exactly = read_unparsed_and_exactly(RULES[rule], documents)
    if found is not None:
        assert as_rows(found) == exactly()  # raises MemberError if one is refused


@pytest.mark.parametrize(
    "documents",
    [
        [b"<D><A></D>", b"<D></A></D>"],
        [b"<D></D><!-- </D>", b"<D> --></D></D>"],
        [b"<D></D><D></D>"],
        [b"<D></D>x<D></D>"],
        [b"<D></D><![CDATA[x]]><D></D>"],
        [b"<D></D>&amp;<D></D>"],
        [b"<D></D><!-- c --><D></D>"],
        [b"<D></D><E/><D></D>"],
        [b"<D><![CDATA[</D>", b"<D>]]></D></D>"],
        [b"<D><?p </D>", b"<D>?></D></D>"],
        [b"<D a='</D>", b"<D '></D>"],
        [b"<D>", b"</D>"],
        [b"<D a='1' a='2'></D>"],
        [b"<D a:b='1'></D>"],
        [b"<D>\x01</D>"],
        [b"<D>\xff</D>"],
        [b"<D>]]></D>"],
        [b"<D>&x;</D>"],
        [b"<D></D><!DOCTYPE D><D></D>"],
    ],
)
def test_documents_that_are_only_together_well_formed_are_not_read_together(documents):
    good = b"<D><A>x</A></D>"
    feed = feed_of(PARENT)
    fast = FastReader(make_ready(PARENT, feed))
    assert fast.read_unparsed([fast.admit_unparsed(good)] * 3) is not None
    admitted = [plain for data in documents if (plain := fast.admit_unparsed(data)) is not None]
    assert len(admitted) < len(documents) or fast.read_unparsed([good, *admitted, good]) is None
    rows, summary = read(zip_of(*((str(n), data) for n, data in enumerate([good, *documents, good]))), feed)
    assert [row["_member_index"] for row in rows["doc"]] == [0, len(documents) + 1]
    assert set(refused(summary)) == set(range(1, len(documents) + 1))


def test_no_character_or_reference_is_admitted_unparsed_that_a_parser_refuses():
    gate = Gate(make_ready(PARENT, feed_of(PARENT)))
    code_points = [chr(code).encode("utf-8", "surrogatepass") for code in [*range(0x10000), 0x10000, 0x10FFFF]]
    in_few_bytes = [bytes((lead, byte)) for lead in range(256) for byte in (0, 32, 60, 0x7F, 0x80, 0xBF, 0xC0, 255)]
    in_more = [
        bytes((lead, byte, 0x80)) + more for lead in range(0xE0, 256) for byte in range(256) for more in (b"", b"\x80")
    ]
    references = [b"&#%d;" % code for code in range(0x10000)] + [b"&#x%x;" % code for code in range(0x10000)]
    for text in (*code_points, *in_few_bytes, *in_more, *references):
        for document in (b"<D>%b</D>" % text, b"<D a='%b'/>" % text):
            assert gate.admit_unparsed(document) is None or gate.admit(document) is not None


@pytest.mark.parametrize(
    "tags",
    [
        b"<A a='1' a='2'/>",
        b"<A\ta='1'\nab='2'\r\na=\"3\" />",
        b"<A a='1' b='2' c='3' d='4' e='5' f='6' a='7'/>",
        b"<A a='1' b='2' c='3' d='4' e='5' f='6' g='7' h='8' i='9'/>",
        b"<A a='1'b='2'/>",
        b"<A a = '1'/>",
        b"<A xmlns='u'/>",
        b"<A b:a='1'/>",
        b"<b:A/>",
        b"<A a='<'/>",
        b"<A a='&'/>",
        b"<A a=1/>",
        b"<A a/>",
        b"<A / >",
        b"< A/>",
        b"<1/>",
        b"<A></A a='1'>",
        b"<A></ A>",
        b"</>",
        b"]]>",
        b"<!-- -- -->",
        b"<!-- --->",
        b"<!-->",
        b"<!-- <A> -->",
        b"<![CDATA[x]]>",
        b"<?p x?>",
        b"<!DOCTYPE D>",
        b"&x;",
        b"&amp",
    ],
)
def test_what_is_not_plain_is_not_admitted_unparsed(tags):
    gate = Gate(make_ready(PARENT, feed_of(PARENT)))
    assert gate.admit_unparsed(b"<D><Z>%b</Z></D>" % tags) is None


@pytest.mark.parametrize(
    "tags",
    [
        b"<Z ab='1' a=\"2\"/><A >x</A >",
        b"<!-- c - c --><A a='1'>\n a]] \"b\" 'c' \xc3\xa9 \xf0\x9f\x98\x80 &lt;&#65;&#x41;\t</A>",
    ],
)
def test_plain_documents_are_admitted_unparsed(tags):
    gate = Gate(make_ready(PARENT, feed_of(PARENT)))
    document = b"<!-- c --> <D\na='&amp;\"' b-b.b=\"'\">%b<K/></D>\n<!-- d -->" % tags
    for before in (b"", b"\xef\xbb\xbf", b"<?xml version='1.0' encoding='UTF-8'?>\r\n"):
        assert gate.admit_unparsed(before + document) == before.partition(b"?>")[2].replace(b"\r", b"") + document


@pytest.mark.parametrize(
    "tags",
    [
        b"<Z></z>",
        b"<Z>",
        b"</Z>",
        b"<Z><Y></Z></Y>",
        b"<Z><Y></Z>",
        b"<Z/></Z>",
        b"</D><D>",
        b"</D>",
        b"<D>",
        b"<r>",
        b"</r>",
    ],
)
def test_tags_that_do_not_match_are_found_where_nothing_is_read(tags):
    fast = FastReader(make_ready(PARENT, feed_of(PARENT)))
    documents = [b"<D></D>", b"<D><X>%b</X></D>" % tags, b"<D></D>"]
    assert None not in (admitted := [fast.admit_unparsed(document) for document in documents])
    assert fast.read_unparsed(admitted) is None


@pytest.mark.parametrize(
    ("declaration", "is_plain"),
    [
        (b"<?xml version='1.0'?>", True),
        (b'<?xml version = "1.0"\r\n\tencoding="UTF-8" standalone=\'no\' ?>', True),
        (b"<?xml VERSION='1.0'?>", False),
        (b"<?xml version='1.0' standalone='YES'?>", False),
        (b"<?xml version='1.0'encoding='utf-8'?>", False),
        (b"<?xml version='1.0' standalone='no' encoding='utf-8'?>", False),
        (b"<?xml version='1.0'\x0b?>", False),
        (b"<?xml version='1.0' encoding='latin-1'?>", False),
        (b" <?xml version='1.0'?>", False),
        (b"<?xml version='1.0'?><?xml version='1.0'?>", False),
    ],
)
def test_a_declaration_is_plain_or_looked_at_by_a_parser(declaration, is_plain):
    gate = Gate(make_ready(PARENT, feed_of(PARENT)))
    document = declaration + b"<D></D>"
    assert (gate.admit_unparsed(document) == b"<D></D>", gate.admit(document) is not None) == (is_plain, is_plain)


def test_rows_stay_with_their_members_in_whatever_way_these_are_read():
    usual, commented, broken = b"<D a='%d'></D>", b"<!-- c --><D a='%d'/>", b"<D a='%d'><A></D>"
    forms = [commented, usual, usual, commented, usual, broken, usual]
    rows, summary = read(zip_of(*((str(n), form % n) for n, form in enumerate(forms))), feed_of(PARENT))
    assert {row["_member_index"]: row["c0"] for row in rows["doc"]} == {n: str(n) for n in (0, 1, 2, 3, 4, 6)}
    assert refused(summary) == {5: "member.xml"}


def test_a_usual_document_is_read_fast():
    data = b"""\xef\xbb\xbf<?xml version="1.0" encoding="UTF-8"?>\r\n<!-- a --><D a='1'>\r\n <A b="2">x &amp; y</A>
      <B a="3"><A>b</A></B><Ks><K a="1"><A>k</A><C/></K><K a="2"><C a="4">c</C></K></Ks><Z/></D>"""
    exact, fast, admitted = read_both(RULES["record and children"], [data] * 3)
    assert admitted == 3
    assert as_rows(fast) == exact
    assert exact[0][0] == (0, None, "1", "x & y", "b", "3", "2", "\n \n      ")
    assert exact[1][:2] == [(0, 0, "1", "k", None, None, None), (0, 0, "2", None, "c", "4", None)]


@pytest.mark.parametrize(
    "body",
    [
        b"<D><A/><A>x</A></D>",  # the first one counts, though it is empty
        b"<D><A></A><A>x</A></D>",
        b"<D><A><!-- --></A><A>x</A></D>",
        b"<D><B a='1'/><B a='2'/></D>",
        b"<D><B a=''/><B a='2'/></D>",
        b"<D><B/><B a='2'/></D>",
        b"<D xml:a='1'/>",
        b"<D xmlns='urn:x'/>",
        b"<D xmlns:x='urn:x' x:a='1'/>",
        b"<?xml version='1.0' encoding='latin-1'?><D/>",
        b"<?xml version='1.1'?><D/>",
        "<D/>".encode("utf-16"),
        "<D/>".encode("utf-16-le"),
        b"<!DOCTYPE D><D/>",
        b"<D>" + b"<X>" * 251 + b"</X>" * 251 + b"</D>",
        b"<D a='" + b"x" * 50_000 + b"'/>",
        b"<D/><D/>",
        b"<D>",
        b"",
    ],
)
def test_in_doubt_a_document_is_read_exactly(body):
    rule = make_ready(PARENT, RULES["record and children"])
    assert Gate(rule).admit(body) is None


def test_one_document_that_only_looks_plain_does_not_slow_down_the_others(monkeypatch):
    feed = feed_of(PARENT)
    exactly = []
    monkeypatch.setattr(ExactReader, "read", lambda self, data, member: exactly.append(member) or 1)
    twice = b"<D><A>x</A><A>y</A></D>"
    read(zip_of(*((str(n), twice if n == 5 else b"<D/>") for n in range(20))), feed)
    assert exactly == [5]


@pytest.mark.parametrize(
    "pair",
    [
        (b"<D><A>", b"</A></D>"),
        (b"<D/><!--", b"--><D/>"),
        (b"<D a='1'", b"/>"),
        (b"<D><![CDATA[", b"]]></D>"),
        (b"<D/><?p ", b"?><D/>"),
        (b"<D>", b"<D>"),
    ],
)
def test_broken_documents_cannot_mend_each_other_or_hurt_their_neighbours(pair):
    rows, summary = read(
        zip_of(("0", b"<D a='0'/>"), ("1", pair[0]), ("2", pair[1]), ("3", b"<D a='3'/>")), feed_of(PARENT)
    )
    assert [(row["_member_index"], row["c0"]) for row in rows["doc"]] == [(0, "0"), (3, "3")]
    assert refused(summary) == {1: "member.xml", 2: "member.xml"}


ENTITIES = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(9))
BOMB = f'<!DOCTYPE D [<!ENTITY a0 "aaaaaaaaaa">{ENTITIES}]><D a="&a9;">&a9;</D>'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "cp037", "utf-7"])
def test_entities_are_never_expanded(encoding):
    external = '<!DOCTYPE D [<!ENTITY x SYSTEM "file:///etc/hostname">]><D a="1">&x;</D>'
    for text in (BOMB, external):
        declared = f'<?xml version="1.0" encoding="{encoding}"?>{text}'
        content = zip_of(("0", text.encode(encoding)), ("1", declared.encode(encoding)))
        rows, summary = read(content, feed_of(PARENT))
        assert rows == {}
        assert set(refused(summary).values()) <= {"member.dtd", "member.xml", "member.encoding"}


def test_deep_and_huge_documents_are_refused_or_read_in_time():
    deep = b"<D>" + b"<X>" * 100_000 + b"</X>" * 100_000 + b"</D>"
    wide = b"<D a='" + b"x" * (12 << 20) + b"'/>"
    many = b"<D " + b" ".join(b"a%d='1'" % n for n in range(20_000)) + b"/>"
    rows, summary = read(zip_of(("0", deep), ("1", wide), ("2", many), ("3", b"<D/>")), feed_of(PARENT, limits=WIDE))
    assert refused(summary) == {0: "member.xml", 1: "member.xml"}
    assert {row["_member_index"] for row in rows["doc"]} == {2, 3}


@pytest.mark.parametrize("rule", sorted(RULES))
def test_large_member_is_read_as_a_stream_with_the_same_rows(rule, monkeypatch):
    records = b"".join(b"<E><A a='%d'>t</A><B><C>c</C></B><i><A>no</A></i></E> tail <X/>" % n for n in range(50))
    kids = b"<Ks>%s</Ks>" % b"".join(b"<K a='%d'/>" % n for n in range(30))
    content = zip_of(("a", b"<?xml version='1.0'?><!-- <D/> --><D a='9'>" + records + kids + b"</D>"))
    small = read(content, RULES[rule])
    monkeypatch.setattr("spark_jobs.formats.text.LARGE", 0)
    monkeypatch.setattr("spark_jobs.formats.xml_large.ROWS_AT_ONCE", 7)
    assert read(content, RULES[rule]) == small


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"<D><E/><E></D>", "member.xml"),
        (b"<!DOCTYPE D><D><E/></D>", "member.dtd"),
        (b"<D><E>\xff</E></D>", "member.encoding"),
        (b"<D><X/></D>", "member.empty"),
        (b"<D><E>" + b"<A>12345</A>" * 200 + b"</E></D>", "member.too_large"),
    ],
)
def test_large_member_has_rows_or_is_refused(data, rule, monkeypatch):
    monkeypatch.setattr("spark_jobs.formats.text.LARGE", 0)
    monkeypatch.setattr("spark_jobs.formats.xml_large.LONGEST_RECORD", 1000)
    rows, summary = read(zip_of(("a", data)), RULES["many records"])
    assert (rows, refused(summary)) == ({}, {0: rule})
