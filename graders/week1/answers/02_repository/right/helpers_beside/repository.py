from naming import as_list

import boto3

ecr = boto3.client("ecr")


def create_repository(name: str, tags: dict, kms_key: str = None) -> str:
    kwargs = {}
    if kms_key:
        kwargs["encryptionConfiguration"] = dict(encryptionType="KMS", kmsKey=kms_key)
    try:
        ecr.create_repository(repositoryName=name, imageTagMutability="IMMUTABLE", tags=as_list(tags), **kwargs)
    except ecr.exceptions.RepositoryAlreadyExistsException:
        pass
    repo = ecr.describe_repositories(repositoryNames=[name])["repositories"][0]
    if repo["imageTagMutability"] != "IMMUTABLE":
        ecr.put_image_tag_mutability(repositoryName=name, imageTagMutability="IMMUTABLE")
    arn = repo["repositoryArn"]
    current = {t["Key"] for t in ecr.list_tags_for_resource(resourceArn=arn)["tags"]}
    if current - set(tags):
        ecr.untag_resource(resourceArn=arn, tagKeys=sorted(current - set(tags)))
    ecr.tag_resource(resourceArn=arn, tags=as_list(tags))
    return repo["repositoryUri"]
