import os

import boto3


class Repositories:
    """An object around the client; the URI is put together from account and region."""

    def __init__(self):
        self.ecr = boto3.client("ecr", region_name=os.environ["AWS_REGION"])
        self.account = boto3.client("sts").get_caller_identity()["Account"]

    def ensure(self, name, tags, kms_key):
        pairs = [{"Key": key, "Value": tags[key]} for key in sorted(tags)]
        encryption = {"encryptionType": "KMS", "kmsKey": kms_key} if kms_key else {"encryptionType": "AES256"}
        known = [r for page in self.ecr.get_paginator("describe_repositories").paginate() for r in page["repositories"]]
        match = [r for r in known if r["repositoryName"] == name]
        if match:
            arn = match[0]["repositoryArn"]
            old = [t["Key"] for t in self.ecr.list_tags_for_resource(resourceArn=arn)["tags"]]
            if old:
                self.ecr.untag_resource(resourceArn=arn, tagKeys=old)
            self.ecr.tag_resource(resourceArn=arn, tags=pairs)
            self.ecr.put_image_tag_mutability(repositoryName=name, imageTagMutability="IMMUTABLE")
        else:
            self.ecr.create_repository(
                repositoryName=name, tags=pairs, imageTagMutability="IMMUTABLE", encryptionConfiguration=encryption
            )
        return f"{self.account}.dkr.ecr.{self.ecr.meta.region_name}.amazonaws.com/{name}"


def create_repository(name, tags, kms_key=None):
    return Repositories().ensure(name, tags, kms_key)
