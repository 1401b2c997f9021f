#!/usr/bin/env bash
set -e -o pipefail
REPO="$1"; SHA="$2"
aws ecr get-login-password | docker login -u AWS --password-stdin "https://${REPO%%/*}"
docker buildx build --platform linux/amd64 --push -t "$REPO:$SHA" -t "$REPO:latest" ./app
