#!/usr/bin/env bash
set -euo pipefail
docker build -t "$1:$2" app
docker push "$1:$2"
