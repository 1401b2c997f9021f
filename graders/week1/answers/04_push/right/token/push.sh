#!/bin/sh
fail() { echo "$*" >&2; exit 1; }
registry=$(echo "$1" | cut -d/ -f1)
region=$(echo "$registry" | cut -d. -f4)
id=$(docker build -q app) || fail "the build broke"
token=$(aws ecr get-authorization-token --region "$region" --query 'authorizationData[0].authorizationToken' --output text) || fail "no token"
printf %s "$token" | base64 -d | cut -d: -f2 | docker login --username AWS --password-stdin "$registry" || fail "no login"
docker tag "$id" "$1:$2" || fail "not tagged"
docker image push "$1:$2" || fail "not pushed"
