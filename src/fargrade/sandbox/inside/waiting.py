"""`aws SERVICE wait WAITER --option value …` by botocore's waiter of that name: exit status 0, or 255 as the CLI's."""

from __future__ import annotations

import json
import sys
from typing import Any

NAMES = {"s3api": "s3", "deploy": "codedeploy"}
FLAGS = ("--debug", "--no-verify-ssl", "--no-paginate", "--no-sign-request", "--no-cli-pager", "--no-cli-auto-prompt")
GLOBAL = (
    "--region", "--endpoint-url", "--output", "--profile", "--query", "--color", "--cli-read-timeout",
    "--cli-connect-timeout", "--ca-bundle", "--cli-binary-format", "--cli-input-json",
)  # fmt: skip


def main(words: list[str]) -> int:
    """Wait; returns the exit status."""
    import botocore.session
    from botocore.exceptions import BotoCoreError, ClientError, WaiterError

    places, options = split(words)
    if len(places) != 3 or places[1] != "wait":
        print("usage: aws <service> wait <waiter> [options]", file=sys.stderr)
        return 252
    service, name = NAMES.get(places[0], places[0]), places[2].replace("-", "_")
    more = {"region_name": options.pop("--region", [None])[0], "endpoint_url": options.pop("--endpoint-url", [None])[0]}
    try:
        client = botocore.session.Session().create_client(
            service, **{key: value for key, value in more.items() if value}
        )
        if name not in client.waiter_names:
            print(f"aws: error: argument subcommand: Invalid choice: {places[2]}", file=sys.stderr)
            return 252
        waiter = client.get_waiter(name)
        waiter.wait(**parameters(client.meta.service_model.operation_model(waiter.config.operation), options))
    except WaiterError as error:
        print(f"\n{error}", file=sys.stderr)
        return 255
    except (ClientError, BotoCoreError, ValueError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 254
    return 0


def split(words: list[str]) -> tuple[list[str], dict[str, list[str]]]:
    """(the words that are no options, the options with their values)."""
    places: list[str] = []
    options: dict[str, list[str]] = {}
    current: list[str] | None = None
    for word in words:
        if word.startswith("--"):
            key, equals, value = word.partition("=")
            current = options.setdefault(key, [])
            if equals:
                current.append(value)
            if key in FLAGS or equals:
                current = None
        elif current is not None and not (len(current) == 1 and _single(options, current)):
            current.append(word)
        else:
            places.append(word)
            current = None
    return places, options


def _single(options: dict[str, list[str]], current: list[str]) -> bool:
    return any(values is current and key in GLOBAL for key, values in options.items())


def parameters(operation: Any, options: dict[str, list[str]]) -> dict[str, Any]:
    """The operation's parameters that the options stand for. Raises ValueError for an option that is none."""
    from botocore import xform_name

    given = json.loads(options.pop("--cli-input-json")[0]) if "--cli-input-json" in options else {}
    members = {"--" + xform_name(name, "-"): (name, shape) for name, shape in operation.input_shape.members.items()}
    for key, values in options.items():
        if key in members:
            name, shape = members[key]
            given[name] = value_of(shape, values)
        elif key not in FLAGS and key not in GLOBAL:
            raise ValueError(f"Unknown options: {key}")
    return given


def value_of(shape: Any, values: list[str]) -> Any:
    """The values of one option, as its shape takes them: words, JSON, or the CLI's shorthand."""
    if values and values[0][:1] in "[{" and shape.type_name in ("list", "structure", "map"):
        return json.loads(" ".join(values))
    if shape.type_name == "list":
        return [value_of(shape.member, [part]) for value in values for part in _parts(shape.member, value)]
    if shape.type_name == "structure":
        return _shorthand(shape, values[0])
    if shape.type_name == "boolean":
        return not values or values[0].lower() == "true"
    return int(values[0]) if shape.type_name in ("integer", "long") else values[0]


def _parts(member: Any, value: str) -> list[str]:
    return [value] if member.type_name == "structure" else [one for one in value.replace(",", " ").split() if one]


def _shorthand(shape: Any, text: str) -> dict[str, Any]:
    """Name=a,Values=b,c as {"Name": "a", "Values": ["b", "c"]}."""
    found: dict[str, list[str]] = {}
    key = ""
    for part in text.split(","):
        name, equals, value = part.partition("=")
        if equals:
            key = name
        found.setdefault(key, []).append(value if equals else part)
    return {name: value_of(shape.members[name], values) for name, values in found.items() if name in shape.members}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
