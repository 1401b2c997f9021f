import json, os, boto3
s3 = boto3.client("s3")
b = os.environ["BUCKET"]
out = {}
for o in s3.list_objects_v2(Bucket=b, Prefix=os.environ.get("PREFIX", "")).get("Contents", []):
    out[o["Key"]] = s3.get_object(Bucket=b, Key=o["Key"])["Body"].read().decode("utf-8")
print(json.dumps(out))
