"""Members by how they are read: a draft of a member rule for each kind, every column still text."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from spark_jobs.inference.names import safe
from spark_jobs.inference.peek import Peeked, Samples
from spark_jobs.inference.text import SAME_HEADER, TITLE, decode, text_layout
from spark_jobs.inference.xml import Structure, xml_rules
from spark_jobs.rules.model import Member

LIKELY_MISTAKE = 0.05  # share of the members of a kind below which another layout is not worth a rule
RARE_KIND, MANY = 0.02, 100  # share of so many members below which a kind is not worth a rule
MARKUP = b"<"
SINGULAR = re.compile(r"(?<![ius])s$")


@dataclass(frozen=True)
class Draft:
    """A member rule and its children, with text columns alone, and what a person should decide."""

    rule: Member
    children: tuple[Member, ...] = ()
    doubts: tuple[str, ...] = ()


def drafts(samples: Samples, feed: str) -> list[Draft]:
    """A draft for every layout seen; what none takes is noted in `samples`."""
    found: list[Draft] = []
    every = sum(map(len, samples.members.values()))
    for kind, peeked in sorted(samples.members.items(), key=lambda item: -len(item[1])):
        if every >= MANY and len(peeked) < RARE_KIND * every:
            samples.notes.append(f"{len(peeked)} of {every} members are *{kind}, too few to be worth a rule")
            continue
        binary = [
            one for one in peeked if b"\0" in one.data[:4096] and not one.data.startswith((b"\xff\xfe", b"\xfe\xff"))
        ]
        if len(binary) > len(peeked) / 2:
            if kind:
                samples.litter[f"*{kind}"] += len(peeked)
            else:
                samples.notes.append(f"{len(peeked)} members without extension are no text, and no rule takes them")
            continue
        rest = [one for one in peeked if one not in binary]
        groups = [*_xml_groups(rest), *_text_groups(rest, kind, feed)]
        lost = len(peeked) - sum(len(members) for members, _ in groups)
        kept = [group for group in groups if len(group[0]) > LIKELY_MISTAKE * len(peeked)]
        lost += sum(len(members) for members, _ in groups) - sum(len(members) for members, _ in kept)
        if lost:
            samples.notes.append(f"{lost} members *{kind} fit no rule: they can't be read, or look like mistakes")
        found += _told_apart(kept, kind, samples)
    found.sort(key=lambda draft: draft.rule.pattern == "*")  # it takes what no other does
    return [_renamed(draft, place, found) for place, draft in enumerate(found)]


def _xml_groups(peeked: Sequence[Peeked]) -> list[tuple[list[Peeked], Draft]]:
    structures: dict[str, Structure] = {}
    members: dict[str, list[Peeked]] = defaultdict(list)
    for one in peeked:
        if not one.data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(MARKUP):
            continue
        probe = Structure()
        root = probe.add(one.data, one.cut)
        if root is not None:
            structures.setdefault(root, Structure()).add(one.data, one.cut)
            members[root].append(one)
    groups = []
    for root, structure in structures.items():
        rule, children, doubts = xml_rules(structure, root)
        if rule.columns:
            groups.append((members[root], Draft(rule, tuple(children), tuple(doubts))))
    return groups


def _text_groups(peeked: Sequence[Peeked], kind: str, feed: str) -> Iterator[tuple[list[Peeked], Draft]]:
    left = [one for one in peeked if not one.data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(MARKUP)]
    decoded = {id(one): decode(one.data) for one in left}
    for some in _by_first_line(left, decoded):
        layout = text_layout([decoded[id(one)][0] for one in some], kind == ".csv")
        if layout is None:
            continue
        encodings = [decoded[id(one)][1] for one in some]
        encoding = max(set(encodings), key=encodings.count)
        doubts = list(layout.doubts)
        if encoding != "utf-8":
            doubts.append(f"the text is no UTF-8, so it is taken for {encoding}: which encoding is it?")
        rule = replace(layout.rule, member=safe(SINGULAR.sub("", feed), fallback="row"), encoding=encoding)
        yield some, Draft(rule, doubts=tuple(doubts))


def _by_first_line(peeked: Sequence[Peeked], decoded: dict[int, tuple[str, str]]) -> list[list[Peeked]]:
    """Members whose first lines share words, as headers do; those whose first line is data are together."""
    groups: list[tuple[frozenset[str], list[Peeked]]] = []
    for one in peeked:
        words = _words(decoded[id(one)][0])
        for known, members in groups:
            if words == known or len(words & known) > SAME_HEADER * max(1, min(len(known), len(words))):
                members.append(one)
                break
        else:
            groups.append((words, [one]))
    return [members for _, members in groups]


def _words(text: str) -> frozenset[str]:
    """The names in the first line, none if it is data."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    words = {word.strip(' "').lower() for word in re.split(r"[,;|\t^~]", first)}
    return frozenset(words) if all(TITLE.fullmatch(word) for word in words) else frozenset()


def _told_apart(groups: Sequence[tuple[list[Peeked], Draft]], kind: str, samples: Samples) -> Iterator[Draft]:
    """Drafts with globs: by extension where there is one layout, else by how the names begin."""
    glob = f"*{kind}" if kind else "*"
    if len(groups) == 1:
        yield replace(groups[0][1], rule=replace(groups[0][1].rule, pattern=glob))
        return
    for members, draft in groups:
        others = [_base(one) for group, _ in groups if group is not members for one in group]
        prefix = _prefix(members)
        is_shared = len(samples.zips) == 1 or len({one.zip_number for one in members}) > 1
        if prefix and is_shared and not any(name.startswith(prefix) for name in others):
            doubts = (*draft.doubts, "do the names of these members begin so in every zip? They must name no patient")
            rule = replace(draft.rule, pattern=f"{prefix}*{kind}")
            yield replace(draft, rule=_named_by(rule, prefix), doubts=doubts)
        else:
            samples.notes.append(f"{len(members)} members {glob} have a layout of their own, but no name that tells")


def _named_by(rule: Member, prefix: str) -> Member:
    """A text rule called by how the names of its members begin; an XML one has the name of its record."""
    return rule if rule.format == "xml" else replace(rule, member=safe(prefix, fallback="row"))


def _prefix(members: Sequence[Peeked]) -> str:
    """The letters that names begin with; of a single member those up to the first digit or separator."""
    names = [_base(one) for one in members]
    same = next((n for n, some in enumerate(zip(*names, strict=False)) if len(set(some)) > 1), min(map(len, names)))
    common = names[0][:same]
    letters = "".join(c if c.isalpha() else " " for c in common.removesuffix(members[0].kind)).split(" ")[0]
    return letters if len(letters) > 1 else ""


def _base(one: Peeked) -> str:
    return PurePosixPath(one.name).name.lower()


def _renamed(draft: Draft, place: int, every: Sequence[Draft]) -> Draft:
    """The draft with a position, and a name that none before it has."""
    taken = [rule.member for other in every[:place] for rule in (other.rule, *other.children)]
    name = safe(draft.rule.member, taken)
    children = tuple(replace(child, parent=name, member=safe(child.member, [*taken, name])) for child in draft.children)
    return replace(draft, rule=replace(draft.rule, member=name), children=children)
