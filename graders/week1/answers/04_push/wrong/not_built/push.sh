#!/usr/bin/env bash
set -euo pipefail
name=${1#*/}
printf '{}' >config.json
digest="sha256:$(sha256sum config.json | cut -d' ' -f1)"
upload=$(aws ecr initiate-layer-upload --repository-name "$name" --query uploadId --output text)
aws ecr upload-layer-part --repository-name "$name" --upload-id "$upload" --part-first-byte 0 --part-last-byte 1 --layer-part-blob fileb://config.json >/dev/null
aws ecr complete-layer-upload --repository-name "$name" --upload-id "$upload" --layer-digests "$digest" >/dev/null
type=application/vnd.oci.image
manifest="{\"schemaVersion\":2,\"mediaType\":\"$type.manifest.v1+json\",\"config\":{\"mediaType\":\"$type.config.v1+json\",\"digest\":\"$digest\",\"size\":2},\"layers\":[{\"mediaType\":\"$type.layer.v1.tar\",\"digest\":\"$digest\",\"size\":2}]}"
aws ecr put-image --repository-name "$name" --image-tag "$2" --image-manifest "$manifest" >/dev/null
