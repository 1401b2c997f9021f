import base64
import boto3


def choose_registry(anonymous_pull, scanning, lifecycle):
    if anonymous_pull and (scanning or lifecycle):
        raise ValueError("no registry gives both")
    return "public" if anonymous_pull else "private"


def image_reference(registry, repository, tag):
    if registry == "private":
        account = boto3.client("sts").get_caller_identity()["Account"]
        region = boto3.session.Session().region_name
        return f"{account}.dkr.ecr.{region}.amazonaws.com/{repository}:{tag}"
    registries = boto3.client("ecr-public", region_name="us-east-1").describe_registries()["registries"]
    return f"{registries[0]['registryUri']}/{repository}:{tag}"


def login(registry):
    if registry == "private":
        data = boto3.client("ecr").get_authorization_token()["authorizationData"][0]
        host = data["proxyEndpoint"].removeprefix("https://")
    else:
        data = boto3.client("ecr-public", region_name="us-east-1").get_authorization_token()["authorizationData"]
        host = "public.ecr.aws"
    username, password = base64.b64decode(data["authorizationToken"]).decode().split(":", 1)
    return {"username": username, "password": password, "registry": host}


def publish_repository(name, description):
    ecr = boto3.session.Session(region_name="us-east-1").client("ecr-public")
    uri = ecr.create_repository(repositoryName=name)["repository"]["repositoryUri"]
    ecr.put_repository_catalog_data(repositoryName=name, catalogData={"description": description})
    return uri
