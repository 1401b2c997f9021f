#!/usr/bin/env bash
aws ecr get-login-password | docker login --username AWS --password-stdin "${1%%/*}"
docker build -t api app
docker tag api:latest "$1:$2"
docker push "$1:$2"
