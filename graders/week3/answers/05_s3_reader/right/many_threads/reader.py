import concurrent.futures, io, json, os, sys
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, BotoCoreError

session = boto3.Session(region_name="us-east-1")
s3 = session.client("s3", config=Config(retries={"mode": "standard"}, max_pool_connections=20))

def text(key):
    buffer = io.BytesIO()
    s3.download_fileobj(os.environ["BUCKET"], key, buffer)
    return key, buffer.getvalue().decode()

try:
    keys = list(s3.get_paginator("list_objects").paginate(Bucket=os.environ["BUCKET"], Prefix=os.getenv("PREFIX") or "").search("Contents[].Key"))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        found = dict(pool.map(text, [k for k in keys if k]))
except (ClientError, BotoCoreError) as error:
    code = getattr(error, "response", {}).get("Error", {}).get("Code")
    sys.exit(f"cannot read: {'AccessDenied' if code in ('403', 'AccessDenied') else error}")
json.dump(found, sys.stdout, ensure_ascii=False, indent=2, sort_keys=True)
