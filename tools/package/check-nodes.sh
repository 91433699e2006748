#!/usr/bin/env bash
# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# Runs the package that others import under the Node.js versions it is for, beside the project's own: those of publishConfig in
# package.json, at their oldest and newest. npm has each as a package of its own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

case $(uname -m) in
  x86_64) platform=linux-x64 ;;
  aarch64) platform=linux-arm64 ;;
  *) echo "There is no Node.js from npm for $(uname -m)" >&2 && exit 1 ;;
esac
nodes=()
for version in 22.16.0 22.23.5 24.0.0 24.22.3; do
  folder=.cache/nodes/$version
  program=$folder/node_modules/node-$platform/bin/node
  if [[ ! -x $program ]]; then
    mkdir -p "$folder"
    echo '{"private":true}' >"$folder/package.json"
    npm install --prefix "$folder" --ignore-scripts --no-audit --no-fund --loglevel=error "node-$platform@$version"
  fi
  [[ $("$program" --version) == "v$version" ]]
  nodes+=("$PWD/$program")
done
PACKAGE_NODES=$(IFS=: && echo "${nodes[*]}") npm exec -- node --test --test-reporter=./tools/test-reporter.ts test/tools/package/package.test.ts
