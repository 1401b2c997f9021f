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
def may_release(repository, tag):
    imgs = ecr.describe_images(repositoryName=repository)["imageDetails"]
    d = sorted(imgs, key=lambda x: x["imagePushedAt"])[-1]
    return d.get("imageScanStatus", {}).get("status") in ("COMPLETE", "ACTIVE") and not d.get("imageScanFindingsSummary", {}).get("findingSeverityCounts", {}).get("CRITICAL")
