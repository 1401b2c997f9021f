"""Secrets Manager: secrets, their values, and their slow end."""

from __future__ import annotations

import json

from tests.fidelity.table import Service

secrets = Service("secretsmanager")
API = "https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_{}.html"
CREATE, GET, DELETE = (API.format(name) for name in ("CreateSecret", "GetSecretValue", "DeleteSecret"))
DB = secrets.step("CreateSecret", {"Name": "shop/db", "SecretString": "s3cret"}, saves={"secret": "ARN"})
EMPTY = secrets.step("CreateSecret", {"Name": "shop/db"})
ENDING = secrets.step("DeleteSecret", {"SecretId": "shop/db"})

ROWS = [
    secrets.accepts("CreateSecret", {"Name": "shop/db", "SecretString": "x"}, "a secret", shows={"Name": "shop/db"},
                    source=CREATE),
    secrets.refuses("CreateSecret", {"Name": "shop/db"}, "ResourceExistsException", "a secret's name twice", given=[DB],
                    says="already exists", source=CREATE),
    secrets.refuses("CreateSecret", {"Name": "shop db"}, "ValidationException", "a secret's name with a space",
                    says="Invalid name", source=CREATE),
    secrets.refuses("CreateSecret", {"Name": "shop/db", "SecretString": "x", "SecretBinary": b"y"},
                    "InvalidParameterException", "a text and bytes at once", source=CREATE),
    secrets.refuses("CreateSecret", {"Name": "shop/db"}, "InvalidRequestException",
                    "the name of a secret that is being deleted", given=[DB, ENDING], source=CREATE),
    secrets.accepts("GetSecretValue", {"SecretId": "shop/db"}, "a secret's value by its name", given=[DB],
                    shows={"SecretString": "s3cret", "VersionStages": ["AWSCURRENT"]}, source=GET),
    secrets.accepts("GetSecretValue", {"SecretId": "<secret>"}, "a secret's value by its ARN", given=[DB],
                    shows={"SecretString": "s3cret"}, source=GET),
    secrets.refuses("GetSecretValue", {"SecretId": "none"}, "ResourceNotFoundException", "a secret that is not there",
                    says="can't find the specified secret", source=GET),
    secrets.refuses("GetSecretValue", {"SecretId": "shop/db"}, "ResourceNotFoundException",
                    "a secret that has no value yet", given=[EMPTY], source=GET),
    secrets.refuses("GetSecretValue", {"SecretId": "shop/db"}, "InvalidRequestException",
                    "a secret that is being deleted", given=[DB, ENDING], says="marked for deletion", source=GET),
    secrets.refuses("DeleteSecret", {"SecretId": "shop/db", "RecoveryWindowInDays": 3}, "InvalidParameterException",
                    "an end in three days", given=[DB], source=DELETE),
    secrets.refuses("DeleteSecret",
                    {"SecretId": "shop/db", "RecoveryWindowInDays": 7, "ForceDeleteWithoutRecovery": True},
                    "InvalidParameterException", "an end now and in a week", given=[DB], source=DELETE),
    secrets.accepts("RestoreSecret", {"SecretId": "shop/db"}, "a secret taken back from its end", given=[DB, ENDING],
                    source=API.format("RestoreSecret"),
                    then=[secrets.step("GetSecretValue", {"SecretId": "shop/db"}, shows={"SecretString": "s3cret"})]),
    secrets.refuses("PutResourcePolicy", {"SecretId": "shop/db", "ResourcePolicy": json.dumps({"Statement": []})},
                    "MalformedPolicyDocumentException", "a resource policy that is none", given=[DB],
                    source=API.format("PutResourcePolicy")),
]  # fmt: skip
