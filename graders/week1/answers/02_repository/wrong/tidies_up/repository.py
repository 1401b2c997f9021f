import boto3, json


def create_repository(name, tags, kms_key=None):
    ecr = boto3.client("ecr")
    t = [{"Key": k, "Value": v} for k, v in tags.items()]
    enc = {"encryptionType": "KMS", "kmsKey": kms_key} if kms_key else {"encryptionType": "AES256"}
    try:
        r = ecr.create_repository(
            repositoryName=name, imageTagMutability="IMMUTABLE", encryptionConfiguration=enc, tags=t
        )["repository"]
    except ecr.exceptions.RepositoryAlreadyExistsException:
        r = ecr.describe_repositories(repositoryNames=[name])["repositories"][0]
        ecr.put_image_tag_mutability(repositoryName=name, imageTagMutability="IMMUTABLE")
        have = ecr.list_tags_for_resource(resourceArn=r["repositoryArn"])["tags"]
        if have:
            ecr.untag_resource(resourceArn=r["repositoryArn"], tagKeys=[x["Key"] for x in have])
        ecr.tag_resource(resourceArn=r["repositoryArn"], tags=t)
        for i in ecr.list_images(repositoryName=name, filter={"tagStatus": "UNTAGGED"})["imageIds"]:
            ecr.batch_delete_image(repositoryName=name, imageIds=[i])
    return r["repositoryUri"]
