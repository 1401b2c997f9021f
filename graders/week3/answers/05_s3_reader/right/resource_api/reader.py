import json
import os

import boto3

bucket = boto3.resource("s3").Bucket(os.environ["BUCKET"])
texts = {one.key: one.get()["Body"].read().decode() for one in bucket.objects.filter(Prefix=os.getenv("PREFIX") or "")}
print(json.dumps(texts))
