"""Asks whether it is there, then creates or changes: the same end, step by step."""

import boto3
from botocore.exceptions import ClientError


def create_repository(name, tags, kms_key=None):
    session = boto3.session.Session()
    ecr = session.client("ecr")
    try:
        repo = ecr.describe_repositories(repositoryNames=[name])["repositories"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] != "RepositoryNotFoundException":
            raise
        encryption = {"encryptionType": "AES256"}
        if kms_key is not None:
            encryption = {"encryptionType": "KMS", "kmsKey": kms_key}
        repo = ecr.create_repository(repositoryName=name, encryptionConfiguration=encryption)["repository"]
    ecr.put_image_tag_mutability(repositoryName=name, imageTagMutability="IMMUTABLE")
    arn = repo["repositoryArn"]
    for tag in ecr.list_tags_for_resource(resourceArn=arn)["tags"]:
        if tag["Key"] not in tags:
            ecr.untag_resource(resourceArn=arn, tagKeys=[tag["Key"]])
    ecr.tag_resource(resourceArn=arn, tags=[{"Key": k, "Value": v} for k, v in tags.items()])
    return repo["repositoryUri"]
