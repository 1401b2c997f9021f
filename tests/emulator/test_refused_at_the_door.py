"""What may not pass the guard is refused in the form that the service's client reads."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from fargrade.backends.embedded import EmbeddedWorld

ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "ecs": ("list_clusters", {}),  # json
    "iam": ("list_roles", {}),  # query
    "ec2": ("describe_vpcs", {}),  # ec2
    "s3": ("list_buckets", {}),  # rest-xml
    "xray": ("get_groups", {}),  # rest-json
}


@pytest.mark.parametrize("service", ASKED)
def test_a_region_that_is_not_there_is_said_in_the_services_own_protocol(embedded: EmbeddedWorld, service: str) -> None:
    client = embedded.client(service, "cn-north-1")
    operation, parameters = ASKED[service]
    with pytest.raises(ClientError) as refused:
        getattr(client, operation)(**parameters)
    assert refused.value.response["Error"]["Code"] == "UnknownEndpoint"
    assert "cn-north-1" in refused.value.response["Error"]["Message"]
