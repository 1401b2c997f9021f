#!/usr/bin/env bash
set -euo pipefail
REGION=eu-west-1
docker build -t "$1:$2" app
aws ecr get-login-password --region $REGION | docker login --username AWS --password-stdin "123456789012.dkr.ecr.$REGION.amazonaws.com"
docker push "$1:$2"
