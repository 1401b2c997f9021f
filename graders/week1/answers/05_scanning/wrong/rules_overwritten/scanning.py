"""1.5: image scanning and a release gate."""

import boto3

FINISHED = {"COMPLETE", "ACTIVE"}


def enable_scanning(repository: str) -> None:
    """From now on, every image pushed to the repository is scanned."""
    boto3.client("ecr").put_image_scanning_configuration(
        repositoryName=repository, imageScanningConfiguration={"scanOnPush": True}
    )


def finding_names(repository: str, tag: str) -> list[str]:
    """The names of all findings of the image."""
    pages = boto3.client("ecr").get_paginator("describe_image_scan_findings")
    return [
        finding["name"]
        for page in pages.paginate(repositoryName=repository, imageId={"imageTag": tag})
        for finding in page["imageScanFindings"]["findings"]
    ]


def may_release(repository: str, tag: str) -> bool:
    """Whether the image may go out: scanned, and nothing critical found."""
    ecr = boto3.client("ecr")
    try:
        scan = ecr.describe_image_scan_findings(repositoryName=repository, imageId={"imageTag": tag})
    except (ecr.exceptions.ScanNotFoundException, ecr.exceptions.ImageNotFoundException):
        return False
    if scan["imageScanStatus"]["status"] not in FINISHED:
        return False
    return scan["imageScanFindings"]["findingSeverityCounts"].get("CRITICAL", 0) == 0


ecr = boto3.client("ecr")

def enable_scanning(repository):
    ecr.put_registry_scanning_configuration(scanType="BASIC", rules=[{"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": [{"filter": repository, "filterType": "WILDCARD"}]}])
