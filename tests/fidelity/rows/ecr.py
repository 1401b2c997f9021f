"""ECR: repositories, pushes, tags, scans, lifecycle policies."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from tests.fidelity.table import Row, Service, Step

ecr = Service("ecr")
world = Service("world")
API = "https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_{}.html"
GUIDE = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/{}.html"
DOCKER = "application/vnd.docker.distribution.manifest.v2+json"

SHOP = ecr.step("CreateRepository", {"repositoryName": "shop"}, saves={"uri": "repository.repositoryUri"})
IMMUTABLE = ecr.step("CreateRepository", {"repositoryName": "shop", "imageTagMutability": "IMMUTABLE"})
SCANNED = ecr.step("CreateRepository", {"repositoryName": "shop", "imageScanningConfiguration": {"scanOnPush": True}})
LAYER = b"a layer"
LAYER_DIGEST = "sha256:" + hashlib.sha256(LAYER).hexdigest()


def _manifest(*layers: str, config: str = "") -> str:
    made: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": DOCKER,
        "layers": [{"mediaType": "application/octet-stream", "size": len(LAYER), "digest": one} for one in layers],
    }
    if config:
        made["config"] = {"mediaType": "application/octet-stream", "size": 2, "digest": config}
    return json.dumps(made)


UPLOADED = (
    ecr.step("InitiateLayerUpload", {"repositoryName": "shop"}, saves={"upload": "uploadId"}),
    ecr.step(
        "UploadLayerPart",
        {
            "repositoryName": "shop", "uploadId": "<upload>", "partFirstByte": 0, "partLastByte": len(LAYER) - 1,
            "layerPartBlob": LAYER,
        },
    ),
    ecr.step(
        "CompleteLayerUpload",
        {"repositoryName": "shop", "uploadId": "<upload>", "layerDigests": [LAYER_DIGEST]},
        shows={"layerDigest": LAYER_DIGEST},
    ),
)  # fmt: skip
MANIFEST = _manifest(LAYER_DIGEST)
DIGEST = "sha256:" + hashlib.sha256(MANIFEST.encode()).hexdigest()


def _pushed(*tags: str, content: str = "one", **more: Any) -> Step:
    return world.step(
        "push_image",
        {"repository": "shop", "tags": list(tags), "region": "<region>", "content": content, **more},
        saves={f"image_{content}": "digest"},
    )


def _lifecycle(*rules: dict[str, Any]) -> dict[str, str]:
    return {"repositoryName": "shop", "lifecyclePolicyText": json.dumps({"rules": list(rules)})}


def _rule(selection: dict[str, Any], priority: int = 1, action: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "rulePriority": priority,
        "description": "a rule of the course, long enough to be a policy",
        "selection": selection,
        "action": action or {"type": "expire"},
    }


COUNT = {"countType": "imageCountMoreThan", "countNumber": 5}
DAYS = {"countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14}
ANY = {"tagStatus": "any", **COUNT}
UNTAGGED = {"tagStatus": "untagged", **DAYS}
TAGGED = {"tagStatus": "tagged", "tagPrefixList": ["v"], **COUNT}
LIFECYCLE = "Lifecycle policy validation failure"
PROPERTIES = GUIDE.format("lifecycle_policy_parameters")
REFUSED = "InvalidParameterException"


def _refused_rule(why: str, *rules: dict[str, Any], source: str = PROPERTIES) -> Row:
    return ecr.refuses(
        "PutLifecyclePolicy", _lifecycle(*rules), REFUSED, why, given=[SHOP], says=LIFECYCLE, source=source
    )


def _taken_rule(why: str, *rules: dict[str, Any], source: str = PROPERTIES) -> Row:
    given = _lifecycle(*rules)
    return ecr.accepts(
        "PutLifecyclePolicy", given, why, given=[SHOP], source=source,
        then=[ecr.step("GetLifecyclePolicy", {"repositoryName": "shop"},
                       shows={"lifecyclePolicyText": given["lifecyclePolicyText"]})],
    )  # fmt: skip


def _refused_text(why: str, text: str) -> Row:
    given = {"repositoryName": "shop", "lifecyclePolicyText": text}
    return ecr.refuses("PutLifecyclePolicy", given, REFUSED, why, given=[SHOP], source=API.format("PutLifecyclePolicy"))


ARCHIVE = {"type": "transition", "targetStorageClass": "archive"}
PULLED = {"tagStatus": "any", "countType": "sinceImagePulled", "countUnit": "days", "countNumber": 60}
ARCHIVED = {
    "storageClass": "archive", "countType": "sinceImageTransitioned", "countUnit": "days", "countNumber": 120,
}  # fmt: skip
MORE_REFUSED_RULES: list[tuple[str, list[dict[str, Any]]]] = [
    ("fifty-one rules", [_rule({**TAGGED, "tagPrefixList": [f"v{n}-"]}, n) for n in range(1, 52)]),
    ("two rules for any image", [_rule(ANY, 1), _rule({**ANY, **DAYS}, 2)]),
    ("any with a prefix", [_rule({**ANY, "tagPrefixList": ["v"]})]),
    ("two rules for untagged images", [_rule(UNTAGGED, 1), _rule({"tagStatus": "untagged", **COUNT}, 2)]),
    ("one prefix in two rules", [_rule(TAGGED, 1), _rule({**TAGGED, **DAYS}, 2)]),
    ("what nobody pulls, expired", [_rule(PULLED)]),
    ("archiving without saying where to", [_rule(PULLED, action={"type": "transition"})]),
    ("an archive's rule for images that are not archived",
     [_rule({**ANY, "countType": "sinceImageTransitioned", "countUnit": "days", "countNumber": 120})]),
    ("an archive kept for less than ninety days", [_rule({**ANY, **ARCHIVED, "countNumber": 30})]),
    ("moving the archive to the archive", [_rule({**ANY, **ARCHIVED}, action=ARCHIVE)]),
]  # fmt: skip

REPOSITORIES = [
    ecr.refuses(
        "CreateRepository", {"repositoryName": "Shop"}, REFUSED, "capitals in a repository's name",
        says="repositoryName.*must satisfy regular expression", source=API.format("CreateRepository"),
    ),
    ecr.refuses(
        "CreateRepository", {"repositoryName": "s"}, REFUSED, "a repository's name of one character",
        says="repositoryName", source=API.format("CreateRepository"),
    ),
    ecr.refuses(
        "CreateRepository", {}, REFUSED, "a repository with no name", says="repositoryName",
        source=API.format("CreateRepository"),
    ),
    ecr.refuses(
        "CreateRepository", {"repositoryName": "shop//web"}, REFUSED, "two slashes in a row in a name",
        says="repositoryName", source=API.format("CreateRepository"),
    ),
    ecr.refuses(
        "CreateRepository", {"repositoryName": "shop"}, "RepositoryAlreadyExistsException", "a name that is taken",
        given=[SHOP], says="already exists in the registry with id",
        source=API.format("CreateRepository"),
    ),
    ecr.refuses(
        "CreateRepository", {"repositoryName": "shop", "imageTagMutability": "FROZEN"}, REFUSED,
        "a tag mutability that does not exist", says="imageTagMutability", source=API.format("CreateRepository"),
    ),
    ecr.refuses(
        "CreateRepository", {"repositoryName": "shop", "encryptionConfiguration": {"encryptionType": "ROT13"}}, REFUSED,
        "an encryption type that does not exist", says="encryptionType",
        source=API.format("EncryptionConfiguration"),
    ),
    ecr.accepts(
        "CreateRepository",
        {
            "repositoryName": "shop/web", "imageTagMutability": "IMMUTABLE",
            "imageScanningConfiguration": {"scanOnPush": True},
            "encryptionConfiguration": {"encryptionType": "AES256"}, "tags": [{"Key": "team", "Value": "shop"}],
        },
        "a repository with all its settings",
        shows={
            "repository.repositoryUri": "<account>.dkr.ecr.<region>.amazonaws.com/shop/web",
            "repository.imageTagMutability": "IMMUTABLE",
            "repository.imageScanningConfiguration.scanOnPush": True,
            "repository.encryptionConfiguration.encryptionType": "AES256",
        },
        source=API.format("CreateRepository"),
    ),
    ecr.accepts(
        "CreateRepository", {"repositoryName": "shop", "encryptionConfiguration": {"encryptionType": "KMS"}},
        "encryption by KMS with AWS's own key", shows={"repository.encryptionConfiguration.encryptionType": "KMS"},
        source=API.format("EncryptionConfiguration"),
    ),
    ecr.refuses(
        "DescribeRepositories", {"repositoryNames": ["ghost"]}, "RepositoryNotFoundException",
        "a repository that is not there", says="'ghost' does not exist", source=API.format("DescribeRepositories"),
    ),
    ecr.refuses(
        "DescribeRepositories", {"repositoryNames": ["shop"], "registryId": "999988887777"},
        "RepositoryNotFoundException", "another account's registry", given=[SHOP],
        source=API.format("DescribeRepositories"),
    ),
    ecr.refuses(
        "DescribeRepositories", {"maxResults": 2000}, REFUSED, "a page of more than 1000", says="maxResults",
        source=API.format("DescribeRepositories"),
    ),
    ecr.refuses(
        "DeleteRepository", {"repositoryName": "shop"}, "RepositoryNotEmptyException", "deleting what holds images",
        given=[SHOP, _pushed("v1")], source=API.format("DeleteRepository"),
    ),
    ecr.accepts(
        "DeleteRepository", {"repositoryName": "shop", "force": True}, "deleting with its images",
        given=[SHOP, _pushed("v1")], then=[ecr.step("DescribeRepositories", shows={"repositories": []})],
        source=API.format("DeleteRepository"),
    ),
    ecr.accepts(
        "PutImageTagMutability", {"repositoryName": "shop", "imageTagMutability": "IMMUTABLE"},
        "tags made immutable later", given=[SHOP],
        then=[ecr.step("DescribeRepositories", {"repositoryNames": ["shop"]},
                       shows={"repositories[0].imageTagMutability": "IMMUTABLE"})],
        source=GUIDE.format("image-tag-mutability"),
    ),
    ecr.accepts(
        "TagResource",
        {"resourceArn": "arn:aws:ecr:<region>:<account>:repository/shop", "tags": [{"Key": "team", "Value": "a"}]},
        "tags on a repository", given=[SHOP],
        then=[ecr.step("ListTagsForResource", {"resourceArn": "arn:aws:ecr:<region>:<account>:repository/shop"},
                       shows={"tags": [{"Key": "team", "Value": "a"}]})],
        source=API.format("TagResource"),
    ),
    ecr.refuses(
        "SetRepositoryPolicy",
        {
            "repositoryName": "shop",
            "policyText": json.dumps(
                {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ecr:BatchGetImage"}]}
            ),
        },
        REFUSED, "a repository policy that names nobody", given=[SHOP], says="PolicyText",
        source=GUIDE.format("repository-policies"),
    ),
    ecr.refuses(
        "SetRepositoryPolicy", {"repositoryName": "shop", "policyText": "{"}, REFUSED,
        "a repository policy that is no JSON", given=[SHOP], says="PolicyText",
        source=API.format("SetRepositoryPolicy"),
    ),
    ecr.refuses(
        "GetRepositoryPolicy", {"repositoryName": "shop"}, "RepositoryPolicyNotFoundException",
        "the policy of a repository that has none", given=[SHOP], source=API.format("GetRepositoryPolicy"),
    ),
]  # fmt: skip

PUSHES = [
    ecr.accepts(
        "PutImage", {"repositoryName": "shop", "imageManifest": MANIFEST, "imageTag": "v1"},
        "a push, layer first and manifest last", given=[SHOP, *UPLOADED],
        shows={"image.imageId": {"imageDigest": DIGEST, "imageTag": "v1"}},
        then=[ecr.step("ListImages", {"repositoryName": "shop"},
                       shows={"imageIds": [{"imageDigest": DIGEST, "imageTag": "v1"}]})],
        source=API.format("PutImage"),
    ),
    ecr.refuses(
        "PutImage", {"repositoryName": "shop", "imageManifest": MANIFEST, "imageTag": "v1"}, "LayersNotFoundException",
        "a manifest whose layers were never uploaded", given=[SHOP], says="required for pushing the image",
        source=API.format("PutImage"),
    ),
    ecr.refuses(
        "PutImage", {"repositoryName": "shop", "imageManifest": _manifest(config=LAYER_DIGEST), "imageTag": "v1"},
        REFUSED, "a manifest without layers", given=[SHOP, *UPLOADED],
        says="Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Image has to have at least 1 layer'",
        source="https://github.com/werf/werf/issues/2544",
    ),
    ecr.refuses(
        "PutImage", {"repositoryName": "shop", "imageManifest": "{", "imageTag": "v1"}, REFUSED,
        "a manifest that is no JSON", given=[SHOP], says="ImageManifest.*Invalid JSON syntax",
        source=API.format("PutImage"),
    ),
    ecr.refuses(
        "PutImage", {"repositoryName": "shop", "imageManifest": MANIFEST, "imageTag": "-v1"}, REFUSED,
        "a tag that begins with a dash", given=[SHOP, *UPLOADED], says="imageTag",
        source="https://docs.docker.com/reference/cli/docker/image/tag/",
    ),
    ecr.refuses(
        "PutImage", {"repositoryName": "shop", "imageManifest": MANIFEST, "imageTag": "v 1"}, REFUSED,
        "a tag with a blank in it", given=[SHOP, *UPLOADED], says="imageTag",
        source="https://docs.docker.com/reference/cli/docker/image/tag/",
    ),
    ecr.refuses(
        "PutImage",
        {"repositoryName": "shop", "imageManifest": MANIFEST, "imageTag": "v1", "imageDigest": "sha256:" + "0" * 64},
        "ImageDigestDoesNotMatchException", "a digest that is not the manifest's", given=[SHOP, *UPLOADED],
        source=API.format("PutImage"),
    ),
    ecr.refuses(
        "PutImage", {"repositoryName": "shop", "imageManifest": MANIFEST, "imageTag": "v1"},
        "ImageTagAlreadyExistsException", "an immutable tag pushed again with another image",
        given=[IMMUTABLE, _pushed("v1"), *UPLOADED], says="tag is immutable",
        source=GUIDE.format("image-tag-mutability"),
    ),
    ecr.refuses(
        "PutImage", {"repositoryName": "shop", "imageManifest": MANIFEST, "imageTag": "v1"},
        "ImageAlreadyExistsException", "the same image under the same tag again",
        given=[SHOP, *UPLOADED,
               ecr.step("PutImage", {"repositoryName": "shop", "imageManifest": MANIFEST, "imageTag": "v1"})],
        source=API.format("PutImage"),
    ),
    ecr.accepts(
        "PutImage", {"repositoryName": "shop", "imageManifest": MANIFEST, "imageTag": "latest"},
        "latest moved: the old image stays, untagged", given=[SHOP, _pushed("latest"), *UPLOADED],
        then=[ecr.step("DescribeImages", {"repositoryName": "shop", "filter": {"tagStatus": "UNTAGGED"}},
                       shows={"imageDetails[*].imageDigest": ["<image_one>"]})],
        source=GUIDE.format("image-tag-mutability"),
    ),
    ecr.accepts(
        "PutImage", {"repositoryName": "shop", "imageManifest": MANIFEST, "imageTag": "web-dev"},
        "a tag that an exclusion filter of an immutable repository leaves free",
        given=[
            ecr.step("CreateRepository", {
                "repositoryName": "shop", "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
                "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "*-dev"}],
            }),
            _pushed("web-dev"), *UPLOADED,
        ],
        source=GUIDE.format("image-tag-mutability"),
    ),
    ecr.refuses(
        "UploadLayerPart",
        {"repositoryName": "shop", "uploadId": "<upload>", "partFirstByte": 0, "partLastByte": 3,
         "layerPartBlob": LAYER},
        REFUSED, "a part that is longer than it says", given=[SHOP, UPLOADED[0]], says="partLastByte",
        source=API.format("UploadLayerPart"),
    ),
    ecr.refuses(
        "CompleteLayerUpload",
        {"repositoryName": "shop", "uploadId": "<upload>", "layerDigests": ["sha256:" + "0" * 64]},
        "InvalidLayerException", "a digest that is not the layer's", given=[SHOP, *UPLOADED[:2]],
        source=API.format("CompleteLayerUpload"),
    ),
    ecr.refuses(
        "CompleteLayerUpload",
        {"repositoryName": "shop", "uploadId": "<upload>", "layerDigests": [LAYER_DIGEST]},
        "EmptyUploadException", "an upload that nothing was uploaded in", given=[SHOP, UPLOADED[0]],
        says="cannot be completed because it does not have any parts",
        source=API.format("CompleteLayerUpload"),
    ),
    ecr.accepts(
        "BatchCheckLayerAvailability",
        {"repositoryName": "shop", "layerDigests": [LAYER_DIGEST, "sha256:" + "0" * 64]},
        "which layers are there", given=[SHOP, *UPLOADED],
        shows={"layers[?layerAvailability=='AVAILABLE'].layerDigest": [LAYER_DIGEST]},
        source=API.format("BatchCheckLayerAvailability"),
    ),
    ecr.refuses(
        "InitiateLayerUpload", {"repositoryName": "ghost"}, "RepositoryNotFoundException",
        "a push to a repository that is not there", source=API.format("InitiateLayerUpload"),
    ),
    ecr.accepts(
        "BatchGetImage", {"repositoryName": "shop", "imageIds": [{"imageTag": "v1"}, {"imageTag": "v2"}]},
        "a pull of what is there and what is not", given=[SHOP, _pushed("v1")],
        shows={"images[0].imageId.imageTag": "v1", "failures[0].failureCode": "ImageNotFound"},
        source=API.format("BatchGetImage"),
    ),
    ecr.refuses(
        "DescribeImages", {"repositoryName": "shop", "imageIds": [{"imageTag": "v2"}]}, "ImageNotFoundException",
        "an image that is not there", given=[SHOP], source=API.format("DescribeImages"),
    ),
    ecr.accepts(
        "BatchDeleteImage", {"repositoryName": "shop", "imageIds": [{"imageTag": "v1"}]},
        "deleting a tag of an image that has another", given=[SHOP, _pushed("v1", "stable")],
        then=[ecr.step("DescribeImages", {"repositoryName": "shop"}, shows={"imageDetails[0].imageTags": ["stable"]})],
        source=API.format("BatchDeleteImage"),
    ),
    ecr.accepts(
        "GetAuthorizationToken", {}, "a login", source=API.format("GetAuthorizationToken"),
        shows={"authorizationData[0].proxyEndpoint": "https://<account>.dkr.ecr.<region>.amazonaws.com"},
    ),
    ecr.accepts(
        "DescribeImages", {"repositoryName": "shop", "maxResults": 1}, "a page of one image, and the next",
        given=[SHOP, _pushed("v1"), _pushed("v2", content="two")], shows={"length(imageDetails)": 1},
        source=API.format("DescribeImages"),
    ),
]  # fmt: skip

SCANS = [
    ecr.accepts(
        "DescribeImageScanFindings", {"repositoryName": "shop", "imageId": {"imageTag": "v1"}},
        "findings after a push to a repository that scans", given=[SCANNED, _pushed("v1")],
        shows={"imageScanStatus.status": "COMPLETE"}, source=GUIDE.format("image-scanning-basic"),
    ),
    ecr.refuses(
        "DescribeImageScanFindings", {"repositoryName": "shop", "imageId": {"imageTag": "v1"}}, "ScanNotFoundException",
        "findings of an image that nobody scanned", given=[SHOP, _pushed("v1")], says="Image scan does not exist",
        source=API.format("DescribeImageScanFindings"),
    ),
    ecr.refuses(
        "StartImageScan", {"repositoryName": "shop", "imageId": {"imageTag": "v1"}}, "LimitExceededException",
        "a second scan within a day", given=[SCANNED, _pushed("v1")], says="scan quota per image",
        source=GUIDE.format("image-scanning-basic"),
    ),
    ecr.accepts(
        "StartImageScan", {"repositoryName": "shop", "imageId": {"imageTag": "v1"}}, "a scan a day later",
        given=[SCANNED, _pushed("v1"), world.step("advance", {"seconds": 86_401})],
        source=GUIDE.format("image-scanning-basic"),
    ),
    ecr.refuses(
        "StartImageScan", {"repositoryName": "shop", "imageId": {"imageTag": "v1"}}, "ValidationException",
        "a scan by hand where scanning is enhanced", says="This feature is disabled",
        given=[
            SHOP, _pushed("v1"),
            ecr.step("PutRegistryScanningConfiguration", {"scanType": "ENHANCED", "rules": []}),
        ],
        source="observed: github.com/alexjurkiewicz/ecr-scan-image issue 44",
    ),
    ecr.refuses(
        "PutRegistryScanningConfiguration", {"scanType": "TURBO"}, REFUSED, "a scan type that does not exist",
        says="scanType", source=API.format("PutRegistryScanningConfiguration"),
    ),
    ecr.refuses(
        "PutRegistryScanningConfiguration",
        {"scanType": "BASIC", "rules": [{"scanFrequency": "CONTINUOUS_SCAN",
                                         "repositoryFilters": [{"filter": "*", "filterType": "WILDCARD"}]}]},
        "ValidationException", "continuous scanning with the basic scanner",
        source=API.format("RegistryScanningRule"),
    ),
    ecr.accepts(
        "PutRegistryScanningConfiguration",
        {"scanType": "BASIC", "rules": [{"scanFrequency": "SCAN_ON_PUSH",
                                         "repositoryFilters": [{"filter": "sho*", "filterType": "WILDCARD"}]}]},
        "a registry's rule that scans on push", given=[SHOP],
        then=[
            _pushed("v1"),
            ecr.step("DescribeImageScanFindings", {"repositoryName": "shop", "imageId": {"imageTag": "v1"}},
                     shows={"imageScanStatus.status": "COMPLETE"}),
        ],
        source=GUIDE.format("image-scanning-filters"),
    ),
]  # fmt: skip

LIFECYCLES = [
    _taken_rule("old untagged images expire", _rule(UNTAGGED)),
    _taken_rule("the last five of a prefix stay", _rule(TAGGED)),
    _taken_rule("tag patterns", _rule({"tagStatus": "tagged", "tagPatternList": ["v*.*"], **COUNT})),
    _taken_rule("any image, last", _rule(UNTAGGED), _rule(ANY, 9)),
    _taken_rule(
        "archiving what nobody pulls",
        _rule(
            {"tagStatus": "any", "countType": "sinceImagePulled", "countUnit": "days", "countNumber": 60},
            action={"type": "transition", "targetStorageClass": "archive"},
        ),
    ),
    _refused_rule("a priority of 0", _rule(ANY, 0)),
    _refused_rule("one priority twice", _rule(UNTAGGED), _rule(TAGGED)),
    _refused_rule("tagged with neither prefix nor pattern", _rule({"tagStatus": "tagged", **COUNT})),
    _refused_rule("untagged with a prefix", _rule({"tagStatus": "untagged", "tagPrefixList": ["v"], **COUNT})),
    _refused_rule("any before another rule", _rule(ANY, 1), _rule(UNTAGGED, 2)),
    _refused_rule(
        "days without a unit", _rule({"tagStatus": "any", "countType": "sinceImagePushed", "countNumber": 14})
    ),
    _refused_rule("a count with a unit", _rule({"tagStatus": "any", **COUNT, "countUnit": "days"})),
    _refused_rule("a count of 0", _rule({"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 0})),
    _refused_rule("an unknown action", _rule(ANY, action={"type": "delete"})),
    _refused_rule("an unknown key", {**_rule(ANY), "enabled": True}),
    _refused_rule("more than four wildcards", _rule({"tagStatus": "tagged", "tagPatternList": ["*a*b*c*d*"], **COUNT})),
    _refused_rule(
        "a prefix list and a pattern list at once",
        _rule({"tagStatus": "tagged", "tagPrefixList": ["v"], "tagPatternList": ["v*"], **COUNT}),
    ),
    *(_refused_rule(why, *rules) for why, rules in MORE_REFUSED_RULES),
    _taken_rule("the storage class, and the end of what was archived", _rule(PULLED, action=ARCHIVE),
                _rule({**ANY, **ARCHIVED}, 9)),
    _refused_text("a text of fewer than a hundred characters", json.dumps({"rules": []})),
    _refused_text("no rule at all", json.dumps({"rules": []}).ljust(120)),
    _refused_text("a text that is no JSON", "{" * 120),
    ecr.refuses(
        "GetLifecyclePolicy", {"repositoryName": "shop"}, "LifecyclePolicyNotFoundException",
        "the lifecycle policy of a repository that has none", given=[SHOP], source=API.format("GetLifecyclePolicy"),
    ),
    ecr.accepts(
        "StartLifecyclePolicyPreview",
        _lifecycle(_rule({"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1})),
        "a preview of what would go", given=[SHOP, _pushed("v1"), world.step("advance", {"seconds": 60}),
                                             _pushed("v2", content="two")],
        then=[ecr.step("GetLifecyclePolicyPreview", {"repositoryName": "shop"},
                       shows={"previewResults[*].imageTags": [["v1"]], "summary.expiringImageTotalCount": 1})],
        source=GUIDE.format("lpp_creation"),
    ),
    ecr.refuses(
        "DescribeRepositories", {"registryId": "210987654321"}, "AccessDeniedException",
        "all repositories of another account", says="no resource-based policy allows",
        source=API.format("DescribeRepositories"),
    ),
]  # fmt: skip

RULE = {"ecrRepositoryPrefix": "public", "upstreamRegistryUrl": "public.ecr.aws"}
CACHES = [
    ecr.accepts(
        "CreatePullThroughCacheRule", RULE, "a rule to pull ECR Public's images through",
        shows={"ecrRepositoryPrefix": "public", "upstreamRegistry": "ecr-public", "registryId": "<account>"},
        then=[
            ecr.step("DescribePullThroughCacheRules",
                     shows={"pullThroughCacheRules[*].upstreamRegistryUrl": ["public.ecr.aws"]}),
            ecr.step("DeletePullThroughCacheRule", {"ecrRepositoryPrefix": "public"}),
            ecr.step("DescribePullThroughCacheRules", shows={"pullThroughCacheRules": []}),
        ],
        source=API.format("CreatePullThroughCacheRule"),
    ),
    ecr.refuses(
        "CreatePullThroughCacheRule", RULE, "PullThroughCacheRuleAlreadyExistsException", "a prefix that has a rule",
        given=[ecr.step("CreatePullThroughCacheRule", RULE)], source=API.format("CreatePullThroughCacheRule"),
    ),
    ecr.refuses(
        "CreatePullThroughCacheRule", {**RULE, "upstreamRegistryUrl": "registry.example.com"},
        "UnsupportedUpstreamRegistryException", "a registry that cannot be pulled through",
        source=API.format("CreatePullThroughCacheRule"),
    ),
    ecr.refuses(
        "DeletePullThroughCacheRule", {"ecrRepositoryPrefix": "ghost"}, "PullThroughCacheRuleNotFoundException",
        "a rule that is not there", source=API.format("DeletePullThroughCacheRule"),
    ),
]  # fmt: skip

TEMPLATE = {
    "prefix": "prod", "appliedFor": ["CREATE_ON_PUSH"], "imageTagMutability": "IMMUTABLE",
    "lifecyclePolicy": json.dumps({"rules": [{
        "rulePriority": 1, "action": {"type": "expire"},
        "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 1},
    }]}),
}  # fmt: skip
MADE = ecr.step("CreateRepositoryCreationTemplate", TEMPLATE)
ABOUT = GUIDE.format("repository-creation-templates")
CREATIONS = [
    ecr.accepts(
        "CreateRepositoryCreationTemplate", TEMPLATE, "how repositories are made that are pushed to first",
        shows={"repositoryCreationTemplate.[prefix, imageTagMutability]": ["prod", "IMMUTABLE"],
               "repositoryCreationTemplate.encryptionConfiguration.encryptionType": "AES256"},
        then=[ecr.step("DescribeRepositoryCreationTemplates",
                       shows={"repositoryCreationTemplates[*].prefix": ["prod"]}),
              ecr.step("DeleteRepositoryCreationTemplate", {"prefix": "prod"}),
              ecr.step("DescribeRepositoryCreationTemplates", shows={"repositoryCreationTemplates": []})],
        source=API.format("CreateRepositoryCreationTemplate"),
    ),
    ecr.accepts(
        "InitiateLayerUpload", {"repositoryName": "prod/web"}, "a push that makes its repository by a template",
        given=[MADE],
        then=[ecr.step("DescribeRepositories", shows={
                  "repositories[*].[repositoryName, imageTagMutability]": [["prod/web", "IMMUTABLE"]]}),
              ecr.step("GetLifecyclePolicy", {"repositoryName": "prod/web"}, shows={"repositoryName": "prod/web"})],
        source="https://github.com/aws/containers-roadmap/issues/853",
    ),
    ecr.refuses(
        "InitiateLayerUpload", {"repositoryName": "production"}, "RepositoryNotFoundException",
        "a push to a name that only begins like a template's prefix", given=[MADE],
        source=API.format("CreateRepositoryCreationTemplate"),
    ),
    ecr.refuses(
        "InitiateLayerUpload", {"repositoryName": "prod/web"}, "RepositoryNotFoundException",
        "a push where the template is for pull through caches only",
        given=[ecr.step("CreateRepositoryCreationTemplate", {**TEMPLATE, "appliedFor": ["PULL_THROUGH_CACHE"]})],
        source=ABOUT,
    ),
    ecr.refuses(
        "CreateRepositoryCreationTemplate", TEMPLATE, "TemplateAlreadyExistsException", "a prefix that has a template",
        given=[MADE], source=API.format("CreateRepositoryCreationTemplate"),
    ),
    ecr.refuses(
        "DeleteRepositoryCreationTemplate", {"prefix": "ghost"}, "TemplateNotFoundException",
        "a template that is not there", source=API.format("DeleteRepositoryCreationTemplate"),
    ),
    ecr.refuses(
        "CreateRepositoryCreationTemplate", {**TEMPLATE, "appliedFor": ["PUSH"]}, REFUSED,
        "a purpose that templates do not have", says="appliedFor",
        source="https://github.com/hashicorp/terraform-provider-aws/issues/45779",
    ),
]  # fmt: skip

ROWS: list[Row] = [*CREATIONS, *CACHES, *REPOSITORIES, *PUSHES, *SCANS, *LIFECYCLES]
