"""Image scanning: on push, by hand, by the registry's rules; findings in pages, basic and enhanced."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from moto.ecr.models import ECRBackend, Repository

from fargrade.emulator import clock
from fargrade.emulator.ecr.store import (
    StoredImage,
    backend,
    find_image,
    image_id,
    images_of,
    of,
    page,
    shown,
    wildcard,
)
from fargrade.emulator.errors import Refused
from fargrade.emulator.rules import Call, answer, refusal

SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNDEFINED", "UNTRIAGED")
DONE = ("COMPLETE", "ACTIVE")
# Turning enhanced scanning on scans what was pushed of late; the documentation said 30 days, and now says 14.
LOOKS_BACK = timedelta(days=14)
FREQUENCIES = {"BASIC": ("SCAN_ON_PUSH", "MANUAL"), "ENHANCED": ("SCAN_ON_PUSH", "CONTINUOUS_SCAN")}


def filter_matches(pattern: str, name: str) -> bool:
    """Whether a registry rule's filter matches the repository's name.

    image-scanning.html, "Filter wildcards": one without `*` matches every name that contains it.
    """
    return wildcard(pattern if "*" in pattern else f"*{pattern}*", name)


# moto reads filters as regular expressions, matches only a prefix of the name, and can be kept busy for hours by
# a filter of many `*` (upstream). The method is called when a repository is made, so it is replaced here.
ECRBackend._match_repository_filter = lambda _, pattern, name: filter_matches(pattern, name)  # type: ignore[method-assign,assignment]


def applied(region: str, held: Repository) -> tuple[str, list[dict[str, Any]]]:
    """(how often the repository is scanned, the filters that say so): its own setting, and the registry's rules.

    image-scanning.html: continuous scanning wins over scan on push, the repository's own setting is deprecated
    and still honoured.
    """
    configuration = registry_configuration(region)
    matching: dict[str, list[dict[str, Any]]] = {}
    for rule in configuration["rules"]:  # two rules may have the same frequency
        filters = [one for one in rule["repositoryFilters"] if filter_matches(one["filter"], held.name)]
        matching.setdefault(rule["scanFrequency"], []).extend(filters)
    for frequency in ("CONTINUOUS_SCAN", "SCAN_ON_PUSH"):
        if matching.get(frequency):
            return frequency, matching[frequency]
    setting: Any = held.image_scanning_configuration or {}
    return ("SCAN_ON_PUSH", []) if setting.get("scanOnPush") else ("MANUAL", matching.get("MANUAL", []))


def registry_configuration(region: str) -> dict[str, Any]:
    """The registry's scanning configuration; basic and without rules unless set."""
    configuration: dict[str, Any] = backend(region).registry_scanning_configuration
    return configuration


def scan_on_push(region: str, held: Repository, image: StoredImage) -> None:
    """Scan the image if the repository is scanned on push. An index is not scanned: its images are."""
    if not image.scan_status and not image.children and applied(region, held)[0] != "MANUAL":
        scan(region, held, image)


def scan(region: str, held: Repository, image: StoredImage) -> None:
    """Scan: what is found in an image of the emulator's is nothing, unless the grader planted findings."""
    image.enhanced = registry_configuration(region)["scanType"] == "ENHANCED"
    image.scan_status = "ACTIVE" if applied(region, held)[0] == "CONTINUOUS_SCAN" else "COMPLETE"
    image.scanned = clock.now()
    image.findings = image.findings or []


@answer("ecr", "StartImageScan")
def start_image_scan(call: Call) -> dict[str, Any]:
    """StartImageScan: an image may be scanned once in 24 hours, the scan on push included (image-scanning-basic.html).

    With enhanced scanning there are no manual scans: ValidationException, "This feature is disabled"
    (reported in alexjurkiewicz/ecr-scan-image, issue 44).
    """
    held = of(call)
    image = find_image(held, call.parameters["imageId"])
    if registry_configuration(call.region)["scanType"] == "ENHANCED":
        raise Refused("ValidationException", "This feature is disabled")
    if image.children:
        raise Refused("UnsupportedImageTypeException", "An image index cannot be scanned: scan its images.")
    if image.scanned and clock.now() - image.scanned < timedelta(hours=24):
        raise Refused("LimitExceededException", "The scan quota per image has been exceeded. Wait and try again.")
    scan(call.region, held, image)
    return {
        "registryId": held.registry_id,
        "repositoryName": held.name,
        "imageId": image_id(image, call.parameters["imageId"].get("imageTag")),
        "imageScanStatus": {"status": "IN_PROGRESS"},
    }


@answer("ecr", "DescribeImageScanFindings")
def describe_findings(call: Call) -> dict[str, Any]:
    """DescribeImageScanFindings, paged: 100 findings a page unless maxResults says otherwise (1 to 1000)."""
    held, given = of(call), call.parameters
    image = find_image(held, given["imageId"])
    if not image.scan_status:
        raise Refused(
            "ScanNotFoundException",
            f"Image scan does not exist for the image with '{shown(given['imageId'])}' in the repository with name "
            f"'{held.name}' in the registry with id '{held.registry_id}'",
        )
    result: dict[str, Any] = {
        "registryId": held.registry_id,
        "repositoryName": held.name,
        "imageId": image_id(image, given["imageId"].get("imageTag")),
        "imageScanStatus": _status(image),
    }
    if image.scan_status in DONE:
        found, result["nextToken"] = page(image.findings or [], given)
        shown_as = "enhancedFindings" if image.enhanced else "findings"
        result["imageScanFindings"] = {
            "imageScanCompletedAt": image.scanned,
            "vulnerabilitySourceUpdatedAt": image.scanned,
            "findingSeverityCounts": _counts(image.findings or []),
            shown_as: [_enhanced(held, image, one) if image.enhanced else one for one in found],
        }
    return result


def summary(image: StoredImage) -> dict[str, Any]:
    """What DescribeImages says of the image's scan; nothing where there was none."""
    if not image.scan_status:
        return {}
    said: dict[str, Any] = {"imageScanStatus": _status(image)}
    if image.scan_status in DONE:
        said["imageScanFindingsSummary"] = {
            "imageScanCompletedAt": image.scanned,
            "vulnerabilitySourceUpdatedAt": image.scanned,
            "findingSeverityCounts": _counts(image.findings or []),
        }
    return said


def _status(image: StoredImage) -> dict[str, str]:
    words = {
        "COMPLETE": "The scan was completed successfully.",
        "ACTIVE": "Continuous scan is selected for image.",
        "FAILED": "UnsupportedImageError: The operating system of the image is not supported.",
    }
    return {"status": image.scan_status, "description": words.get(image.scan_status, "")}


def _counts(findings: list[dict[str, Any]]) -> dict[str, int]:
    amounts = {severity: sum(1 for one in findings if one.get("severity") == severity) for severity in SEVERITIES}
    return {severity: amount for severity, amount in amounts.items() if amount}


def _enhanced(held: Repository, image: StoredImage, finding: dict[str, Any]) -> dict[str, Any]:
    """A finding as Amazon Inspector reports it: API_EnhancedImageScanFinding.html."""
    name = str(finding.get("name", ""))
    resource = f"{held.arn}/{image.get_image_digest()}"
    return {
        "awsAccountId": held.account_id,
        "findingArn": f"arn:aws:inspector2:{held.region_name}:{held.account_id}:finding/{name}",
        "title": name,
        "description": finding.get("description", ""),
        "severity": finding.get("severity", "UNTRIAGED"),
        "status": "ACTIVE",
        "type": "PACKAGE_VULNERABILITY",
        "firstObservedAt": image.scanned,
        "lastObservedAt": image.scanned,
        "updatedAt": image.scanned,
        "packageVulnerabilityDetails": {
            "vulnerabilityId": name,
            "sourceUrl": finding.get("uri", ""),
            "vulnerablePackages": [
                {"name": one["value"]} for one in finding.get("attributes", []) if one.get("key") == "package_name"
            ],
        },
        "resources": [
            {
                "id": resource,
                "type": "AWS_ECR_CONTAINER_IMAGE",
                "details": {
                    "awsEcrContainerImage": {
                        "imageHash": image.get_image_digest(),
                        "imageTags": list(image.image_tags),
                        "registry": held.registry_id,
                        "repositoryName": held.name,
                        "pushedAt": image.pushed,
                    }
                },
            }
        ],
    }


# --- the registry's configuration --------------------------------------------------------------------


@refusal("ecr", "PutRegistryScanningConfiguration")
def _frequencies_are_of_the_type(call: Call) -> None:
    """API_RegistryScanningRule.html: enhanced has CONTINUOUS_SCAN and SCAN_ON_PUSH, basic SCAN_ON_PUSH, else MANUAL.

    Which error AWS gives is not documented; the API lists InvalidParameterException and ValidationException.
    """
    kind = call.parameters.get("scanType") or "BASIC"
    for rule in call.parameters.get("rules") or []:
        if rule["scanFrequency"] not in FREQUENCIES[kind]:
            raise Refused(
                "ValidationException", f"The scan frequency {rule['scanFrequency']} is not supported by {kind} scanning"
            )


@answer("ecr", "PutRegistryScanningConfiguration")
def put_registry_configuration(call: Call) -> dict[str, Any]:
    """PutRegistryScanningConfiguration. moto fails where `rules` or `scanType` is left out (upstream)."""
    given = {"scanType": call.parameters.get("scanType") or "BASIC", "rules": call.parameters.get("rules") or []}
    ecr = backend(call.region)
    ecr.registry_scanning_configuration = given
    if given["scanType"] == "ENHANCED":
        for held in ecr.repositories.values():
            for image in images_of(held):
                if clock.now() - image.pushed <= LOOKS_BACK:
                    scan_on_push(call.region, held, image)
    return {"registryScanningConfiguration": given}


@answer("ecr", "GetRegistryScanningConfiguration")
def get_registry_configuration(call: Call) -> dict[str, Any]:
    """GetRegistryScanningConfiguration."""
    return {"registryId": call.account, "scanningConfiguration": registry_configuration(call.region)}


@answer("ecr", "BatchGetRepositoryScanningConfiguration")
def batch_get_configuration(call: Call) -> dict[str, Any]:
    """What applies to each repository. moto never sees the repository's own setting (upstream)."""
    names = call.parameters["repositoryNames"]
    held = backend(call.region).repositories
    return {
        "scanningConfigurations": [_configuration(call.region, held[name]) for name in names if name in held],
        "failures": [
            {
                "repositoryName": name,
                "failureCode": "REPOSITORY_NOT_FOUND",
                "failureReason": "REPOSITORY_NOT_FOUND",
            }
            for name in names
            if name not in held
        ],
    }


def _configuration(region: str, held: Repository) -> dict[str, Any]:
    frequency, filters = applied(region, held)
    return {
        "repositoryArn": held.arn,
        "repositoryName": held.name,
        "scanOnPush": frequency == "SCAN_ON_PUSH",
        "scanFrequency": frequency,
        "appliedScanFilters": filters,
    }
