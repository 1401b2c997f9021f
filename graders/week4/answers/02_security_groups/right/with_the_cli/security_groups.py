import json, subprocess

def aws(*args):
    out = subprocess.run(["aws", "ec2", *args, "--output", "json"], check=True, capture_output=True, text=True).stdout
    return json.loads(out) if out.strip() else {}

def create_security_groups(name, vpc_id, port, database_port):
    made = {}
    for kind in ("load_balancer", "service", "database"):
        made[kind] = aws("create-security-group", "--group-name", f"{name}-{kind.replace('_', '-')}", "--description", "x", "--vpc-id", vpc_id)["GroupId"]
    for p in ("80", "443"):
        aws("authorize-security-group-ingress", "--group-id", made["load_balancer"], "--protocol", "tcp", "--port", p, "--cidr", "0.0.0.0/0")
        aws("authorize-security-group-ingress", "--group-id", made["load_balancer"], "--ip-permissions", f"IpProtocol=tcp,FromPort={p},ToPort={p},Ipv6Ranges=[{{CidrIpv6=::/0}}]")
    aws("authorize-security-group-ingress", "--group-id", made["service"], "--protocol", "tcp", "--port", str(port), "--source-group", made["load_balancer"])
    aws("authorize-security-group-ingress", "--group-id", made["database"], "--protocol", "tcp", "--port", str(database_port), "--source-group", made["service"])
    return made

def close_service(service, load_balancer, port):
    rules = aws("describe-security-group-rules", "--filters", f"Name=group-id,Values={service}")["SecurityGroupRules"]
    ids = [r["SecurityGroupRuleId"] for r in rules if not r["IsEgress"]]
    if ids:
        aws("revoke-security-group-ingress", "--group-id", service, "--security-group-rule-ids", *ids)
    aws("authorize-security-group-ingress", "--group-id", service, "--protocol", "tcp", "--port", str(port), "--source-group", load_balancer)
