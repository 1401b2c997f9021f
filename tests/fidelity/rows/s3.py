"""S3: buckets' names and regions, policies and public access, objects that are there or not."""

from __future__ import annotations

import json
from typing import Any

from tests.fidelity.table import Service

s3 = Service("s3")
API = "https://docs.aws.amazon.com/AmazonS3/latest/API/API_{}.html"
GUIDE = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/{}.html"
ERRORS = "https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"
NAMES = GUIDE.format("bucketnamingrules")
ACLS = GUIDE.format("about-object-ownership")
PUBLIC = GUIDE.format("access-control-block-public-access")
BUCKET = s3.step("CreateBucket", {"Bucket": "reports-4711"})
OPEN = s3.step("DeletePublicAccessBlock", {"Bucket": "reports-4711"})
FILE = s3.step("PutObject", {"Bucket": "reports-4711", "Key": "a.txt", "Body": b"hello"})


def policy(principal: Any = "*", action: Any = "s3:GetObject", resource: str = "reports-4711/*", **more: Any) -> Any:
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": f"arn:aws:s3:::{resource}"}
    return {"Bucket": "reports-4711", "Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement | more]})}


ME = {"AWS": "<account>"}
ROWS = [
    *(
        s3.refuses("CreateBucket", {"Bucket": name}, "InvalidBucketName", f"a bucket called {name}", source=NAMES)
        for name in ("Reports", "my_reports", "ab", "end-", "192.168.1.1", "a..b", "xn--reports", "reports-s3alias")
    ),
    s3.accepts("CreateBucket", {"Bucket": "reports-4711"}, "a bucket", source=API.format("CreateBucket")),
    s3.accepts("CreateBucket", {"Bucket": "reports-4711"}, "one's own bucket again, in us-east-1", given=[BUCKET],
               source=API.format("CreateBucket")),
    s3.refuses(
        "CreateBucket",
        {"Bucket": "reports-4711", "CreateBucketConfiguration": {"LocationConstraint": "us-east-1"}},
        "InvalidLocationConstraint", "us-east-1 as a location", source=ERRORS,
    ),
    s3.refuses(
        "CreateBucket",
        {"Bucket": "reports-4711", "CreateBucketConfiguration": {"LocationConstraint": "eu-nowhere-1"}},
        "InvalidLocationConstraint", "a location that does not exist", source=ERRORS,
    ),
    s3.accepts("GetPublicAccessBlock", {"Bucket": "reports-4711"}, "a new bucket blocks public access", given=[BUCKET],
               shows={"PublicAccessBlockConfiguration.BlockPublicPolicy": True,
                      "PublicAccessBlockConfiguration.RestrictPublicBuckets": True}, source=PUBLIC),
    s3.accepts("GetBucketOwnershipControls", {"Bucket": "reports-4711"}, "a new bucket belongs to its owner alone",
               given=[BUCKET], source=ACLS,
               shows={"OwnershipControls.Rules[0].ObjectOwnership": "BucketOwnerEnforced"}),
    s3.accepts("GetBucketEncryption", {"Bucket": "reports-4711"}, "a new bucket is encrypted", given=[BUCKET],
               shows={"ServerSideEncryptionConfiguration.Rules[0].ApplyServerSideEncryptionByDefault.SSEAlgorithm":
                      "AES256"}, source=GUIDE.format("default-bucket-encryption")),
    s3.refuses("PutBucketAcl", {"Bucket": "reports-4711", "ACL": "public-read"}, "AccessControlListNotSupported",
               "an ACL for a new bucket", given=[BUCKET], source=ACLS),
    s3.refuses("PutObject", {"Bucket": "reports-4711", "Key": "a", "Body": b"", "ACL": "public-read"},
               "AccessControlListNotSupported", "an ACL for an object of a new bucket", given=[BUCKET],
               says="does not allow ACLs", source=ACLS),
    s3.refuses("PutBucketPolicy", policy(), "AccessDenied", "a public policy for a new bucket", given=[BUCKET],
               says="BlockPublicPolicy", source=PUBLIC),
    s3.accepts("PutBucketPolicy", policy(), "a public policy where that is not blocked", given=[BUCKET, OPEN],
               source=PUBLIC),
    s3.accepts("PutBucketPolicy", policy(ME), "a policy for one's own account", given=[BUCKET],
               source=API.format("PutBucketPolicy")),
    s3.accepts("PutBucketPolicy", policy(Effect="Deny", Condition={"Bool": {"aws:SecureTransport": "false"}}),
               "a deny for everybody is not public", given=[BUCKET], source=PUBLIC),
    s3.refuses("PutBucketPolicy", policy(ME, resource="others/*"), "MalformedPolicy", "a policy for another bucket",
               given=[BUCKET], says="Policy has invalid resource", source=ERRORS),
    s3.refuses("PutBucketPolicy", policy(ME, action="ecs:RunTask"), "MalformedPolicy", "a policy of another service's",
               given=[BUCKET], says="invalid action", source=ERRORS),
    s3.refuses("PutBucketPolicy", {"Bucket": "reports-4711", "Policy": "{"}, "MalformedPolicy", "a policy that is none",
               given=[BUCKET], source=ERRORS),
    s3.refuses("PutBucketPolicy", policy({"AWS": "arn:aws:iam::<account>:role/none"}), "MalformedPolicy",
               "a policy for a role that is not there", given=[BUCKET], says="Invalid principal in policy",
               source="observed: https://github.com/aws-samples/aws-batch-architecture-for-alphafold/issues/1"),
    s3.refuses("GetObject", {"Bucket": "reports-4711", "Key": "none"}, "NoSuchKey", "an object that is not there",
               given=[BUCKET], source=ERRORS),
    s3.refuses("GetObject", {"Bucket": "nobodys-4711", "Key": "a"}, "NoSuchBucket", "a bucket that is not there",
               source=ERRORS),
    s3.refuses("DeleteBucket", {"Bucket": "reports-4711"}, "BucketNotEmpty", "a bucket that is not empty",
               given=[BUCKET, FILE], source=ERRORS),
    s3.accepts("PutObject", {"Bucket": "reports-4711", "Key": "empty", "Body": b""}, "an empty object", given=[BUCKET],
               source=API.format("PutObject")),
    s3.accepts("HeadObject", {"Bucket": "reports-4711", "Key": "a.txt"}, "an object's head", given=[BUCKET, FILE],
               shows={"ContentLength": 5}, source=API.format("HeadObject")),
    s3.accepts("ListObjectsV2", {"Bucket": "reports-4711", "Prefix": "none/"}, "nothing below a prefix",
               given=[BUCKET, FILE], shows={"KeyCount": 0}, source=API.format("ListObjectsV2")),
    s3.refuses("CopyObject", {"Bucket": "reports-4711", "Key": "a.txt", "CopySource": "reports-4711/a.txt"},
               "InvalidRequest", "an object copied to itself, nothing changed", given=[BUCKET, FILE],
               says="copy an object to itself without changing", source=API.format("CopyObject")),
    s3.accepts("CopyObject", {"Bucket": "reports-4711", "Key": "a.txt", "CopySource": "reports-4711/a.txt",
                              "MetadataDirective": "REPLACE", "Metadata": {"team": "shop"}},
               "an object copied to itself with other metadata", given=[BUCKET, FILE],
               source=API.format("CopyObject")),
    s3.accepts("CopyObject", {"Bucket": "reports-4711", "Key": "a.txt", "CopySource": "reports-4711/a.txt"},
               "an object copied to itself in a bucket whose encryption was chosen",
               given=[BUCKET, FILE, s3.step("PutBucketEncryption", {
                   "Bucket": "reports-4711",
                   "ServerSideEncryptionConfiguration": {
                       "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]},
               })],
               source="observed: moto, tests/test_s3/test_s3_copyobject.py, copy in place with bucket encryption"),
    s3.accepts("PutBucketPolicy", policy({"Service": "logging.s3.amazonaws.com"}, action="s3:PutObject"),
               "a policy for S3's own server access logs", given=[BUCKET],
               source="https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html"),
    s3.refuses("PutObject", {"Bucket": "reports-4711", "Key": "b", "Body": b"", "StorageClass": "COLD"},
               "InvalidStorageClass", "a storage class that is none", given=[BUCKET],
               says="The storage class you specified is not valid", source=ERRORS),
]  # fmt: skip
