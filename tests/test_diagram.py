"""Diagrams as people draw them, as graphs: Mermaid (mermaid.js.org/syntax/flowchart.html) and DOT."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fargrade.semantics.diagram import DiagramError, Graph, parse_diagram, reaches
from fargrade.semantics.diagram.delivery import delivery


def edges(graph: Graph) -> list[str]:
    """Each edge in short: "a>b", "a<b", "a<>b" or "a-b", and its label behind a colon."""
    signs = {(True, False): ">", (False, True): "<", (True, True): "<>", (False, False): "-"}
    return [
        f"{one.source}{signs[one.forward, one.backward]}{one.target}" + (f":{one.label}" if one.label else "")
        for one in graph.edges
    ]


def labels(graph: Graph) -> dict[str, str]:
    return {node.id: node.label for node in graph.nodes.values()}


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ("A --> B", ["A>B"]),
        ("A-->B-->C", ["A>B", "B>C"]),
        ("A --> B & C --> D", ["A>B", "A>C", "B>D", "C>D"]),
        ("A&B-->C&D", ["A>C", "A>D", "B>C", "B>D"]),
        ("A --> B; B --> C", ["A>B", "B>C"]),
        ("A ---> B\nA -----> C", ["A>B", "A>C"]),
        ("A ==> B ===> C", ["A>B", "B>C"]),
        ("A -.-> B -..-> C", ["A>B", "B>C"]),
        ("A --x B --o C", ["A>B", "B>C"]),
        ("A --- B === C -.- D", ["A-B", "B-C", "C-D"]),
        ("A <--> B\nC o--o D\nE x--x F\nG <==> H\nI <-.-> J", ["A<>B", "C<>D", "E<>F", "G<>H", "I<>J"]),
        ("A ~~~ B", []),
        ("A -->|push| B", ["A>B:push"]),
        ('A -->|"docker push (1)"| B', ["A>B:docker push (1)"]),
        ("A -- push --> B", ["A>B:push"]),
        ("A == push ==> B", ["A>B:push"]),
        ("A -. pull .-> B", ["A>B:pull"]),
        ("A -- text --- B", ["A-B:text"]),
        ("A <-- pull --- B", ["A<B:pull"]),
        ("A e1@--> B", ["A>B"]),
        ("разработчик -->|отправляет| реестр", ["разработчик>реестр:отправляет"]),
        ("my-dev --> my.ecr", ["my-dev>my.ecr"]),
        ("%% a comment\nA --> B\n%% another", ["A>B"]),
        ("A:::big --> B\nclassDef big fill:#f9f\nclass A big\nstyle A fill:#fff\nlinkStyle 0 stroke:#f33", ["A>B"]),
        ('A --> B\nclick A href "https://aws.amazon.com/ecr/" "ECR"', ["A>B"]),
    ],
)
def test_arrows(lines: str, found: list[str]) -> None:
    assert edges(parse_diagram(f"flowchart LR\n{lines}")) == found


@pytest.mark.parametrize(
    ("node", "label"),
    [
        ("A[Amazon ECR]", "Amazon ECR"),
        ("A(ECS)", "ECS"),
        ("A([ECS])", "ECS"),
        ("A[[ECS]]", "ECS"),
        ("A[(ECR)]", "ECR"),
        ("A((Users))", "Users"),
        ("A(((Users)))", "Users"),
        ("A{Route}", "Route"),
        ("A{{ECS}}", "ECS"),
        ("A>ECR]", "ECR"),
        ("A[/ECR/]", "ECR"),
        ("A[\\ECR\\]", "ECR"),
        ("A[/ECR\\]", "ECR"),
        ('A["ECS (EC2); [x]"]', "ECS (EC2); [x]"),
        ('A["`**ECS** on EC2`"]', "ECS on EC2"),
        ("A[Amazon<br/>ECR]", "Amazon ECR"),
        ('A["#quot;ECR#quot; &amp; co"]', '"ECR" & co'),
        ("A[fa:fa-user Users]", "user Users"),
        ('A@{ shape: cyl, label: "Amazon ECR" }', "Amazon ECR"),
        ("A@{ shape: cyl }", "A"),
        ('A["Пользователи\nсайта"]', "Пользователи сайта"),
        ("A", "A"),
    ],
)
def test_labels(node: str, label: str) -> None:
    graph = parse_diagram(f"flowchart LR\n{node} --> B[other]")
    assert labels(graph) == {"A": label, "B": "other"}
    assert edges(graph) == ["A>B"]


def test_a_label_may_come_later_and_is_kept() -> None:
    assert labels(parse_diagram("flowchart LR\nA --> B\nA[ECR]\nA --> C")) == {"A": "ECR", "B": "B", "C": "C"}


def test_subgraphs_nest_and_arrows_to_them_mean_what_is_in_them() -> None:
    graph = parse_diagram(
        """flowchart TB
        subgraph aws [AWS]
          direction LR
          subgraph "Amazon ECS"
            a & b
          end
          r[ECR]
        end
        dev --> r --> aws
        """
    )
    assert {node.id: node.groups for node in graph.nodes.values()} == {
        "a": ("aws", "Amazon ECS"),
        "b": ("aws", "Amazon ECS"),
        "r": ("aws",),
        "dev": (),
    }
    assert graph.groups == {"aws": "AWS", "Amazon ECS": "Amazon ECS"}
    assert set(graph.links(lambda _: (True, False))) == {("dev", "r"), ("r", "a"), ("r", "b"), ("r", "r")}


@pytest.mark.parametrize(
    "text",
    [
        "flowchart LR\nA --> B\n",
        "flowchart LR\r\nA --> B\r\n",
        "\ufeffflowchart LR\nA --> B",
        "graph TD\nA --> B",
        "graph LR; A --> B;",
        "flowchart\nA --> B",
        "---\ntitle: The way\n---\nflowchart LR\nA --> B",
        "---\r\ntitle: The way\r\n---\r\nflowchart LR\r\nA --> B",
        "%%{init: {'theme': 'dark'}}%%\nflowchart LR\nA --> B",
        "# The way\n\n```mermaid\nflowchart LR\n  A --> B\n```\n\nand more --> text",
        "```mermaid\r\nflowchart LR\r\nA --> B\r\n```\r\n",
        "digraph { A -> B }",
        "strict digraph G { A -> B; A -> B }",
        "// the way\n/* of\nan image */ digraph way { rankdir=LR; node [shape=box]; A -> B }",
        'digraph "way" { "A" -> "B":n }',
    ],
)
def test_one_picture_in_many_coats(text: str) -> None:
    graph = parse_diagram(text)
    assert set(edges(graph)) == {"A>B"}
    assert set(graph.nodes) == {"A", "B"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("digraph { a -> b -> c }", ["a>b", "b>c"]),
        ("graph { a -- b }", ["a-b"]),
        ("digraph { a -> {b c} }", ["a>b", "a>c"]),
        ("digraph { {a b} -> c }", ["a>c", "b>c"]),
        ("digraph { a -> b [dir=back, label=pull] }", ["a<b:pull"]),
        ("digraph { a -> b [dir=both] }", ["a<>b"]),
        ("digraph { a -> b [dir=none] }", ["a-b"]),
        ('digraph { "Разработчик" -> "Реестр" [label="отправляет"] }', ["Разработчик>Реестр:отправляет"]),
    ],
)
def test_dot(text: str, found: list[str]) -> None:
    assert sorted(edges(parse_diagram(text))) == sorted(found)


def test_dot_has_clusters_and_labels() -> None:
    graph = parse_diagram(
        'digraph { subgraph cluster_ecs { label="Amazon ECS"; a [label="on\\nEC2"]; b [label=<<b>Fargate</b>>] }'
        " r -> a }"
    )
    assert graph.groups == {"cluster_ecs": "Amazon ECS"}
    assert {name: node.groups for name, node in graph.nodes.items()} == {
        "a": ("cluster_ecs",),
        "b": ("cluster_ecs",),
        "r": (),
    }
    assert labels(graph)["a"] == "on EC2"
    assert "Fargate" in labels(graph)["b"]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", 0, "there is no diagram"),
        ("sequenceDiagram\nA->>B: x", 1, "sequenceDiagram"),
        ("A --> B", 1, "begins with"),
        ("flowchart LR\nsubgraph x\nA --> B", 0, "the subgraph x has no `end`"),
        ("flowchart LR\nA --> B\nend", 3, "none is open"),
        ("flowchart LR\nA -> B", 2, "a link such as -->"),
        ("flowchart LR\nA --> B[half", 2, "not closed"),
        ("flowchart LR\nA -->", 2, "a node should stand"),
        ("flowchart LR\nA@{ shape: cyl --> B", 2, "“}” is missing"),
        ("digraph { a -> ", 0, "no DOT"),
    ],
)
def test_what_is_no_diagram(text: str, line: int, says: str) -> None:
    with pytest.raises(DiagramError) as raised:
        parse_diagram(text)
    assert raised.value.line == line
    assert says in str(raised.value)
    assert raised.value.why.format(**raised.value.values) in str(raised.value)


@given(st.text(max_size=120))
def test_any_text_is_a_diagram_or_is_none(text: str) -> None:
    with contextlib.suppress(DiagramError):
        assert parse_diagram("flowchart LR\n" + text).edges is not None


NAMES = st.text("abcdeгд", min_size=1, max_size=4).filter(lambda name: name != "end")


@given(st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=12))
def test_mermaid_and_dot_are_one_graph(pairs: list[tuple[str, str]]) -> None:
    mermaid = parse_diagram("flowchart LR\n" + "\n".join(f"{a} --> {b}" for a, b in pairs))
    dot = parse_diagram("digraph {\n" + "\n".join(f'"{a}" -> "{b}";' for a, b in pairs) + "\n}")
    assert set(mermaid.links(lambda one: (one.forward, one.backward))) == set(pairs)
    assert set(dot.links(lambda one: (one.forward, one.backward))) == set(pairs)


def test_ways() -> None:
    links = [("a", "b"), ("b", "c"), ("c", "a"), ("d", "c")]
    assert reaches(links, ["a"], ["c"])
    assert reaches(links, ["a"], ["a"])
    assert not reaches(links, ["a"], ["d"])
    assert not reaches(links, ["a"], ["c"], avoid=["b"])


WAY = """flowchart LR
  dev[{dev}] -->|docker push| ecr[{ecr}]
  ecr --> one[{ec2}] & two[{fargate}]
  one & two --> users[{users}]
"""
ENGLISH = {"dev": "Developer", "ecr": "Amazon ECR", "ec2": "ECS on EC2", "fargate": "ECS on Fargate", "users": "Users"}
RUSSIAN = {
    "dev": "Разработчик",
    "ecr": "Реестр образов",
    "ec2": "ECS на EC2",
    "fargate": "ECS на Фаргейт",
    "users": "Пользователи",
}


@pytest.mark.parametrize("said", [ENGLISH, RUSSIAN], ids=["en", "ru"])
def test_the_parties_are_known_in_both_languages(said: dict[str, str]) -> None:
    found = delivery(parse_diagram(WAY.format(**said)))
    assert (found.developers, found.registry, found.users) == ({"dev"}, {"ecr"}, {"users"})
    assert (found.on_ec2, found.on_fargate) == ({"one"}, {"two"})
    assert found.pushed()
    assert found.image_reaches(found.on_ec2, found.on_fargate)
    assert found.image_reaches(found.on_fargate, found.on_ec2)
    assert found.serves(found.on_ec2, found.on_fargate)
    assert not found.bypassed()


@pytest.mark.parametrize(("arrow", "arrives"), [("-- pulls -->", True), ("-->|скачивает|", True), ("-->", False)])
def test_who_pulls_gets_the_image_against_the_arrow(arrow: str, arrives: bool) -> None:
    way = "flowchart LR\none[ECS on EC2] {arrow} ecr[ECR] --> two[ECS on Fargate]"
    found = delivery(parse_diagram(way.format(arrow=arrow)))
    assert found.image_reaches(found.on_ec2, found.on_fargate) is arrives
    assert found.image_reaches(found.on_fargate, found.on_ec2)


def test_a_box_says_what_its_nodes_leave_open() -> None:
    found = delivery(
        parse_diagram(
            "flowchart LR\nsubgraph c [ECS cluster]\nsubgraph f [Fargate]\ns[Service]\nend\nend\nr[ECR] --> s"
        )
    )
    assert found.on_fargate == {"s"}


def test_a_way_around_the_registry_is_seen() -> None:
    assert delivery(parse_diagram(WAY.format(**ENGLISH) + "  dev --> one\n")).bypassed()
