#!/usr/bin/env bash
set -euo pipefail
docker build -t api app
aws ecr get-login-password --region "$AWS_REGION" | docker login --username AWS --password-stdin "${1%%/*}"
docker tag api "$1:$2"
docker push api
