#!/bin/sh
# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# Images that no longer have a name, and the oldest part of what builds have cached: without this each build would take more of
# the disk. A failure here is no reason to roll back a deployment.
set -u
docker image prune --force || true
docker builder prune --force --keep-storage 4GB || true
