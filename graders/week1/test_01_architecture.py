"""1.1 architecture: given the learner's diagram, read as a graph, the image must be able to take its way."""

import pytest

from fargrade.grading import check, expect, fail, t
from fargrade.semantics.diagram import DiagramError, parse_diagram
from fargrade.semantics.diagram.delivery import delivery

FILE = "architecture.mmd"
ECR_GUIDE = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/"
ECS_GUIDE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/"


@pytest.fixture(scope="module")
def picture(answer):
    """Given: the parties of the learner's picture."""
    try:
        return delivery(parse_diagram(answer.text(FILE)))
    except DiagramError as error:
        why = t(error.why, **error.values)
        if error.line:
            fail(t("{file} cannot be read as a diagram: line {line}: {why}.", file=FILE, line=error.line, why=why))
        fail(t("{file} cannot be read as a diagram: {why}.", file=FILE, why=why))


def there(nodes, who):
    """The party must be in the picture at all."""
    expect(
        nodes,
        expected=t("a node for {who}", who=who),
        found=t("no node that says so"),
        hint=t("labels and ids are read, in English or Russian"),
    )


@check(points=1, docs=ECR_GUIDE + "what-is-ecr.html")
def test_the_developer_pushes_to_ecr(picture):
    """An arrow leads from the developer to ECR"""
    there(picture.developers, t("the developer"))
    there(picture.registry, "ECR")
    expect(
        picture.pushed(),
        expected=t("arrows from the developer to ECR"),
        found=t("no way leads there along the arrows"),
        on_aws=t("an image that was never pushed cannot be pulled: CannotPullContainerError"),
        hint=t("dev -->|push| ecr"),
    )


@check(points=2, docs=ECS_GUIDE + "launch_types.html")
def test_ecs_on_ec2_runs_the_image(picture):
    """The image gets from ECR to ECS on EC2"""
    runs(picture, picture.on_ec2, picture.on_fargate, t("ECS on EC2"))


@check(points=2, docs=ECS_GUIDE + "AWS_Fargate.html")
def test_ecs_on_fargate_runs_the_image(picture):
    """The image gets from ECR to ECS on Fargate"""
    runs(picture, picture.on_fargate, picture.on_ec2, t("ECS on Fargate"))


def runs(picture, place, other, who):
    there(place, who)
    there(picture.registry, "ECR")
    expect(
        picture.image_reaches(place, other),
        expected=t("arrows from ECR to {place}", place=who),
        found=t("no way leads there along the arrows, except through a person or the other launch type"),
        on_aws=t("ECS pulls the image from the registry for each task that it starts, on EC2 as on Fargate"),
        hint=t("arrows point the way the image goes; ECS → ECR must say pull"),
    )


@check(points=1, docs=ECR_GUIDE + "what-is-ecr.html")
def test_nothing_goes_around_ecr(picture):
    """Nothing goes from the developer to ECS around ECR"""
    there(picture.developers, t("the developer"))
    there(picture.on_ec2 | picture.on_fargate, "ECS")
    around = picture.bypassed()
    expect(
        not around,
        expected=t("every way from the developer to ECS goes through ECR"),
        found=t("a way leads around it: {way}", way=" → ".join(around)),
        on_aws=t("ECS takes no image from a laptop: it pulls from a registry"),
        hint=t("arrows are the image's way: leave out commands, and what brings the image to ECS past the registry"),
    )


@check(points=2, docs=ECS_GUIDE + "service-load-balancing.html")
def test_the_users_reach_both(picture):
    """The users are connected with ECS on EC2 and with ECS on Fargate"""
    there(picture.users, t("the users"))
    for place, other, who in (
        (picture.on_ec2, picture.on_fargate, t("ECS on EC2")),
        (picture.on_fargate, picture.on_ec2, t("ECS on Fargate")),
    ):
        there(place, who)
        expect(
            picture.serves(place, other),
            expected=t("a line between the users and {place}, in either direction", place=who),
            found=t("none, except by way of the registry, the developer or the other launch type"),
            on_aws=t("users talk to the running containers, most often through a load balancer"),
            hint=t("connect the users (or the load balancer before them) with both"),
        )
