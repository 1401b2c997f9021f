"""1.2: a private repository."""

import boto3


def create_repository(name: str, tags: dict[str, str], kms_key: str | None = None) -> str:
    """Make sure that the private repository exists as it should be; return its URI."""
    ecr = boto3.client("ecr")
    encryption = {"encryptionType": "KMS", "kmsKey": kms_key} if kms_key else {"encryptionType": "AES256"}
    wanted = [{"Key": key, "Value": value} for key, value in tags.items()]
    try:
        made = ecr.create_repository(
            repositoryName=name,
            imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
            imageTagMutabilityExclusionFilters=[{"filterType": "WILDCARD", "filter": "latest"}],
            encryptionConfiguration=encryption,
            tags=wanted,
        )
        return made["repository"]["repositoryUri"]
    except ecr.exceptions.RepositoryAlreadyExistsException:
        return bring_in_line(ecr, name, wanted)


def bring_in_line(ecr, name: str, wanted: list[dict[str, str]]) -> str:
    """Give a repository that exists the tag setting and the resource tags it should have."""
    repository = ecr.describe_repositories(repositoryNames=[name])["repositories"][0]
    arn = repository["repositoryArn"]
    ecr.put_image_tag_mutability(repositoryName=name, imageTagMutability="IMMUTABLE")
    there = ecr.list_tags_for_resource(resourceArn=arn)["tags"]
    keys = {tag["Key"] for tag in wanted}
    if unwanted := [tag["Key"] for tag in there if tag["Key"] not in keys]:
        ecr.untag_resource(resourceArn=arn, tagKeys=unwanted)
    if wanted:
        ecr.tag_resource(resourceArn=arn, tags=wanted)
    return repository["repositoryUri"]
