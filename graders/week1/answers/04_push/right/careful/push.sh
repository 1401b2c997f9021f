#!/usr/bin/env bash
set -euo pipefail
usage() { echo "usage: $0 REPOSITORY COMMIT" >&2; exit 64; }
[[ $# -eq 2 && $2 =~ ^[0-9a-f]{40}$ ]] || usage
account=$(aws sts get-caller-identity --query Account --output text)
registry="$account.dkr.ecr.$AWS_REGION.amazonaws.com"
[[ $1 == "$registry"/* ]] || { echo "$1 is not in $registry" >&2; exit 1; }
local_name="build-$2"
trap 'docker rmi "$local_name" >/dev/null 2>&1 || true' EXIT
docker build -f app/Dockerfile -t "$local_name" --label "commit=$2" app
docker login --username AWS --password-stdin "$registry" <<<"$(aws ecr get-login-password)"
docker tag "$local_name" "$1:$2"
docker push "$1:$2"
echo "pushed $1:$2"
