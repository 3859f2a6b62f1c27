"""The one family of errors that Carelake raises on purpose."""


class LakeError(Exception):
    """Something a person can act on: where it is, what was expected, what to do next.

    The texts must never hold a value from the data: name the table, column, rule and count instead.
    """

    def __init__(self, where: str, problem: str, hint: str = "") -> None:
        super().__init__(f"{where}: {problem}" + (f"\n  {hint}" if hint else ""))
        self.where, self.problem, self.hint = where, problem, hint


class RuleError(LakeError):
    """Rule rows or a rule YAML that cannot be used as they are."""


class ArchiveError(LakeError):
    """A zip, or one of its members, that cannot be opened safely; `rule` names the limit or defect."""

    def __init__(self, rule: str, problem: str) -> None:
        super().__init__(rule, problem)
        self.rule = rule


class MemberError(LakeError):
    """A member that cannot be parsed as its rule says; `rule` names what was broken."""

    def __init__(self, rule: str, problem: str) -> None:
        super().__init__(rule, problem)
        self.rule = rule


class LakeInUseError(LakeError):
    """Another process has the lake; `has_endpoint` says whether that process serves questions, or will in a moment."""

    def __init__(self, where: str, problem: str, hint: str, has_endpoint: bool = False) -> None:
        super().__init__(where, problem, hint)
        self.has_endpoint = has_endpoint
