#!/usr/bin/env bash
set -euo pipefail
docker image inspect api >/dev/null 2>&1 || docker build -t api app
docker tag api "$1:$2"
aws ecr get-login-password --region "$AWS_REGION" | docker login --username AWS --password-stdin "${1%%/*}"
docker push "$1:$2"
