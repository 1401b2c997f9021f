#!/usr/bin/env bash
# bash push.sh REPOSITORY COMMIT: build app/, push it to REPOSITORY with COMMIT as its tag.
set -euo pipefail

repository=$1
commit=$2
registry=${repository%%/*}
name=${repository#*/}
image=$repository:$commit

docker build --tag "$image" app
aws ecr get-login-password --region "$AWS_REGION" | docker login --username AWS --password-stdin "$registry"
docker push "$image"

older=$(aws ecr list-images --repository-name "$name" --query "imageIds[?imageTag!='$commit']" --output json)
if [ "$older" != "[]" ]; then
  aws ecr batch-delete-image --repository-name "$name" --image-ids "$older"
fi
