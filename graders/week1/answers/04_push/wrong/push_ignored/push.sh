#!/usr/bin/env bash
set -euo pipefail
docker build -t "$1:$2" app
aws ecr get-login-password --region "$AWS_REGION" | docker login --username AWS --password-stdin "${1%%/*}"
docker push "$1:$2" || true
