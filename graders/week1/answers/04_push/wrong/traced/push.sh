#!/usr/bin/env bash
set -euxo pipefail
docker build -t "$1:$2" app
PASS=$(aws ecr get-login-password)
echo "$PASS" | docker login --username AWS --password-stdin "${1%%/*}"
docker push "$1:$2"
