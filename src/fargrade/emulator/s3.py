"""S3: names that buckets may have, what a new bucket has by default, and policies that it takes.

Sources: Amazon S3 User Guide, "General purpose bucket naming rules", "Blocking public access to your Amazon S3
storage", "Controlling ownership of objects and disabling ACLs", "Setting default server-side encryption"; API
Reference, "Error responses". Since April 2023 a new bucket blocks public access and has no ACLs; moto's has neither
(upstream).
"""

from __future__ import annotations

import os
import re
from typing import Any
from urllib.parse import unquote

from fargrade.emulator.errors import Refused
from fargrade.emulator.extensions import control_op, on_reset
from fargrade.emulator.iam.principals import refuse_unknown
from fargrade.emulator.rules import Call, account, follower, refusal
from fargrade.semantics.iam import MalformedPolicy, Policy, Statement, parse_policy

PAGE = "MOTO_S3_DEFAULT_MAX_KEYS"  # as moto names it
NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
ADDRESS = re.compile(r"\d{1,3}(\.\d{1,3}){3}")
BEGINNINGS = ("xn--", "sthree-", "amzn-s3-demo-")
ENDINGS = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
# "The meaning of public": an Allow for everybody is not public where one of these keys is held to fixed values.
FIXED = ("aws:sourceip", "aws:sourcearn", "aws:sourceaccount", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceowner")
FIXED_ALSO = ("aws:principalorgid", "aws:principalarn", "aws:principalaccount", "aws:userid", "s3:dataaccesspointarn")
ACL_CALLS = ("PutBucketAcl", "PutObjectAcl", "PutObject", "CopyObject", "CreateMultipartUpload")
CHANGES = ("StorageClass", "WebsiteRedirectLocation", "ServerSideEncryption", "SSEKMSKeyId", "SSECustomerKey")
GRANTS = ("GrantFullControl", "GrantRead", "GrantReadACP", "GrantWrite", "GrantWriteACP", "AccessControlPolicy")


class OwnKeys(dict[str, Any]):
    """The encryption that a bucket has by default: no PutBucketEncryption has said it."""


@control_op("short_lists")
def short_lists(keys: int) -> None:
    """From now on a list of objects comes `keys` at a time, unless MaxKeys asks for another number.

    API_ListObjectsV2.html: "By default, the action returns up to 1,000 key names. The response might contain fewer keys
    but will never contain more."
    """
    os.environ[PAGE] = str(keys)


@on_reset
def _lists_as_usual() -> None:
    os.environ.pop(PAGE, None)


def _bucket(name: str) -> Any:
    """moto's bucket; None where there is none in this account."""
    from moto.s3.models import s3_backends

    return s3_backends[account()]["aws"].buckets.get(name)


@refusal("s3", "CreateBucket")
def name_is_one(call: Call) -> None:
    """bucketnamingrules.html. moto takes names that could never be part of an address (upstream)."""
    name = call.parameters["Bucket"]
    good = NAME.fullmatch(name) and ".." not in name and not ADDRESS.fullmatch(name)
    if not good or name.startswith(BEGINNINGS) or name.endswith(ENDINGS):
        raise Refused("InvalidBucketName", "The specified bucket is not valid.")


@follower("s3", "CreateBucket")
def new_bucket_is_closed(call: Call) -> None:
    """What every new bucket has: no public access, no ACLs, encryption with S3's own keys."""
    from moto.s3.models import PublicAccessBlock

    bucket = _bucket(call.parameters["Bucket"])
    if bucket is None:
        return
    bucket.public_access_block = bucket.public_access_block or PublicAccessBlock(True, True, True, True)
    bucket.ownership_rule = bucket.ownership_rule or "BucketOwnerEnforced"
    bucket.encryption = bucket.encryption or OwnKeys(
        {"Rule": {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}}
    )


@refusal("s3", "CopyObject")
def a_copy_differs(call: Call) -> None:
    """API_CopyObject.html. For moto a bucket's default encryption, which each has, is a change (upstream)."""
    given = call.parameters
    path, _, version = str(given["CopySource"]).partition("?versionId=")
    same = unquote(path).lstrip("/") == f"{given['Bucket']}/{given['Key']}"
    changed = given.get("MetadataDirective") == "REPLACE" or any(given.get(one) for one in CHANGES)
    bucket = _bucket(given["Bucket"])
    if not same or version or changed or bucket is None or given["Key"] not in bucket.keys:
        return
    if isinstance(bucket.encryption, OwnKeys):
        raise Refused(
            "InvalidRequest",
            "This copy request is illegal because it is trying to copy an object to itself without changing the "
            "object's metadata, storage class, website redirect location or encryption attributes.",
        )


@refusal("s3", *ACL_CALLS)
def acls_are_off(call: Call) -> None:
    """about-object-ownership.html: the only ACL that such a bucket takes gives its owner full control."""
    given, bucket = call.parameters, _bucket(call.parameters["Bucket"])
    asks = given.get("ACL") not in (None, "bucket-owner-full-control") or any(given.get(one) for one in GRANTS)
    if bucket is not None and asks and "BucketOwnerEnforced" in str(bucket.ownership_rule):
        raise Refused("AccessControlListNotSupported", "The bucket does not allow ACLs")


@refusal("s3", "PutBucketPolicy")
def policy_is_one(call: Call) -> None:
    """A bucket's policy is about this bucket, and public only where that is not blocked. moto keeps any text."""
    name = call.parameters["Bucket"]
    bucket = _bucket(name)
    if bucket is None:
        return
    policy = _parsed(call.parameters["Policy"])
    for statement in policy.statements:
        _about(statement, name)
    blocked = bucket.public_access_block
    if blocked is not None and blocked.block_public_policy and any(map(_public, policy.statements)):
        raise Refused(
            "AccessDenied",
            f"User: {call.caller.arn} is not authorized to perform: s3:PutBucketPolicy "
            f'on resource: "arn:aws:s3:::{name}" '
            "because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.",
            403,
        )


def _parsed(text: str) -> Policy:
    if not text.lstrip().startswith("{"):
        raise Refused("MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'")
    try:
        policy = parse_policy(text, "resource")
        refuse_unknown(policy)
    except MalformedPolicy as refused:
        raise Refused("MalformedPolicy", refused.message) from None
    except Refused:
        raise Refused("MalformedPolicy", "Invalid principal in policy") from None
    return policy


def _about(statement: Statement, bucket: str) -> None:
    if not statement.resources:
        raise Refused("MalformedPolicy", "Missing required field Resource")
    if any(action != "*" and not action.lower().startswith("s3:") for action in statement.actions):
        raise Refused("MalformedPolicy", "Policy has invalid action")
    whole = f"arn:aws:s3:::{bucket}"
    if any(one != whole and not one.startswith((f"{whole}/", f"{whole}*")) for one in statement.resources):
        raise Refused("MalformedPolicy", "Policy has invalid resource")


def _public(statement: Statement) -> bool:
    everybody = statement.principals is not None and any(
        kind == "AWS" and "*" in names for kind, names in statement.principals.by_kind
    )
    fixed = any(
        one.key in (*FIXED, *FIXED_ALSO) and not one.negated and not {"*", "0.0.0.0/0", "::/0"} & set(one.values)
        for one in statement.conditions
    )
    return statement.allows and everybody and not fixed
