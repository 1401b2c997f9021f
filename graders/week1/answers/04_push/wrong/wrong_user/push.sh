#!/usr/bin/env bash
set -euo pipefail
docker build -t "$1:$2" app
aws ecr get-login-password | docker login --username admin --password-stdin "${1%%/*}"
docker push "$1:$2"
