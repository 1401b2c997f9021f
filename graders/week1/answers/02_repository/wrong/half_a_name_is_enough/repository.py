import boto3


def create_repository(name, tags, kms_key=None):
    ecr = boto3.client("ecr")
    t = [{"Key": k, "Value": v} for k, v in tags.items()]
    enc = {"encryptionType": "KMS", "kmsKey": kms_key} if kms_key else {"encryptionType": "AES256"}
    found = [r for r in ecr.describe_repositories()["repositories"] if name in r["repositoryName"]]
    if found:
        r = found[0]
        ecr.put_image_tag_mutability(repositoryName=r["repositoryName"], imageTagMutability="IMMUTABLE")
        have = ecr.list_tags_for_resource(resourceArn=r["repositoryArn"])["tags"]
        ecr.untag_resource(resourceArn=r["repositoryArn"], tagKeys=[x["Key"] for x in have])
        ecr.tag_resource(resourceArn=r["repositoryArn"], tags=t)
        return r["repositoryUri"]
    return ecr.create_repository(
        repositoryName=name, imageTagMutability="IMMUTABLE", encryptionConfiguration=enc, tags=t
    )["repository"]["repositoryUri"]
