import boto3

ecr = boto3.client("ecr")


def enable_scanning(repository):
    """A rule of the registry, added to those that are there."""
    rules = ecr.get_registry_scanning_configuration()["scanningConfiguration"].get("rules", [])
    rules.append(
        {"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": [{"filter": repository, "filterType": "WILDCARD"}]}
    )
    ecr.put_registry_scanning_configuration(scanType="BASIC", rules=rules)


def all_findings(repository, tag):
    given = dict(repositoryName=repository, imageId={"imageTag": tag}, maxResults=1000)
    while True:
        page = ecr.describe_image_scan_findings(**given)
        yield page
        if "nextToken" not in page:
            return
        given["nextToken"] = page["nextToken"]


def finding_names(repository, tag):
    return [f["name"] for page in all_findings(repository, tag) for f in page["imageScanFindings"]["findings"]]


def may_release(repository, tag):
    try:
        pages = list(all_findings(repository, tag))
    except (ecr.exceptions.ScanNotFoundException, ecr.exceptions.ImageNotFoundException):
        return False
    if pages[0]["imageScanStatus"]["status"] not in ("COMPLETE", "ACTIVE"):
        return False
    return all(f["severity"] != "CRITICAL" for page in pages for f in page["imageScanFindings"]["findings"])
