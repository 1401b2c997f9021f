"""Diagrams as graphs: Mermaid flowcharts and Graphviz DOT, and the questions one asks of them."""

from __future__ import annotations

import re

from fargrade.semantics.diagram.dot import parse_dot
from fargrade.semantics.diagram.graph import DiagramError, Edge, Graph, Node, reaches
from fargrade.semantics.diagram.mermaid import parse_mermaid

__all__ = ["DiagramError", "Edge", "Graph", "Node", "parse_diagram", "parse_dot", "parse_mermaid", "reaches"]

DOT_BEGINS = re.compile(r"\A(?:\s|//[^\n]*|/\*.*?\*/|#[^\n]*)*(?:strict\s+)?(?:di)?graph\b[^\n{]*\{", re.S | re.I)


def parse_diagram(text: str) -> Graph:
    """The graph in `text`, which is Mermaid or DOT: by what it says, not by the file's name. Raises DiagramError."""
    return parse_dot(text) if DOT_BEGINS.match(text) else parse_mermaid(text)
