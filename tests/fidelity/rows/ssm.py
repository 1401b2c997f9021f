"""Systems Manager: the parameters that tasks take their settings from."""

from __future__ import annotations

from tests.fidelity.table import Service

ssm = Service("ssm")
API = "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_{}.html"
PUT = API.format("PutParameter")
PARAMETER = {"Name": "/shop/db", "Value": "x", "Type": "String"}
DB = ssm.step("PutParameter", PARAMETER)

ROWS = [
    ssm.accepts("PutParameter", PARAMETER, "a parameter", shows={"Version": 1, "Tier": "Standard"}, source=PUT,
                then=[ssm.step("GetParameter", {"Name": "/shop/db"}, shows={"Parameter.Value": "x"})]),
    ssm.accepts("PutParameter", {**PARAMETER, "Value": "y", "Overwrite": True}, "a parameter's next version",
                given=[DB], shows={"Version": 2}, source=PUT),
    ssm.refuses("PutParameter", PARAMETER, "ParameterAlreadyExists", "a parameter twice", given=[DB],
                says="already exists", source=PUT),
    ssm.refuses("PutParameter", {"Name": "/shop/db", "Value": "x"}, "ValidationException", "a parameter without a type",
                says="parameter type is required", source=PUT),
    ssm.refuses("PutParameter", {**PARAMETER, "Name": "shop/db"}, "ValidationException",
                "a path without its first slash", says="fully qualified name", source=PUT),
    ssm.refuses("PutParameter", {**PARAMETER, "Name": "/shop/my db"}, "ValidationException", "a name with a space",
                source=PUT),
    ssm.refuses("PutParameter", {**PARAMETER, "Name": "aws-db"}, "ValidationException", "a name that begins with aws",
                says="can't be prefixed with", source=PUT),
    ssm.refuses("PutParameter", {**PARAMETER, "Name": "/aws/db"}, "AccessDeniedException", "a name below /aws",
                says="reserved parameter name", source=PUT),
    ssm.refuses("PutParameter", {**PARAMETER, "Name": "/" + "/".join("abcdefghijklmnop")},
                "HierarchyLevelLimitExceededException", "more than fifteen levels", source=PUT),
    ssm.refuses("PutParameter", {**PARAMETER, "Value": "x" * 4097}, "ValidationException",
                "more than 4 KB in a standard parameter", says="4096", source=PUT),
    ssm.accepts("PutParameter", {**PARAMETER, "Value": "x" * 4097, "Tier": "Advanced"},
                "more than 4 KB in an advanced parameter", source=PUT),
    ssm.refuses("PutParameter", {**PARAMETER, "Type": "Text"}, "ValidationException", "a type that does not exist",
                source=PUT),
    ssm.refuses("PutParameter", {**PARAMETER, "Type": "SecureString", "Overwrite": True},
                "HierarchyTypeMismatchException", "another type for a parameter that is there", given=[DB], source=PUT),
    ssm.refuses("PutParameter", {**PARAMETER, "AllowedPattern": "^\\d+$"}, "ParameterPatternMismatchException",
                "a value that its own pattern forbids", source=PUT,
                says="cannot be validated against allowedPattern"),
    ssm.refuses("PutParameter", {**PARAMETER, "AllowedPattern": "^(x$"}, "InvalidAllowedPatternException",
                "a pattern that is none", source=PUT),
    ssm.accepts("PutParameter", {**PARAMETER, "AllowedPattern": "^[a-z]+$"}, "a value of its pattern", source=PUT),
    ssm.accepts("PutParameter", {**PARAMETER, "Value": "x" * 60 + "!", "AllowedPattern": "^(x+x+)+$"},
                "a pattern that takes for ever stops nothing", source=PUT,
                then=[ssm.step("GetParameter", {"Name": "/shop/db"})]),
    ssm.refuses("GetParameter", {"Name": "/shop/none"}, "ParameterNotFound", "a parameter that is not there",
                source=API.format("GetParameter")),
    ssm.accepts("GetParameters", {"Names": ["/shop/db", "/shop/none"]}, "of two parameters, one is there", given=[DB],
                shows={"Parameters[0].Name": "/shop/db", "InvalidParameters": ["/shop/none"]},
                source=API.format("GetParameters")),
    ssm.refuses("DeleteParameter", {"Name": "/shop/none"}, "ParameterNotFound", "deleting what is not there",
                source=API.format("DeleteParameter")),
    ssm.accepts("GetParametersByPath", {"Path": "/shop"}, "all below a path", given=[DB],
                shows={"Parameters[0].Name": "/shop/db"}, source=API.format("GetParametersByPath")),
    ssm.refuses("GetParametersByPath", {"Path": "shop"}, "ValidationException", "a path without its slash",
                source=API.format("GetParametersByPath")),
]  # fmt: skip
