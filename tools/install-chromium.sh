#!/usr/bin/env bash
# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# Installs Debian's Chromium for the browser tests, unless there is a browser. Needs root, or sudo, and apt.
set -euo pipefail

for program in chromium chromium-browser google-chrome google-chrome-stable; do
  if command -v "$program" >/dev/null; then exit 0; fi
done
echo 'Installing Chromium'
as_root=()
[[ $(id -u) == 0 ]] || as_root=(sudo)
"${as_root[@]}" apt-get update >/dev/null
"${as_root[@]}" apt-get install --yes --no-install-recommends chromium >/dev/null
