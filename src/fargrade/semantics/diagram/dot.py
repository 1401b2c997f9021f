"""Graphviz DOT as a graph, read by pydot. Reference: graphviz.org/doc/info/lang.html."""

from __future__ import annotations

from contextlib import redirect_stdout
from io import StringIO
from typing import Any

from fargrade.semantics.diagram.graph import DiagramError, Edge, Graph
from fargrade.semantics.diagram.mermaid import clean
from fargrade.semantics.texts import t

DEFAULTS = {"node", "edge", "graph"}


def parse_dot(text: str) -> Graph:
    """The first graph in `text`. Raises DiagramError."""
    import pydot  # only a DOT answer pays for it

    try:
        with redirect_stdout(StringIO()):  # pydot prints what it does not understand
            found = pydot.graph_from_dot_data(text)
    except Exception as error:
        said = (str(error).splitlines() or [type(error).__name__])[0]
        raise DiagramError(0, t("this is no DOT that Graphviz would read ({said})"), said=said) from None
    if not found:
        raise DiagramError(0, t("this is no DOT that Graphviz would read"))
    graph = Graph()
    _read(graph, found[0], (), directed=found[0].get_type() == "digraph")
    return graph


def _read(graph: Graph, part: Any, groups: tuple[str, ...], *, directed: bool) -> list[str]:
    """Take in a graph or subgraph; returns the names of the nodes in it."""
    names = []
    for node in part.get_nodes():
        name = _plain(node.get_name())
        if name not in DEFAULTS and name != "\\n":
            graph.node(name, clean(_plain(node.get("label") or "")), groups)
            names.append(name)
    for inner in part.get_subgraphs():
        names += _read(graph, inner, _group(graph, inner, groups), directed=directed)
    for edge in part.get_edges():
        names += _edge(graph, edge, groups, directed=directed)
    return names


def _group(graph: Graph, part: Any, groups: tuple[str, ...]) -> tuple[str, ...]:
    name = _plain(part.get_name())
    label = clean(_plain(part.get("label") or ""))
    if not name and not label:
        return groups
    name = name or label
    graph.groups[name] = label or name.removeprefix("cluster").replace("_", " ").strip()
    graph.group_parents[name] = groups
    return (*groups, name)


def _edge(graph: Graph, edge: Any, groups: tuple[str, ...], *, directed: bool) -> list[str]:
    ends = []
    for point in (edge.get_source(), edge.get_destination()):
        if isinstance(point, str):
            name = _plain(point).partition(":")[0].strip('"')
            graph.node(name, "", groups)
            ends.append([name])
        else:
            ends.append(list(dict.fromkeys(_points(graph, point, groups))))
    head = _plain(edge.get("dir") or ("forward" if directed else "none"))
    label = clean(_plain(edge.get("label") or ""))
    forward, backward = head in ("forward", "both"), head in ("back", "both")
    graph.edges += [Edge(a, b, label, forward, backward) for a in ends[0] for b in ends[1]]
    return [name for end in ends for name in end]


def _points(graph: Graph, point: Any, groups: tuple[str, ...]) -> list[str]:
    """The nodes of `{A B}` standing at an end of an edge: pydot gives it as the subgraph's dict."""
    names = [_plain(name) for name in point.get("nodes", {}) if _plain(name) not in DEFAULTS]
    for name in names:
        graph.node(name, "", groups)
    return names


def _plain(value: Any) -> str:
    text = str(value)
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text
