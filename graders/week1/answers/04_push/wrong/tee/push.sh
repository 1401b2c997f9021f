#!/usr/bin/env bash
set -e
docker build -t api app 2>&1 | tee build.log
docker tag api "$1:$2"
aws ecr get-login-password | docker login --username AWS --password-stdin "${1%%/*}"
docker push "$1:$2"
