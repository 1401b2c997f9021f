#!/usr/bin/env bash
# bash push.sh REPOSITORY COMMIT: build app/, push it to REPOSITORY with COMMIT as its tag.
echo "push.sh is not written yet" >&2
exit 1
