"""Pulling images: from this world's ECR with the role's rights over the task's network, or of the public ones known."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fargrade.emulator import ecr, image_behaviour, images, inner, network_state
from fargrade.emulator.ecs import interfaces
from fargrade.emulator.ecs.model import Container, Task
from fargrade.emulator.errors import Refused
from fargrade.emulator.image_behaviour import Behaviour
from fargrade.emulator.rules import account
from fargrade.semantics.ecs import ImageReference, parse_image
from fargrade.semantics.network import Need, way_out, way_to_service

CANNOT_PULL = "CannotPullContainerError"
PLATFORMS = {"X86_64": "amd64", "ARM64": "arm64"}
REGISTRY_AUTH = "ResourceInitializationError: unable to pull secrets or registry auth: "


@dataclass(frozen=True)
class Failed:
    """Why an image cannot be pulled, in AWS's words."""

    reason: str
    kind: str = CANNOT_PULL


def problem(task: Task, container: Container) -> Failed | None:
    """Why the container's image cannot be pulled; None where it can: its digest and behaviour are known then."""
    image = parse_image(container.image)
    if image is None:
        return Failed(f"{CANNOT_PULL}: invalid reference format")
    return next(_private(task, container, image) if image.private_ecr else _public(task, container, image), None)


def _ref(image: ImageReference) -> str:
    return f"{image.name}@{image.digest}" if image.digest else f"{image.name}:{image.tag}"


def _unresolved(image: ImageReference, why: str, times: int = 1) -> Failed:
    return Failed(
        f"{CANNOT_PULL}: pull image manifest has been retried {times} time(s): failed to resolve ref "
        f"{_ref(image)}: {why}"
    )


def _public(task: Task, container: Container, image: ImageReference) -> Iterator[Failed]:
    host = interfaces.host(task)
    if host is None or not way_out(network_state.network(task.region), host).open:
        where = "registry-1.docker.io" if image.registry == "docker.io" else image.registry
        address = f"https://{where}/v2/{image.repository}/manifests/{image.digest or image.tag}"
        yield _unresolved(image, f'failed to do request: Head "{address}": dial tcp: i/o timeout', 7)
        return
    found = image_behaviour.public(image)
    if found is None:
        hub = (
            "pull access denied, repository does not exist or may require authorization: server message: "
            "insufficient_scope: authorization failed"
        )
        known = image_behaviour.public(ImageReference(image.registry, image.repository, "latest"))
        yield _unresolved(image, f"{_ref(image)}: not found" if known or image.registry != "docker.io" else hub)
        return
    _runs(container, found)


def _private(task: Task, container: Container, image: ImageReference) -> Iterator[Failed]:
    from fargrade.emulator.ecs import starting

    role = starting.puller(task)
    unreached = _unreached(task)
    if unreached == "ecr.api":
        yield Failed(
            f"{REGISTRY_AUTH}The task cannot pull registry auth from Amazon ECR: There is a connection issue "
            "between the "
            "task and Amazon ECR. Check your task network configuration. "
            + starting.timed_out(f"https://api.ecr.{image.region}.amazonaws.com/"),
            "ResourceInitializationError",
        )
    if not role:
        yield Failed(f"{REGISTRY_AUTH}no execution role is given for {_ref(image)}", "ResourceInitializationError")
    if why := starting.denied(task, "ecr:GetAuthorizationToken"):
        yield Failed(
            f"{REGISTRY_AUTH}execution resource retrieval failed: unable to retrieve ecr registry auth: service "
            "call has "
            f"been retried 1 time(s): AccessDeniedException: {why}",
            "ResourceInitializationError",
        )
    arn = f"arn:aws:ecr:{image.region}:{image.account}:repository/{image.repository}"
    if unreached == "ecr.dkr":
        address = f"https://{image.registry}/v2/{image.repository}/manifests/{image.digest or image.tag}"
        yield _unresolved(image, f'failed to do request: Head "{address}": dial tcp: i/o timeout', 7)
    for action in ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"):
        if why := starting.denied(task, action, arn):
            yield _unresolved(
                image, f"unexpected status from HEAD request: 403 Forbidden: AccessDeniedException: {why}"
            )
    yield from _found(task, container, image, unreached)


def _unreached(task: Task) -> str:
    """The first of ECR's API, its registry and S3 that the task's traffic does not reach; "" where it does."""
    host = interfaces.host(task)
    if host is None:
        return "ecr.api"
    network = network_state.network(task.region)
    needs = ("ecr.api", "ecr.dkr", "s3")
    return next((one for one in needs if not way_to_service(network, host, Need(one)).open), "")


def _found(task: Task, container: Container, image: ImageReference, unreached: str) -> Iterator[Failed]:
    wanted = {"imageDigest": image.digest} if image.digest else {"imageTag": image.tag}
    _fetched(task, image)
    try:
        if image.account != account():
            raise Refused("RepositoryNotFoundException", "")
        held = ecr.repository(image.region, image.repository)
        found: Any = ecr.find_image(held, wanted)
    except Refused:
        yield _unresolved(image, f"{_ref(image)}: not found")
        return
    platform = PLATFORMS[str((task.definition.given.get("runtimePlatform") or {}).get("cpuArchitecture") or "X86_64")]
    chosen = _for_platform(held, found, platform)
    if chosen is None and (task.fargate or found.children):
        yield Failed(
            f"{CANNOT_PULL}: pull image manifest has been retried 7 time(s): image Manifest does not contain "
            "descriptor "
            f"matching platform 'linux/{platform}'"
        )
        return
    if unreached == "s3":
        address = f"https://prod-{image.region}-starport-layer-bucket.s3.{image.region}.amazonaws.com/"
        yield Failed(
            f"{CANNOT_PULL}: ref pull has been retried 5 time(s): failed to copy: httpReadSeeker: failed open: "
            "failed to "
            f'do request: Get "{address}": dial tcp: i/o timeout'
        )
        return
    container.digest = found.get_image_digest()
    behaviour = image_behaviour.pushed((chosen or found).get_image_digest())
    if chosen is None:  # the instance starts it, and its first program is of another machine
        behaviour = Behaviour((), exits=1, exits_after=0.5, prints=("exec /app: exec format error",))
    elif chosen is not found and behaviour == Behaviour():
        behaviour = image_behaviour.pushed(found.get_image_digest())
    found.pulled = _now()
    _runs(container, behaviour)


def _fetched(task: Task, image: ImageReference) -> None:
    """By a pull through cache rule the registry fetches what it does not have, if who pulls may have it do so.

    Source: AmazonECR/latest/userguide/pull-through-cache-iam.html.
    """
    from fargrade.emulator.ecs import starting

    source = ecr.pull_through.upstream(image.region, image.repository) if image.account == account() else None
    there = parse_image(f"{source}:{image.tag}") if source and image.tag else None
    behaviour = image_behaviour.public(there) if there else None
    if behaviour is None:
        return
    region, name = image.region, image.repository
    client = inner.client("ecr", region)
    arn = f"arn:aws:ecr:{region}:{account()}:repository/{name}"
    try:
        client.describe_images(repositoryName=name, imageIds=[{"imageTag": image.tag}])
    except client.exceptions.ImageNotFoundException:
        pass
    except client.exceptions.RepositoryNotFoundException:
        if starting.denied(task, "ecr:CreateRepository", arn):
            return
        templates = ecr.creation_templates
        templates.make(region, name, templates.template_for(region, name, templates.THROUGH_CACHE))
    else:
        return
    if not starting.denied(task, "ecr:BatchImportUpstreamImage", arn):
        pushed = images.push_image(name, [image.tag], region=region, content=f"{source}:{image.tag}")
        image_behaviour.of_pushed(pushed["digest"], behaviour)


def _now() -> Any:
    from fargrade.emulator import clock

    return clock.now()


def architecture_of(image: Any) -> str:
    """The architecture of an image pushed to this world; amd64 where its config is not known."""
    config = (json.loads(image.image_manifest).get("config") or {}).get("digest", "")
    return image_behaviour.architecture(config)


def _for_platform(held: Any, found: Any, platform: str) -> Any:
    if not found.children:
        return found if architecture_of(found) == platform else None
    children = [ecr.find_image(held, {"imageDigest": digest}) for digest in found.children]
    return next((one for one in children if architecture_of(one) == platform), None)


def _runs(container: Container, behaviour: Behaviour) -> None:
    given = container.given
    container.behaviour = image_behaviour.started_with(
        behaviour, given.get("entryPoint") or [], given.get("command") or []
    )
