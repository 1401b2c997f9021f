"""The models' patterns as Python can check them: translated, or left out with a reason, never silently wrong.

Service models are written for AWS's own engine (Java's), which matches the whole value. Python differs in the
classes it knows, and Python's engine backtracks: a pattern that a learner's value could keep busy for hours is
replaced by one that accepts the same texts in bounded time.
"""

from __future__ import annotations

import re
import warnings
from functools import lru_cache

# Longer values are not matched: no model's pattern guards a text of this size, and time must stay bounded.
LONGEST = 20_000

# Classes that Java knows and Python does not, by what they hold (inside a class, where the models use them).
SEPARATORS = " \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000"
TRANSLATED = (
    (r"\p{L}", r"\w"),  # \w adds digits and _, which every such class of the models holds anyway
    (r"\p{N}", r"\d"),
    (r"\p{Z}", SEPARATORS),
    (r"\w-_", r"\w\-_"),  # Java reads a dash after a class as a dash
    (r"\w-\/", r"\w\-/"),
    (r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF"),  # surrogate pairs: Java's strings are UTF-16
    (r"\uE000-\uFFFD", r"\uE000-\uFFFD"),
)

# The same texts in bounded time: the model's own backtracks exponentially.
BOUNDED = {
    # ecr ScanningRepositoryFilterValue: no two separators in a row, none at the ends.
    r"^[a-z0-9*](?:[._\-/a-z0-9*]?[a-z0-9*]+)*$": r"[a-z0-9*](?:[._\-/]?[a-z0-9*])*",
    # events AuthHeaderParameters and HeaderValue: blanks inside, something visible somewhere.
    r"^[ \t]*[^\x00-\x1F:\x7F]+([ \t]+[^\x00-\x1F:\x7F]+)*[ \t]*$": (
        r"[ \t]*[^\x00-\x1F:\x7F][^\x00-\x08\x0A-\x1F:\x7F]*"
    ),
    r"^[ \t]*[\x20-\x7E]+([ \t]+[\x20-\x7E]+)*[ \t]*$": r"[ \t]*[\x20-\x7E][\x20-\x7E\t]*",
}

# Not enforced, each with why.
LEFT_OUT = {
    # ec2 PlacementGroupArn has a `^` in its middle, which nothing can match.
    r"^arn:aws([a-z-]+)?:ec2:[a-z\d-]+:\d{12}:placement-group/^.{1,255}$",
    # Unicode categories that Python has no class for; lengths still hold.
    r"\p{Print}+",
    r"[\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}]+",
    r"^([\p{L}\p{Z}\p{N}\p{P}\p{M}]*)$",
}


@lru_cache(maxsize=4096)
def compiled(source: str) -> re.Pattern[str] | None:
    """The pattern to `search` a value with; None where the model has none, or none that can be checked.

    A pattern anchored at one end only is taken at its word; any other must match the whole value.
    """
    if not source or source in LEFT_OUT:
        return None
    text = BOUNDED.get(source, source)
    for theirs, ours in TRANSLATED:
        text = text.replace(theirs, ours)
    one_end = source.startswith("^") != source.endswith("$")
    with warnings.catch_warnings():
        # A set operation of Java's (`&&`) would compile to something else here.
        warnings.simplefilter("error", FutureWarning)
        try:
            return re.compile(text if one_end else rf"\A(?:{text})\Z")
        except (re.error, FutureWarning):
            return None


def satisfied(pattern: re.Pattern[str], value: str) -> bool:
    """Whether `value` is what the pattern asks for."""
    return len(value) > LONGEST or pattern.search(value) is not None
