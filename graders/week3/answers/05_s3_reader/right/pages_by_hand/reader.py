import io
import json
import os
import sys

import boto3
import botocore.exceptions


def keys(s3, bucket, prefix):
    more = {}
    while True:
        page = s3.list_objects_v2(Bucket=bucket, Prefix=prefix, **more)
        yield from (one["Key"] for one in page.get("Contents", ()))
        if not page["IsTruncated"]:
            return
        more = {"ContinuationToken": page["NextContinuationToken"]}


s3 = boto3.session.Session().client("s3")
bucket = os.environ["BUCKET"]
out = {}
try:
    for key in keys(s3, bucket, os.environ.get("PREFIX", "")):
        into = io.BytesIO()
        s3.download_fileobj(bucket, key, into)
        out[key] = into.getvalue().decode("utf-8")
except botocore.exceptions.ClientError as problem:
    if problem.response["Error"]["Code"] not in ("AccessDenied", "403"):
        raise
    print("AccessDenied:", problem, file=sys.stderr)
    sys.exit(3)
json.dump(out, sys.stdout, indent=2)
