import base64
import os

import boto3

session = boto3.session.Session()
private = session.client("ecr")
public = boto3.session.Session(region_name="us-east-1").client("ecr-public")


def choose_registry(anonymous_pull, scanning, lifecycle):
    able = {"private": {"scanning", "lifecycle"}, "public": {"anonymous_pull"}}
    asked = {"anonymous_pull": anonymous_pull, "scanning": scanning, "lifecycle": lifecycle}
    needs = {name for name, wanted in asked.items() if wanted}
    for registry, gives in able.items():
        if needs <= gives:
            return registry
    raise ValueError(needs)


def image_reference(registry, repository, tag):
    match registry:
        case "private":
            host = private.get_authorization_token()["authorizationData"][0]["proxyEndpoint"].split("//")[1]
            return f"{host}/{repository}:{tag}"
        case "public":
            (mine,) = public.describe_registries()["registries"]
            alias = next(a["name"] for a in mine["aliases"] if a["primaryRegistryAlias"])
            return "/".join(["public.ecr.aws", alias, repository]) + ":" + tag


def login(registry):
    data = (private if registry == "private" else public).get_authorization_token()["authorizationData"]
    data = data[0] if isinstance(data, list) else data
    user, _, password = base64.b64decode(data["authorizationToken"]).decode("utf-8").partition(":")
    region = os.environ["AWS_REGION"]
    account = session.client("sts").get_caller_identity()["Account"]
    host = "public.ecr.aws" if registry == "public" else f"{account}.dkr.ecr.{region}.amazonaws.com"
    return {"username": user, "password": password, "registry": host}


def publish_repository(name, description):
    public.create_repository(repositoryName=name)
    public.put_repository_catalog_data(repositoryName=name, catalogData={"description": description})
    return public.describe_repositories(repositoryNames=[name])["repositories"][0]["repositoryUri"]
