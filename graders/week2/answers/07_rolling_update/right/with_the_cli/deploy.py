import json, subprocess, time

def aws(*args):
    out = subprocess.run(["aws", "ecs", *args, "--output", "json"], check=True, capture_output=True, text=True).stdout
    return json.loads(out) if out.strip() else None

def deploy(cluster, service, container, image):
    at = ("--cluster", cluster)
    now = aws("describe-services", *at, "--services", service)["services"][0]
    found = aws("describe-task-definition", "--task-definition", now["taskDefinition"], "--include", "TAGS")
    d = found["taskDefinition"]
    for key in ("taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities", "registeredAt", "registeredBy"):
        d.pop(key, None)
    for c in d["containerDefinitions"]:
        if c["name"] == container:
            c["image"] = image
    if found.get("tags"):
        d["tags"] = found["tags"]
    new = aws("register-task-definition", "--cli-input-json", json.dumps(d))["taskDefinition"]["taskDefinitionArn"]
    aws("update-service", *at, "--service", service, "--task-definition", new, "--deployment-configuration",
        "deploymentCircuitBreaker={enable=true,rollback=true},maximumPercent=200,minimumHealthyPercent=100")
    for _ in range(20):
        if subprocess.run(["aws", "ecs", "wait", "services-stable", *at, "--services", service]).returncode == 0:
            break
    return aws("describe-services", *at, "--services", service)["services"][0]["taskDefinition"] == new
