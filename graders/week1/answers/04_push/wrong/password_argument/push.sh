#!/usr/bin/env bash
set -euo pipefail
docker build -t "$1:$2" app
docker login -u AWS -p "$(aws ecr get-login-password)" "${1%%/*}"
docker push "$1:$2"
