"""1.8: private and public ECR."""

from base64 import b64decode

import boto3

PUBLIC_HOST = "public.ecr.aws"


def public_client():
    """ECR Public's API is in us-east-1, wherever we are."""
    return boto3.client("ecr-public", region_name="us-east-1")


def choose_registry(anonymous_pull: bool, scanning: bool, lifecycle: bool) -> str:
    """Which registry gives what is needed, "private" or "public". ValueError where neither does."""
    if not anonymous_pull:
        return "private"
    if scanning or lifecycle:
        raise ValueError("ECR Public has neither scanning nor lifecycle policies")
    return "public"


def image_reference(registry: str, repository: str, tag: str) -> str:
    """The full reference of an image of this account."""
    if registry == "public":
        mine = public_client().describe_registries()["registries"][0]["registryUri"]
    else:
        ecr = boto3.client("ecr")
        account = boto3.client("sts").get_caller_identity()["Account"]
        mine = f"{account}.dkr.ecr.{ecr.meta.region_name}.amazonaws.com"
    return f"{mine}/{repository}:{tag}"


def login(registry: str) -> dict[str, str]:
    """Username, password and registry for docker login."""
    if registry == "public":
        token = public_client().get_authorization_token()["authorizationData"]["authorizationToken"]
        host = PUBLIC_HOST
    else:
        data = boto3.client("ecr").get_authorization_token()["authorizationData"][0]
        token = data["authorizationToken"]
        host = data["proxyEndpoint"].removeprefix("https://")
    username, password = b64decode(token).decode().split(":", 1)
    return {"username": username, "password": password, "registry": host}


def publish_repository(name: str, description: str) -> str:
    """Make the public repository with its description; return its URI."""
    boto3.client("ecr").create_repository(repositoryName=name)
    made = public_client().create_repository(repositoryName=name, catalogData={"description": description})
    return made["repository"]["repositoryUri"]
