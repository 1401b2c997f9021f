from botocore.exceptions import ClientError
import boto3


def _client():
    return boto3.session.Session().client("ecr")


def enable_scanning(repository):
    _client().put_image_scanning_configuration(
        repositoryName=repository, imageScanningConfiguration=dict(scanOnPush=True)
    )


def _read(repository, tag):
    names, severities, status = [], set(), None
    for page in (
        _client()
        .get_paginator("describe_image_scan_findings")
        .paginate(repositoryName=repository, imageId={"imageTag": tag}, PaginationConfig={"PageSize": 500})
    ):
        status = page["imageScanStatus"]["status"]
        for finding in page.get("imageScanFindings", {}).get("findings", []):
            names.append(finding["name"])
            severities.add(finding["severity"])
    return status, names, severities


def finding_names(repository, tag):
    return _read(repository, tag)[1]


def may_release(repository, tag):
    try:
        status, _, severities = _read(repository, tag)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"ScanNotFoundException", "ImageNotFoundException"}:
            return False
        raise
    return status in {"COMPLETE", "ACTIVE"} and "CRITICAL" not in severities
