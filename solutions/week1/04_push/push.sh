#!/usr/bin/env bash
# bash push.sh REPOSITORY COMMIT: build app/, push it to REPOSITORY with COMMIT as its tag.
set -euo pipefail

repository=$1
commit=$2
registry=${repository%%/*}
image=$repository:$commit

docker build --tag "$image" app
aws ecr get-login-password --region "$AWS_REGION" | docker login --username AWS --password-stdin "$registry"
docker push "$image"
