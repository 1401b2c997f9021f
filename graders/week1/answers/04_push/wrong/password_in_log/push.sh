#!/usr/bin/env bash
set -euo pipefail
docker build -t "$1:$2" app
password=$(aws ecr get-login-password)
echo "logging in with $password"
echo "$password" | docker login --username AWS --password-stdin "${1%%/*}"
docker push "$1:$2"
