"""Mermaid flowcharts as people write them, as a graph. Reference: mermaid.js.org/syntax/flowchart.html."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

from fargrade.semantics.diagram.graph import DiagramError, Edge, Graph
from fargrade.semantics.texts import t

FENCE = re.compile(r"^[ \t]*(?:```|~~~)\s*mermaid[^\n]*\n(.*?)^[ \t]*(?:```|~~~)", re.S | re.M)
FRONT_MATTER = re.compile(r"\A\s*---[ \t]*\n.*?^---[ \t]*$", re.S | re.M)
HEADER = re.compile(r"(?:graph|flowchart(?:-elk)?)\b[ \t]*(TB|TD|BT|RL|LR|[><^v])?", re.I)
OTHER_DIAGRAMS = re.compile(
    r"(sequence|class|state|er|requirement)Diagram|journey|gantt|pie|mindmap|timeline|gitGraph|quadrantChart|C4\w+|kanban"
    r"|(sankey|xychart|block|packet|architecture)-beta",
)
SKIPPED = re.compile(r"(?:classDef|class|style|linkStyle|click|accTitle|accDescr|direction|title)\b", re.I)
NODE_ID = re.compile(r"[^\W]+(?:[-./:](?=\w)\w+)*", re.U)
CLASS_SUFFIX = re.compile(r":::[\w-]+")
EDGE_ID = re.compile(r"\w+@(?=[<ox]?[-=~])")
LINK = re.compile(
    r"(?P<invisible>~{3,})"
    r"|(?P<tail>[<ox]?)(?:-{2,}(?P<head1>[>ox])|-{3,}|={2,}(?P<head2>[>ox])|={3,}|-\.+-(?P<head3>[>ox]?))"
)
TEXT_LINK = re.compile(
    r"(?P<tail>[<ox]?)(?:"
    r"--(?![->])\s*(?P<text1>.+?)\s*-{2,}(?P<head1>[>ox-])"
    r"|==(?![=>])\s*(?P<text2>.+?)\s*={2,}(?P<head2>[>ox=])"
    r"|-\.(?![-.])\s*(?P<text3>.+?)\s*\.+-(?P<head3>[>ox]?))"
)
PIPE_TEXT = re.compile(r"\|([^|]*)\|")
SHAPES = (
    ("(((", (")))",)),
    ("([", ("])",)),
    ("[[", ("]]",)),
    ("[(", (")]",)),
    ("((", ("))",)),
    ("{{", ("}}",)),
    ("[/", ("/]", "\\]")),
    ("[\\", ("\\]", "/]")),
    ("[", ("]",)),
    ("(", (")",)),
    ("{", ("}",)),
    (">", ("]",)),
)
ICON = re.compile(r"\bfa[bsrldk]?:fa-([\w-]+)")


@dataclass
class _Open:
    """The groups that are open where a statement stands."""

    stack: list[str]


def parse_mermaid(text: str) -> Graph:
    """The flowchart in `text` (bare, or the first mermaid block of a Markdown file). Raises DiagramError."""
    text = text.replace("\r\n", "\n").removeprefix("\ufeff")
    fenced = FENCE.search(text)
    before = text[: fenced.start(1)].count("\n") if fenced else 0
    body = fenced[1] if fenced else text
    matter = FRONT_MATTER.match(body)
    if matter:
        before += body[: matter.end()].count("\n")
        body = body[matter.end() :]
    graph = Graph()
    opened = _Open([])
    started = False
    for number, statement in _statements(body, before + 1):
        if not started:
            statement = _after_header(statement, number)
            started = True
        if statement:
            _read(graph, statement, number, opened)
    if not started:
        raise DiagramError(0, t("there is no diagram: begin with `flowchart LR`"))
    if opened.stack:
        raise DiagramError(0, t("the subgraph {name} has no `end`"), name=opened.stack[-1])
    for group in graph.groups:
        graph.nodes.pop(group, None)
    return graph


def _statements(body: str, first: int) -> list[tuple[int, str]]:
    """The statements with their line numbers: split at ends of lines and semicolons outside of quotes and shapes."""
    found: list[tuple[int, str]] = []
    part, quoted, depth = "", False, 0
    line = begun = first
    for character in body + "\n":
        if character == '"':
            quoted = not quoted
        elif not quoted and character in "[({":
            depth += 1
        elif not quoted and character in "])}":
            depth = max(0, depth - 1)
        ends = (character == "\n" and not (quoted and depth)) or (character == ";" and not quoted and not depth)
        if ends:
            stripped = part.strip()
            if stripped and not stripped.startswith("%%"):
                found.append((begun, stripped))
            part, depth = "", 0
            quoted = False
        else:
            part += character
        if character == "\n":
            line += 1
        if ends:
            begun = line
    return found


def _after_header(statement: str, line: int) -> str:
    header = HEADER.match(statement)
    if header:
        return statement[header.end() :].strip()
    word = statement.split()[0]
    if OTHER_DIAGRAMS.match(word):
        raise DiagramError(line, t("this is a {word}; draw a flowchart (`flowchart LR`)"), word=word)
    raise DiagramError(line, t("a flowchart begins with `flowchart LR` (or `graph LR`)"))


def _read(graph: Graph, statement: str, line: int, opened: _Open) -> None:
    word = statement.split()[0].lower()
    if word == "subgraph":
        _open_group(graph, statement[len("subgraph") :].strip(), line, opened)
    elif statement == "end":
        if not opened.stack:
            raise DiagramError(line, t("`end` closes a subgraph, and none is open"))
        opened.stack.pop()
    elif not SKIPPED.match(statement) or LINK.search(statement):
        _Chain(graph, statement, line, tuple(opened.stack)).read()


def _open_group(graph: Graph, rest: str, line: int, opened: _Open) -> None:
    found = re.fullmatch(r"([^\s\[]+)\s*\[(.*)\]", rest, re.S)
    if found:
        name, title = found[1], clean(found[2])
    else:
        title = clean(rest) or f"group at line {line}"
        name = rest.strip() if re.fullmatch(r"\S+", rest.strip()) else title
    graph.groups[name] = title
    graph.group_parents[name] = tuple(opened.stack)
    opened.stack.append(name)


class _Chain:
    """One statement of nodes and links: `A & B --> C["…"] -- text --> D`."""

    def __init__(self, graph: Graph, text: str, line: int, groups: tuple[str, ...]) -> None:
        self.graph = graph
        self.text = text
        self.line = line
        self.groups = groups
        self.at = 0

    def read(self) -> None:
        left = self._nodes()
        while self._more():
            forward, backward, label, visible = self._link()
            right = self._nodes()
            if visible:
                self.graph.edges += [Edge(a, b, label, forward, backward) for a in left for b in right]
            left = right

    def _more(self) -> bool:
        self._blank()
        return self.at < len(self.text)

    def _blank(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self.text, self.at)
        if found:
            self.at = found.end()
        return found

    def _problem(self, what: str) -> DiagramError:
        return DiagramError(self.line, what, text=self.text[self.at : self.at + 20])

    def _nodes(self) -> list[str]:
        names = [self._node()]
        self._blank()
        while self.text.startswith("&", self.at):
            self.at += 1
            names.append(self._node())
            self._blank()
        return names

    def _node(self) -> str:
        self._blank()
        found = self._match(NODE_ID)
        if not found:
            raise self._problem(t("a node should stand at “{text}”"))
        name = found[0]
        label = self._attributes() if self.text.startswith("@{", self.at) else self._shape()
        self._match(CLASS_SUFFIX)
        if name not in self.graph.groups:
            self.graph.node(name, label, self.groups)
        return name

    def _attributes(self) -> str:
        end = self.text.find("}", self.at)
        if end < 0:
            raise self._problem(t("“}}” is missing after “{text}”"))
        inside = self.text[self.at + 2 : end]
        self.at = end + 1
        found = re.search(r"label\s*:\s*(\"[^\"]*\"|'[^']*'|[^,]+)", inside)
        return clean(found[1].strip().strip("'")) if found else ""

    def _shape(self) -> str:
        for opener, closers in SHAPES:
            if not self.text.startswith(opener, self.at):
                continue
            start = self.at + len(opener)
            quote = re.compile(r"\s*\"([^\"]*)\"\s*").match(self.text, start)
            search = quote.end() if quote else start
            ends = [(self.text.find(closer, search), closer) for closer in closers]
            found = min(((end, closer) for end, closer in ends if end >= 0), default=None)
            if found is None:
                continue
            label = self.text[start : found[0]]
            self.at = found[0] + len(found[1])
            return clean(label)
        if self.at < len(self.text) and self.text[self.at] in "[({":
            raise self._problem(t("the shape is not closed at “{text}”"))
        return ""

    def _link(self) -> tuple[bool, bool, str, bool]:
        """Whether the link leads on, and back, its text, and whether it is drawn at all."""
        self._match(EDGE_ID)
        found = self._match(LINK)
        if found and found["invisible"]:
            return False, False, "", False
        label = ""
        if not found:
            found = self._match(TEXT_LINK)
            if not found:
                raise self._problem(t("a link such as --> should stand at “{text}”"))
            label = clean(found["text1"] or found["text2"] or found["text3"] or "")
        head = (found["head1"] or found["head2"] or found["head3"] or "").strip("-=")
        self._blank()
        pipe = self._match(PIPE_TEXT)
        return bool(head), bool(found["tail"]), clean(pipe[1]) if pipe else label, True


def clean(label: str) -> str:
    """A label as it is read: without quotes, Markdown, line breaks, tags and icons' prefixes."""
    text = label.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1]
    text = ICON.sub(lambda found: f" {found[1]} ", text.strip().strip("`"))
    text = re.sub(r"<br\s*/?>|\\n", " ", text, flags=re.I)
    text = re.sub(r"<[^<>]*>", " ", text)
    text = html.unescape(re.sub(r"#(\w+);", r"&\1;", text)).replace("**", "").replace("`", "")
    return " ".join(text.split())
