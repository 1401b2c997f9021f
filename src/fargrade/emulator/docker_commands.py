"""Docker's command line, as much of it as the course's docker knows: words, flags and options with values."""

from __future__ import annotations

from dataclasses import dataclass, field

# Other spellings of the same command.
SAME = {
    ("buildx", "build"): "build",
    ("builder", "build"): "build",
    ("image", "build"): "build",
    ("image", "tag"): "tag",
    ("image", "push"): "push",
    ("image", "ls"): "images",
    ("image", "list"): "images",
    ("image", "inspect"): "inspect",
    ("image", "rm"): "rmi",
    ("buildx", "version"): "version",
    ("buildx", "create"): "version",
    ("buildx", "use"): "version",
    ("buildx", "ls"): "version",
    ("info",): "version",
    ("--version",): "version",
    ("-v",): "version",
}
SHORT = {
    "login": {"u": "username", "p": "password"},
    "build": {"t": "tag", "f": "file", "q": "quiet"},
    "push": {"a": "all-tags", "q": "quiet"},
    "images": {"q": "quiet", "a": "all", "f": "filter"},
    "inspect": {"f": "format"},
    "rmi": {"f": "force"},
}
WITH_VALUE = {
    "login": {"username", "password"},
    "build": {
        *("tag", "file", "platform", "build-arg", "label", "target", "cache-from", "cache-to", "iidfile", "network"),
        *("progress", "output", "provenance", "sbom", "secret", "ssh", "builder", "build-context", "metadata-file"),
    },
    "images": {"filter", "format"},
    "inspect": {"format", "type"},
    "version": {"name", "driver", "format", "platform"},
}
FLAGS = {
    "login": {"password-stdin"},
    "build": {"quiet", "push", "load", "no-cache", "pull", "rm", "force-rm"},
    "push": {"all-tags", "quiet"},
    "images": {"quiet", "all", "no-trunc"},
    "rmi": {"force", "no-prune"},
    "version": {"use", "bootstrap"},
}
KNOWN = {"login", "logout", "build", "tag", "push", "images", "inspect", "rmi", "version"}


class UsageProblem(Exception):
    """The command cannot be understood; `exit` is what docker exits with."""

    def __init__(self, message: str, status: int = 125) -> None:
        super().__init__(message)
        self.exit = status


@dataclass(frozen=True)
class Arguments:
    """A command, its words, its flags and its options' values in order."""

    command: str
    words: tuple[str, ...] = ()
    flags: frozenset[str] = frozenset()
    options: dict[str, list[str]] = field(default_factory=dict)

    def values(self, name: str) -> list[str]:
        return self.options.get(name, [])

    def value(self, name: str) -> str:
        """The last value given, as docker takes it; "" where none was."""
        return self.values(name)[-1] if self.values(name) else ""


def arguments(argv: list[str]) -> Arguments:
    """Read docker's arguments (without the program's name). Raises UsageProblem."""
    if not argv:
        raise UsageProblem("Usage:  docker [OPTIONS] COMMAND", 0)
    command, rest = _command(argv)
    words: list[str] = []
    flags: set[str] = set()
    options: dict[str, list[str]] = {}
    while rest:
        word = rest.pop(0)
        if not word.startswith("-") or word == "-":
            words.append(word)
            continue
        name, given, value = _named(command, word)
        if name in WITH_VALUE.get(command, set()):
            if not given and not rest:
                raise UsageProblem(f"flag needs an argument: {word}")
            options.setdefault(name, []).append(value if given else rest.pop(0))
        elif name in FLAGS.get(command, set()):
            if value != "false":
                flags.add(name)
        else:
            raise UsageProblem(f"unknown flag: {word} (the course's docker does not know it for {command})")
    return Arguments(command, tuple(words), frozenset(flags), options)


def _command(argv: list[str]) -> tuple[str, list[str]]:
    for length in (2, 1):
        if same := SAME.get(tuple(argv[:length])):
            return same, list(argv[length:])
    if argv[0] in KNOWN:
        return argv[0], list(argv[1:])
    raise UsageProblem(
        f"docker: '{argv[0]}' is not a command of the course's docker, which knows login, logout, build, tag, push, "
        "images, inspect, rmi and version",
        1,
    )


def _named(command: str, word: str) -> tuple[str, bool, str]:
    """(option, whether a value came with it, value) of --name, --name=value, -n, -nvalue."""
    if word.startswith("--"):
        name, given, value = word[2:].partition("=")
        return name, bool(given), value
    short = SHORT.get(command, {}).get(word[1:2], word[1:2])
    rest = word[2:].removeprefix("=")
    return short, bool(rest), rest
