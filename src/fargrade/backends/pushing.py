"""Pushes an image through ECR's own calls, as docker does through the registry's: layer, config, manifest, tags."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Sequence
from typing import Any

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def push(ecr: Any, repository: str, tags: Sequence[str], content: str, architecture: str) -> str:
    """Push an image that holds `content` and return its digest. Raises botocore's ClientError, as PutImage does."""
    plain = _layer(content)
    layer = gzip.compress(plain, mtime=0)
    config = json.dumps(
        {
            "architecture": architecture,
            "os": "linux",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [_digest(plain)]},
        }
    ).encode()
    for blob in (layer, config):
        _upload(ecr, repository, blob)
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, "digest": _digest(config), "size": len(config)},
            "layers": [{"mediaType": LAYER, "digest": _digest(layer), "size": len(layer)}],
        }
    )
    for tag in tags or [""]:
        named = {"imageTag": tag} if tag else {}
        ecr.put_image(repositoryName=repository, imageManifest=manifest, imageManifestMediaType=MANIFEST, **named)
    return _digest(manifest.encode())


def _layer(content: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo("content")
        entry.size = len(content.encode())
        archive.addfile(entry, io.BytesIO(content.encode()))
    return packed.getvalue()


def _upload(ecr: Any, repository: str, blob: bytes) -> None:
    """One blob, unless it is there: AmazonECR/latest/APIReference/API_InitiateLayerUpload.html and the next."""
    there = ecr.batch_check_layer_availability(repositoryName=repository, layerDigests=[_digest(blob)])
    if any(one.get("layerAvailability") == "AVAILABLE" for one in there["layers"]):
        return
    begun = ecr.initiate_layer_upload(repositoryName=repository)["uploadId"]
    ecr.upload_layer_part(
        repositoryName=repository, uploadId=begun, partFirstByte=0, partLastByte=len(blob) - 1, layerPartBlob=blob
    )
    ecr.complete_layer_upload(repositoryName=repository, uploadId=begun, layerDigests=[_digest(blob)])


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()
