#!/usr/bin/env bash
# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# The API's reference as a web site: OpenAPI for HTTP, TypeDoc for the entries of the package. Needs the model, to start the service.
set -euo pipefail
folder=$(realpath -m "${1:?usage: api-reference.sh <folder>}")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mkdir -p "$folder"

log=$(mktemp)
PORT=0 API_SECRET_KEY=$(head -c 18 /dev/urandom | base64) DATA_DIR=$(mktemp -d) npm start --silent >"$log" &
service=$!
trap 'kill $service 2>/dev/null; rm -f "$log"' EXIT
for _ in $(seq 120); do
  origin=$(sed -n 's/.*"address":"\([^"]*\)".*"msg":"listening".*/\1/p' "$log")
  if [ -n "$origin" ] || ! kill -0 $service; then break; fi
  sleep 0.5
done
curl --silent --show-error --fail "$origin/docs/json" >"$folder/openapi.json"
npx --no redocly build-docs "$folder/openapi.json" --output "$folder/index.html"

# TypeDoc reads TypeScript 6 at the newest; the project's own compiler is newer, so this one is brought for the occasion.
npm exec --yes --package=typedoc@0.28.20 --package=typescript@6.0.2 -- typedoc --skipErrorChecking --disableSources \
  --name 'sbert-service' --readme none --out "$folder/typescript" --entryPoints src/jobs/index.ts --entryPoints src/platform/aws-job-backend.ts
