import json, subprocess, base64

def aws(*args):
    return json.loads(subprocess.run(["aws", *args, "--output", "json"], check=True, capture_output=True, text=True).stdout)

US = ("--region", "us-east-1")

def choose_registry(anonymous_pull, scanning, lifecycle):
    match anonymous_pull, scanning or lifecycle:
        case True, True:
            raise ValueError
        case True, _:
            return "public"
    return "private"

def image_reference(registry, repository, tag):
    if registry == "public":
        return aws("ecr-public", "describe-registries", *US)["registries"][0]["registryUri"] + f"/{repository}:{tag}"
    return login("private")["registry"] + f"/{repository}:{tag}"

def login(registry):
    if registry == "public":
        password = subprocess.run(["aws", "ecr-public", "get-login-password", *US], check=True, capture_output=True, text=True).stdout.strip()
        return {"username": "AWS", "password": password, "registry": "public.ecr.aws"}
    host = aws("ecr", "get-authorization-token")["authorizationData"][0]["proxyEndpoint"].split("//")[1]
    password = subprocess.run(["aws", "ecr", "get-login-password"], check=True, capture_output=True, text=True).stdout.strip()
    return {"username": "AWS", "password": password, "registry": host}

def publish_repository(name, description):
    return aws("ecr-public", "create-repository", *US, "--repository-name", name, "--catalog-data", json.dumps({"description": description}))["repository"]["repositoryUri"]
