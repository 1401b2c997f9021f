"""IAM: roles and their trust, policies, quotas, what is attached to what."""

from __future__ import annotations

import json
from typing import Any

from tests.fidelity.table import Service

iam = Service("iam")
API = "https://docs.aws.amazon.com/IAM/latest/APIReference/API_{}.html"
GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/{}.html"
QUOTAS = GUIDE.format("reference_iam-quotas")
GRAMMAR = GUIDE.format("reference_policies_grammar")
CREATE_ROLE = API.format("CreateRole")
ECS = {"Service": "ecs-tasks.amazonaws.com"}


def trust(principal: Any = ECS, action: Any = "sts:AssumeRole", **more: Any) -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def policy(action: Any = "s3:GetObject", resource: Any = "*", **more: Any) -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def role(document: str) -> dict[str, str]:
    return {"RoleName": "app", "AssumeRolePolicyDocument": document}


APP = iam.step("CreateRole", role(trust()), saves={"role": "Role.Arn"})
READ = iam.step("CreatePolicy", {"PolicyName": "read", "PolicyDocument": policy()}, saves={"policy": "Policy.Arn"})
ATTACHED = iam.step("AttachRolePolicy", {"RoleName": "app", "PolicyArn": "<policy>"})
EXECUTION = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
GITHUB = "https://token.actions.githubusercontent.com"
PROVIDER = iam.step("CreateOpenIDConnectProvider", {"Url": GITHUB, "ClientIDList": ["sts.amazonaws.com"]})
FROM_GITHUB = {"Federated": "arn:aws:iam::<account>:oidc-provider/token.actions.githubusercontent.com"}
BY_TOKEN, SUB = "sts:AssumeRoleWithWebIdentity", "token.actions.githubusercontent.com:sub"
SHARED = GUIDE.format("id_roles_providers_oidc_secure-by-default")
MALFORMED = "MalformedPolicyDocument"


def inline(document: str) -> dict[str, str]:
    return {"RoleName": "app", "PolicyName": "p", "PolicyDocument": document}


ROWS = [
    iam.refuses("CreateRole", role("{}"), MALFORMED, "an empty trust policy", source=CREATE_ROLE),
    iam.refuses("CreateRole", role(""), "ValidationError", "no trust policy", source=CREATE_ROLE),
    iam.refuses(
        "CreateRole", role("file://trust.json"), MALFORMED, "a file's name for a trust policy",
        says="invalid Json",
        source="observed: https://github.com/aws-samples/aws-microservices-deploy-options/issues/118",
    ),
    iam.refuses(
        "CreateRole", role(trust({"Service": "ecs-task.amazonaws.com"})), MALFORMED, "a misspelt service as principal",
        says='Invalid principal in policy: "SERVICE":"ecs-task.amazonaws.com"',
        source="observed: https://github.com/aws-samples/aws-cdk-examples/issues/801",
    ),
    iam.refuses(
        "CreateRole", role(trust({"AWS": "arn:aws:iam::<account>:role/nobody"})), MALFORMED,
        "a role as principal that is not there", says='Invalid principal in policy: "AWS":',
        source="observed: https://github.com/aws-samples/aws-iam-access-key-auto-rotation/issues/26",
    ),
    iam.refuses(
        "CreateRole", role(trust(Resource="*")), MALFORMED, "a trust policy with a Resource",
        says="Has prohibited field Resource", source=GUIDE.format("troubleshoot_policies"),
    ),
    iam.refuses(
        "CreateRole", role(policy("sts:AssumeRole").replace(', "Resource": "*"', "")), MALFORMED,
        "a trust policy without a Principal", says="Missing required field Principal", source=GRAMMAR,
    ),
    iam.refuses(
        "CreateRole", role(trust(action="ecs:RunTask")), MALFORMED, "a trust policy for other actions",
        says="STS AssumeRole actions", source=GUIDE.format("troubleshoot_policies"),
    ),
    iam.refuses(
        "CreateRole", role(trust(Condition={"StringEquals": {"aws:SourceAccount": ["1" * 12] * 200}})),
        "LimitExceeded", "a trust policy that is too long", says="ACLSizePerRole: 2048",
        source="observed: https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/2718",
    ),
    iam.refuses("CreateRole", role(trust()), "EntityAlreadyExists", "a role's name twice", given=[APP],
                says="Role with name app already exists", source=CREATE_ROLE),
    iam.refuses("CreateRole", {**role(trust()), "RoleName": "APP"}, "EntityAlreadyExists",
                "a role's name in other letters", given=[APP], source=QUOTAS),
    iam.refuses("CreateRole", {**role(trust()), "RoleName": "my role"}, "ValidationError", "a role's name with a space",
                source=CREATE_ROLE),
    iam.refuses("CreateRole", {**role(trust()), "MaxSessionDuration": 60}, "ValidationError",
                "sessions of a minute", source=CREATE_ROLE),
    iam.refuses(
        "CreateRole", {**role(trust()), "PermissionsBoundary": "arn:aws:iam::<account>:policy/none"}, "NoSuchEntity",
        "a boundary that is not there", says="Scope ARN", source=CREATE_ROLE,
    ),
    iam.accepts("CreateRole", role(trust()), "a role for tasks", shows={"Role.RoleName": "app"}, source=CREATE_ROLE),
    iam.accepts("CreateRole", role(trust().replace("2012-10-17", "2008-10-17")), "a trust policy of the older version",
                source=GUIDE.format("reference_policies_elements_version")),
    iam.accepts("CreateRole", role(trust({"AWS": "<account>"})), "an account as principal", source=CREATE_ROLE),
    iam.accepts(
        "CreateRole",
        role(trust(FROM_GITHUB, BY_TOKEN, Condition={"StringLike": {SUB: "repo:acme/shop:*"}})),
        "an identity provider as principal", source=GUIDE.format("id_roles_create_for-idp_oidc"),
    ),
    iam.accepts(
        "CreateRole",
        role(trust({"Federated": "arn:aws:iam::<account>:oidc-provider/idp.example.com"}, BY_TOKEN)),
        "an identity provider of one's own as principal, without a condition", source=SHARED,
    ),
    *(
        iam.refuses(
            "CreateRole", role(trust(FROM_GITHUB, BY_TOKEN, **condition)), MALFORMED, why,
            says=r"must evaluate, using StringEquals, StringLike or StringEqualsIgnoreCase, "
                 r"token.actions.githubusercontent.com:sub which is not scoped to all",
            source="observed: https://github.com/unfunco/terraform-aws-oidc-github/issues/57",
        )
        for why, condition in (
            ("GitHub trusted without a look at whose workflow it is", {}),
            ("GitHub trusted by the audience alone",
             {"Condition": {"StringEquals": {SUB.replace(":sub", ":aud"): "sts.amazonaws.com"}}}),
            ("GitHub trusted for any subject", {"Condition": {"StringLike": {SUB: "*"}}}),
        )
    ),
    iam.accepts(
        "UpdateAssumeRolePolicy",
        {"RoleName": "app", "PolicyDocument": trust(action=["sts:AssumeRole", "sts:TagSession"])},
        "tagging of sessions in a trust policy", given=[APP], source=API.format("UpdateAssumeRolePolicy"),
    ),
    iam.refuses("UpdateAssumeRolePolicy", {"RoleName": "app", "PolicyDocument": "{}"}, MALFORMED,
                "an empty trust policy", given=[APP], source=API.format("UpdateAssumeRolePolicy")),
    iam.refuses("GetRole", {"RoleName": "app"}, "NoSuchEntity", "a role that is not there",
                says="The role with name app cannot be found", source=API.format("GetRole")),
    # policies
    iam.accepts("AttachRolePolicy", {"RoleName": "app", "PolicyArn": EXECUTION}, "AWS's policy for task execution",
                given=[APP], source=GUIDE.format("access_policies_manage-attach-detach"),
                then=[iam.step("ListAttachedRolePolicies", {"RoleName": "app"},
                               shows={"AttachedPolicies[0].PolicyArn": EXECUTION})]),
    iam.accepts("GetPolicyVersion", {"PolicyArn": EXECUTION, "VersionId": "v1"}, "the document of AWS's policy",
                shows={"PolicyVersion.IsDefaultVersion": True}, source=API.format("GetPolicyVersion")),
    iam.refuses(
        "AttachRolePolicy",
        {"RoleName": "app", "PolicyArn": "arn:aws:iam::aws:policy/AmazonECSTaskExecutionRolePolicy"},
        "NoSuchEntity", "AWS's policy without its path", given=[APP], says="does not exist or is not attachable",
        source=API.format("AttachRolePolicy"),
    ),
    iam.refuses("AttachRolePolicy", {"RoleName": "app", "PolicyArn": "AmazonS3ReadOnlyAccess"}, "InvalidInput",
                "a policy's name for its ARN", given=[APP], says="is not valid", source=API.format("AttachRolePolicy")),
    iam.refuses("DetachRolePolicy", {"RoleName": "app", "PolicyArn": "<policy>"}, "NoSuchEntity",
                "a policy that is not attached", given=[APP, READ], source=API.format("DetachRolePolicy")),
    iam.refuses("PutRolePolicy", inline("{"), MALFORMED, "a policy that is no JSON", given=[APP],
                source=API.format("PutRolePolicy")),
    iam.refuses("PutRolePolicy", inline(policy(Principal="*")), MALFORMED, "a role's policy with a Principal",
                given=[APP], says="should not specify a principal", source=GUIDE.format("troubleshoot_policies")),
    iam.refuses("PutRolePolicy", inline(policy("GetObject")), MALFORMED, "an action without its service", given=[APP],
                says="must be prefaced by a vendor", source=GUIDE.format("troubleshoot_policies")),
    iam.refuses("PutRolePolicy", inline(policy(resource="my-bucket")), MALFORMED, "a resource that is no ARN",
                given=[APP], says="must be in ARN format", source=GUIDE.format("troubleshoot_policies")),
    iam.refuses("PutRolePolicy", inline(policy(Condition={"StringEqual": {"a:b": "c"}})), MALFORMED,
                "a condition operator that does not exist", given=[APP],
                source=GUIDE.format("reference_policies_elements_condition_operators")),
    iam.refuses("PutRolePolicy", inline(policy().replace("2012-10-17", "2012-10-18")), MALFORMED,
                "a version of the language that does not exist", given=[APP],
                source=GUIDE.format("reference_policies_elements_version")),
    iam.refuses("PutRolePolicy", inline(policy(resource=["arn:aws:s3:::" + "x" * 10_300])), "LimitExceeded",
                "inline policies that are too long", given=[APP], says="10240", source=QUOTAS),
    iam.refuses("CreatePolicy", {"PolicyName": "p", "PolicyDocument": policy(resource=["arn:aws:s3:::" + "x" * 6_200])},
                "LimitExceeded", "a managed policy that is too long", says="PolicySize: 6144",
                source="observed: https://github.com/ministryofjustice/cloud-platform-environments/pull/14473"),
    iam.refuses("CreatePolicy", {"PolicyName": "read", "PolicyDocument": policy()}, "EntityAlreadyExists",
                "a policy's name twice", given=[READ], source=API.format("CreatePolicy")),
    iam.refuses("GetPolicy", {"PolicyArn": "arn:aws:iam::<account>:policy/none"}, "NoSuchEntity",
                "a policy that is not there", says="was not found", source=API.format("GetPolicy")),
    iam.refuses("DeletePolicy", {"PolicyArn": "<policy>"}, "DeleteConflict", "a policy that is attached",
                given=[APP, READ, ATTACHED], says="attached to entities", source=API.format("DeletePolicy")),
    iam.refuses("DeleteRole", {"RoleName": "app"}, "DeleteConflict", "a role with policies attached",
                given=[APP, READ, ATTACHED], says="must detach all policies first", source=API.format("DeleteRole")),
    iam.accepts("AttachRolePolicy", {"RoleName": "app", "PolicyArn": "<policy>"}, "attaching twice is attaching once",
                given=[APP, READ, ATTACHED], source=API.format("AttachRolePolicy"),
                then=[iam.step("DetachRolePolicy", {"RoleName": "app", "PolicyArn": "<policy>"}),
                      iam.step("DeletePolicy", {"PolicyArn": "<policy>"})]),
    # simulation, providers, profiles
    iam.accepts(
        "SimulatePrincipalPolicy",
        {"PolicySourceArn": "<role>", "ActionNames": ["s3:GetObject", "s3:PutObject"]},
        "what a role may do, simulated",
        given=[APP, iam.step("PutRolePolicy", inline(policy()))],
        shows={"EvaluationResults[].EvalDecision": ["allowed", "implicitDeny"]},
        source=API.format("SimulatePrincipalPolicy"),
    ),
    iam.accepts(
        "SimulateCustomPolicy",
        {"PolicyInputList": [policy("s3:*"), policy("s3:DeleteObject").replace("Allow", "Deny")],
         "ActionNames": ["s3:DeleteObject"]},
        "an explicit deny, simulated", shows={"EvaluationResults[0].EvalDecision": "explicitDeny"},
        source=API.format("SimulateCustomPolicy"),
    ),
    iam.accepts("CreateOpenIDConnectProvider", {"Url": GITHUB, "ClientIDList": ["sts.amazonaws.com"]},
                "GitHub as a provider, without a thumbprint", source=API.format("CreateOpenIDConnectProvider"),
                shows={"OpenIDConnectProviderArn":
                       "arn:aws:iam::<account>:oidc-provider/token.actions.githubusercontent.com"}),
    iam.refuses("CreateOpenIDConnectProvider", {"Url": GITHUB}, "EntityAlreadyExists", "a provider twice",
                given=[PROVIDER], says="already exists", source=API.format("CreateOpenIDConnectProvider")),
    iam.refuses("CreateOpenIDConnectProvider", {"Url": "http://idp.example.com"}, "ValidationError",
                "a provider without https", source=API.format("CreateOpenIDConnectProvider")),
    iam.refuses("CreateServiceLinkedRole", {"AWSServiceName": "ecs.amazonaws.com"}, "InvalidInput",
                "a service-linked role twice", says="has been taken in this account",
                given=[iam.step("CreateServiceLinkedRole", {"AWSServiceName": "ecs.amazonaws.com"})],
                source=API.format("CreateServiceLinkedRole")),
    iam.refuses(
        "AddRoleToInstanceProfile", {"InstanceProfileName": "ip", "RoleName": "two"}, "LimitExceeded",
        "a second role in an instance profile",
        given=[
            APP,
            iam.step("CreateRole", {**role(trust()), "RoleName": "two"}),
            iam.step("CreateInstanceProfile", {"InstanceProfileName": "ip"}),
            iam.step("AddRoleToInstanceProfile", {"InstanceProfileName": "ip", "RoleName": "app"}),
        ],
        source=API.format("AddRoleToInstanceProfile"),
    ),
]  # fmt: skip
