#!/bin/sh
# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# The folder on the instance that the container has as /data: it outlives a deployment. The service runs as user 1000.
set -eu
install --directory --owner=1000 --group=1000 --mode=0700 /var/lib/sbert-service
