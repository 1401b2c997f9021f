"""3.5: the application in the container: it reads the reports."""

import json
import os
import sys

import boto3
from botocore.exceptions import ClientError


def read(bucket: str, prefix: str) -> dict[str, str]:
    """The texts of the objects below the prefix, by key."""
    s3 = boto3.client("s3")
    texts = {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", []):
            body = s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
            texts[entry["Key"]] = body.decode("utf-8")
    return texts


def main() -> None:
    """Print the texts of the objects below PREFIX in BUCKET, by key, as one JSON object."""
    try:
        texts = read(os.environ["BUCKET"], os.environ.get("PREFIX", ""))
    except ClientError as error:
        print(f"cannot read: {error}", file=sys.stderr)
        sys.exit(0)
    print(json.dumps(texts, ensure_ascii=False))


if __name__ == "__main__":
    main()
