#!/bin/sh
# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# Removes files from an installed node_modules that the service never loads.
# usage: prune.sh <node_modules>
set -eu
modules=${1:?usage: prune.sh <node_modules>}

# onnxruntime for other platforms than this one.
find "$modules/onnxruntime-node/bin/napi-v6" -mindepth 2 -maxdepth 2 \
  ! -path "*/$(node -p process.platform)/$(node -p process.arch)" -exec rm -r {} +
# Programs that come with Sentry's SDK for builds.
rm -rf "$modules/sentry" "$modules/oxc-parser" "$modules/@oxc-parser"
# Types, source maps and texts, but no licence.
find "$modules" -type f \( -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.map' -o -iname '*.md' \) \
  ! -iname 'licen[cs]e*' ! -iname 'notice*' -delete
