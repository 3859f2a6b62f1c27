"""From sample zips to a feed and its target tables, as far as that is possible without a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa

from spark_jobs.errors import LakeError
from spark_jobs.inference.columns import Read, read_samples, refused_by_type, texts
from spark_jobs.inference.keys import Key, find_key, version_key
from spark_jobs.inference.layout import Draft, drafts
from spark_jobs.inference.names import ZipNames, safe, snake, zip_names
from spark_jobs.inference.peek import Samples, peek
from spark_jobs.inference.privacy import guess_phi, is_version_time
from spark_jobs.inference.values import Guess, guess
from spark_jobs.rules.model import Column, Feed, Finding, Limits, Member, TargetTable
from spark_jobs.rules.validate import check_feed, check_target

ORDERED = ("timestamp", "date")
# Samples are a person's own, but zips all the same: more members than any honest sample has are refused.
LIMITS = Limits()


@dataclass
class Proposal:
    """Rules to be edited. `comments` holds questions and evidence by (member or target, column; empty for the whole).

    `notes` say what was not looked at, `findings` what `feed check` would say, `refused` how many sample rows of each
    member rule the rules would refuse. None of them holds a value of the data.
    """

    feed: Feed
    targets: dict[str, TargetTable]
    comments: dict[tuple[str, str], str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)


def propose(paths: Sequence[Path], feed: str | None = None) -> Proposal:
    """Rules for zips like these, all of one feed; `feed` is its name, by default that of the folder they are in.

    Raises LakeError where no sample can be read, or nothing in them can be told to be data.
    """
    name = safe(feed or paths[0].resolve().parent.name, fallback="feed")
    samples = peek(paths, LIMITS)
    found = drafts(samples, name)
    if not found:
        problem = "no member is XML, delimited or fixed-width text with columns that can be seen"
        raise LakeError("lake feed infer", problem, "; ".join(samples.notes) or "Write the rules by hand.")
    names = zip_names([path.name for path in samples.zips], name)
    return _Inference(samples, found, _feed(name, names, _rules(samples, found)), names).proposal()


def _feed(name: str, names: ZipNames, members: tuple[Member, ...]) -> Feed:
    return Feed(
        feed=name,
        revision=1,
        landing_folder=name,
        name_pattern=names.pattern,
        members=members,
        extract_part=names.extract_part,
        extract_format=names.extract_format,
        limits=LIMITS,
    )


def _rules(samples: Samples, found: Sequence[Draft]) -> tuple[Member, ...]:
    """What is to be ignored, then the drafts, parents before their children."""
    taken = [rule.member for draft in found for rule in (draft.rule, *draft.children)]
    rules: list[Member] = []
    for glob in samples.litter:
        name = safe(f"ignored_{snake(glob)}", [*taken, *(rule.member for rule in rules)])
        rules.append(Member(name, action="ignore", pattern=glob))
    rules += [rule for draft in found for rule in (draft.rule, *draft.children)]
    return tuple(
        replace(rule, position=place, target=rule.member if rule.action == "read" else None)
        for place, rule in enumerate(rules, 1)
    )


class _Inference:
    """The proposal in the making."""

    def __init__(self, samples: Samples, found: Sequence[Draft], feed: Feed, names: ZipNames) -> None:
        self.samples, self.feed = samples, feed
        self.targets: dict[str, TargetTable] = {}
        self.comments: dict[tuple[str, str], str] = {}
        for draft in found:
            self.comments[draft.rule.member, ""] = "; ".join(draft.doubts)
        self._question_names(names)
        self._question_ignored()

    def proposal(self) -> Proposal:
        """Types and keys of parents, then of children, which have their parents' keys; then a look at the result."""
        read = read_samples(self.samples.zips, self.feed, {})
        for member in self.feed.readers:
            if member.parent is None:
                self._settle(member, read)
        if any(member.parent for member in self.feed.readers):
            read = read_samples(self.samples.zips, self._with_parent_keys(), {})
            for member in self.feed.readers:
                if member.parent is not None:
                    self._settle(member, read)
        self._drop_unread()
        notes = [*self.samples.notes]
        if read.enough:
            notes.append("the samples hold more rows than were looked at: types and keys are those of the first ones")
        if read.refused_members:
            notes.append(f"{read.refused_members} of {read.members} members would be quarantined as a whole")
        findings = [*check_feed(self.feed, self.targets)]
        findings += [finding for target in self.targets.values() for finding in check_target(target)]
        comments = {place: text for place, text in self.comments.items() if text}
        refused = refused_by_type(read, self.feed)
        refused = {name: count + read.refused_rows[name] for name, count in refused.items()}
        rows = {name: len(table) + read.refused_rows[name] for name, table in read.tables.items()}
        return Proposal(self.feed, self.targets, comments, notes, findings, refused, rows)

    def _question_ignored(self) -> None:
        for member in self.feed.members:
            if member.action == "ignore" and member.pattern != "__MACOSX/*":
                count = self.samples.litter[member.pattern or ""]
                self.comments[member.member, ""] = f"{count} members: is there nothing to be read from them?"

    def _question_names(self, names: ZipNames) -> None:
        doubts = [] if names.is_certain else ["the names of the samples differ: write the pattern that they follow"]
        if len(self.samples.zips) == 1:
            doubts.append("seen on one zip: which parts of its name vary?")
        if any(part.startswith("part_") for part in names.parts):
            doubts.append("what are the parts part_1, ...? Name them; columns read them as $name.<part>")
        if names.extract_part is None:
            doubts.append("no part of the name was seen to be a time: zips are ordered by when they land")
        self.comments["", "name_pattern"] = "; ".join(doubts)
        if names.extract_part:
            self.comments["", "extract_time"] = "which time zone? UTC if none is said"

    def _with_parent_keys(self) -> Feed:
        """The feed whose children have the key and the time of version of their parent, in front."""
        members = {member.member: member for member in self.feed.members}
        for member in self.feed.readers:
            parent = members.get(member.parent or "")
            if parent is None or parent.target not in self.targets:
                continue
            target = self.targets[parent.target]
            wanted = dict.fromkeys([*target.record_key, *([target.order_by] if target.order_by else [])])
            columns = {column.name: column for column in parent.columns}
            own = list(member.columns)
            for place, name in enumerate(wanted):
                clash = next((c for c in own if c.name == name), None)
                if clash is not None:
                    own[own.index(clash)] = replace(clash, name=safe(f"own_{name}", [c.name for c in own]))
                own.insert(place, replace(columns[name], source=f"$parent.{name}", required=False))
            members[member.member] = replace(member, columns=tuple(own))
        self.feed = replace(self.feed, members=tuple(members.values()))
        plain = {
            name: replace(
                member,
                columns=tuple(
                    replace(c, type="string", format=None, null_tokens=(), required=False) for c in member.columns
                ),
            )
            for name, member in members.items()
        }
        return replace(self.feed, members=tuple(plain.values()))

    def _settle(self, member: Member, read: Read) -> None:
        """Gives a member rule its types and its target table its key."""
        table = read.tables.get(member.member)
        if table is None or not len(table):
            return
        guesses = {column.name: guess(texts(table, column.name), column.name) for column in member.columns}
        inherited = [c.name for c in member.columns if (c.source or "").startswith("$parent.")]
        parent = self.targets.get(self._member(member.parent).target or "") if member.parent else None
        order_by = parent.order_by if parent else _version_time(guesses)
        if parent is not None:
            key = self._child_key(table, guesses, inherited, parent, member.member)
        else:
            key = version_key(table, guesses, member.member, order_by)
        self.targets[member.target or ""] = TargetTable(member.target or "", 1, key.columns, order_by=order_by)
        self._question_target(member, key, order_by, guesses, inherited)
        needed = {*key.columns, *([order_by] if order_by else [])}
        columns = tuple(self._typed(member, column, guesses[column.name], needed) for column in member.columns)
        members = (replace(m, columns=columns) if m.member == member.member else m for m in self.feed.members)
        self.feed = replace(self.feed, members=tuple(members))

    @staticmethod
    def _child_key(
        table: pa.Table, guesses: Mapping[str, Guess], inherited: list[str], parent: TargetTable, thing: str
    ) -> Key:
        """The parent's key and what tells its children apart; in versions of the parent they come again."""
        own = {name: guess for name, guess in guesses.items() if name not in inherited}
        versions = [parent.order_by] if parent.order_by else []
        key = find_key(
            table, {**{name: guesses[name] for name in inherited}, **own}, thing, (*parent.record_key, *versions)
        )
        return Key(tuple(name for name in key.columns if name not in versions), key.is_unique, key.evidence)

    def _typed(self, member: Member, column: Column, guess: Guess, needed: set[str]) -> Column:
        name = column.name
        required = name in needed or guess.never_null
        doubts = [guess.doubt] if guess.doubt else []
        if guess.misfits:
            doubts.append(f"{guess.misfits} of {guess.filled} values are none of its type and would be quarantined")
        if guess.null_tokens:
            doubts.append("do these tokens mean null?")
        if required and guess.filled < guess.rows:
            doubts.append(f"{guess.rows - guess.filled} of {guess.rows} rows lack it and would be quarantined")
        if (column.source or "").startswith("$parent."):
            doubts = []
        self.comments[member.member, name] = "; ".join(doubts)
        return replace(
            column,
            type=guess.type,
            format=guess.format,
            null_tokens=guess.null_tokens if guess.type != "string" else (),
            required=required,
            phi=guess_phi(name, guess),
        )

    def _question_target(
        self, member: Member, key: Key, order_by: str | None, guesses: Mapping[str, Guess], inherited: list[str]
    ) -> None:
        target = member.target or ""
        self.comments[target, "record_key"] = ("" if key.is_unique else "TODO: ") + key.evidence
        times = [name for name, guess in guesses.items() if guess.type in ORDERED and name not in inherited]
        if order_by is None:
            text = f" Candidates: {', '.join(times)}." if times else ""
            self.comments[target, "no order_by"] = f"order_by: which column says when a row was last changed?{text}"
        elif not inherited and len(times) > 1:
            self.comments[target, "order_by"] = (
                f"TODO: is it? Other times: {', '.join(t for t in times if t != order_by)}"
            )

    def _drop_unread(self) -> None:
        """Leaves out rules of which no row was read: nothing can be said of their columns."""
        kept = [m for m in self.feed.members if m.action == "ignore" or m.target in self.targets]
        kept = [m for m in kept if m.parent is None or any(p.member == m.parent for p in kept)]
        for member in self.feed.members:
            if member not in kept:
                self.samples.notes.append(f"member rule {member.member} was left out: no row could be read by it")
        if not any(member.action == "read" for member in kept):
            raise LakeError("lake feed infer", "no row could be read from the samples", "; ".join(self.samples.notes))
        self.feed = replace(self.feed, members=tuple(replace(m, position=n) for n, m in enumerate(kept, 1)))

    def _member(self, name: str | None) -> Member:
        return next(member for member in self.feed.members if member.member == name)


def _version_time(guesses: Mapping[str, Guess]) -> str | None:
    """The time that says which version of a row is newest, if a name says so."""
    times = [n for n, g in guesses.items() if g.type in ORDERED and (g.never_null or g.mostly_filled)]
    named = [name for name in times if is_version_time(name)]
    return named[-1] if named else times[0] if len(times) == 1 and guesses[times[0]].type == "timestamp" else None
