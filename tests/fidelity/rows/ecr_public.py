"""ECR Public: repositories with catalog data, one login for all of public.ecr.aws, in us-east-1."""

from __future__ import annotations

from tests.fidelity.table import Row, Service

public = Service("ecr-public")
API = "https://docs.aws.amazon.com/AmazonECRPublic/latest/APIReference/API_{}.html"
SHOP = public.step("CreateRepository", {"repositoryName": "shop"}, saves={"arn": "repository.repositoryArn"})

ROWS: list[Row] = [
    public.accepts(
        "CreateRepository", {"repositoryName": "shop", "catalogData": {"description": "A shop"}},
        "a public repository with a description",
        shows={"repository.registryId": "<account>", "catalogData.description": "A shop"},
        then=[public.step("GetRepositoryCatalogData", {"repositoryName": "shop"},
                          shows={"catalogData.description": "A shop"})],
        source=API.format("CreateRepository"),
    ),
    public.refuses(
        "CreateRepository", {"repositoryName": "Shop"}, "InvalidParameterException", "capitals in a name",
        says="repositoryName", source=API.format("CreateRepository"),
    ),
    public.refuses(
        "CreateRepository", {"repositoryName": "shop"}, "RepositoryAlreadyExistsException", "a name that is taken",
        given=[SHOP], source=API.format("CreateRepository"),
    ),
    public.refuses(
        "DescribeImages", {"repositoryName": "ghost"}, "RepositoryNotFoundException", "a repository that is not there",
        source=API.format("DescribeImages"),
    ),
    public.accepts(
        "GetAuthorizationToken", {}, "one login for everybody's repositories",
        shows={"contains(keys(authorizationData), 'proxyEndpoint')": False}, source=API.format("GetAuthorizationToken"),
    ),
    public.accepts(
        "DescribeRegistries", {}, "the account's own alias", shows={"registries[0].registryId": "<account>"},
        source=API.format("DescribeRegistries"),
    ),
    public.accepts(
        "DeleteRepository", {"repositoryName": "shop"}, "deleting an empty one", given=[SHOP],
        then=[public.step("DescribeRepositories", shows={"repositories": []})], source=API.format("DeleteRepository"),
    ),
    public.accepts(
        "TagResource", {"resourceArn": "<arn>", "tags": [{"Key": "team", "Value": "a"}]}, "tags on a public repository",
        given=[SHOP],
        then=[public.step("ListTagsForResource", {"resourceArn": "<arn>"},
                          shows={"tags": [{"Key": "team", "Value": "a"}]})],
        source=API.format("TagResource"),
    ),
    public.refuses(
        "PutRepositoryCatalogData", {"repositoryName": "shop", "catalogData": {"description": "x" * 1025}},
        "InvalidParameterException", "a description longer than 1024", given=[SHOP], says="description",
        source=API.format("RepositoryCatalogDataInput"),
    ),
]  # fmt: skip
