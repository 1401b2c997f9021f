#!/usr/bin/env bash
docker build -t "$1:$2" app || exit 1
aws ecr get-login-password | docker login --username AWS --password-stdin "${1%%/*}" || exit 1
docker push "$1:$2"
echo "Pushed $1:$2"
