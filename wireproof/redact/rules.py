"""What a user wants masked: a policy, and names and kinds of data beside it, or but for it.

One object of these goes to all that masks: packets, records, exports and reports.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

from .found import FoundSecrets
from .patterns import Patterns, patterns
from .personal import PERSONAL_FIELD
from .secrets import Policy

NAME = re.compile(r"[\w:.-]+", re.ASCII)
"""What is the name of a field, a parameter or a key, and no expression of what is secret."""
NEEDS_CONTENT = "it looks into content, which only redaction of everything does"
IS_MASKED = "all content is masked: no name says what of it"


@dataclass(frozen=True)
class Rules:
    """What is masked."""

    policy: Policy = "headers"
    keep: frozenset[str] = frozenset()
    """Names, in lower case, whose values stay."""
    names: tuple[str, ...] = ()
    """Names, in lower case, whose values are masked."""
    expressions: tuple[str, ...] = ()
    """Expressions of what is masked wherever it stands."""
    is_personal: bool = field(default=False, kw_only=True)
    """Whether what says who and where somebody is is masked too."""
    known: FoundSecrets | None = field(default=None, kw_only=True, compare=False)
    """Secrets that were found before, which are masked wherever they stand."""

    @classmethod
    def of(cls, policy: Policy | Rules) -> Rules:
        """Return rules as they are, and a policy as those that say nothing more."""
        return policy if isinstance(policy, Rules) else cls(policy)

    @classmethod
    def wanted(
        cls, policy: Policy, keep: Iterable[str], mask: Iterable[str], *, is_personal: bool
    ) -> Rules:
        """Return the rules of options: what to mask is a name, or else an expression.

        Raises ValueError for an expression that is none, for one that matches nothing at all, and
        for a policy that looks into no content, or leaves none to be looked into.
        """
        names = tuple(one.lower() for one in mask if NAME.fullmatch(one))
        expressions = tuple(one for one in mask if not NAME.fullmatch(one))
        kept = frozenset(map(str.lower, keep))
        if policy == "structure" and (kept or names or expressions or is_personal):
            raise ValueError(IS_MASKED)
        if policy != "all" and (expressions or is_personal):
            raise ValueError(NEEDS_CONTENT)
        for expression in expressions:
            try:
                is_empty = re.compile(expression).match("") is not None
            except re.error as error:
                raise ValueError(f"{expression!r} is not a regular expression: {error}") from error
            if is_empty:
                raise ValueError(f"{expression!r} matches an empty text too")
        return cls(policy, kept, names, expressions, is_personal=is_personal)

    def __str__(self) -> str:
        said: list[str] = [self.policy]
        said += [f"kept {name}" for name in sorted(self.keep)]
        said += [f"masked {one}" for one in (*self.names, *self.expressions)]
        return ", ".join(said + ["personal data masked"] * self.is_personal)

    @property
    def is_thorough(self) -> bool:
        """Whether contents are looked into."""
        return self.policy == "all"

    @cached_property
    def patterns(self) -> Patterns:
        found = patterns(self.keep, self.names, self.expressions, self.is_personal)
        return found if self.known is None else replace(found, known=self.known)

    def masks_field(self, name: str) -> bool:
        """Return whether the value of a field with this name, in lower case, is masked whole."""
        is_personal = self.is_personal and PERSONAL_FIELD.fullmatch(name) is not None
        return name in self.names or is_personal
