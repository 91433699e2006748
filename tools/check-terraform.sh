#!/usr/bin/env bash
# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# Everything about terraform/ and .github/ that can be checked without an account: form, validity, policies, promises against a
# mocked provider, and an apply and destroy on an emulator with jobs done in between. Needs terraform, Python 3,
# Go and, for the emulators, Java with Maven. TF_MIRROR names a folder of providers for machines that cannot reach the registry.
# usage: check-terraform.sh [<check>…], by default all of them
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

CHECKOV=3.3.30
ACTIONLINT=1.7.12
CACHE=.cache/check-terraform
STACKS=(terraform terraform/account terraform/endpoints)

if ! command -v terraform >/dev/null; then
  echo 'terraform is not on this machine: nothing of terraform/ can be checked' >&2
  exit 1
fi
mkdir -p "$CACHE"

# A folder of providers in Terraform's own layout, where system images usually have one.
if [ -z "${TF_MIRROR:-}" ]; then
  for folder in /opt/*/registry.terraform.io /usr/share/*/registry.terraform.io; do
    if [ -d "$folder" ]; then TF_MIRROR=$(dirname "$folder"); fi
  done
fi
export TF_MIRROR=${TF_MIRROR:-}
# A settings file that is named and not there is no reason to stop; Terraform warns at each command.
if [ -n "${TF_CLI_CONFIG_FILE:-}" ] && [ ! -e "$TF_CLI_CONFIG_FILE" ]; then unset TF_CLI_CONFIG_FILE; fi
export CHECKPOINT_DISABLE=1 TF_IN_AUTOMATION=1

wanted=("$@")
known=()
is_wanted() {
  local name
  [ ${#wanted[@]} -gt 0 ] || return 0
  for name in "${wanted[@]}"; do if [ "$name" = "$1" ]; then return 0; fi; done
  return 1
}

# Each check has its own log, shown when it has failed. A check must not run in an `if`, nor beside `&&` or `||`: there bash
# forgets `set -e`, also in functions, and only the last command of a check would count.
names=()
pids=()
check() {
  local name=$1
  shift
  known+=("$name")
  is_wanted "$name" || return 0
  names+=("$name")
  (
    start=$SECONDS
    trap 'if [ $? = 0 ]; then status=passed; else status=FAILED; fi
      printf "%-10s %s (%d s)\n" "$name" "$status" "$((SECONDS - start))" >&3' EXIT
    "$@"
  ) 3>&1 >"$CACHE/$name.log" 2>&1 </dev/null &
  pids+=($!)
}

format() {
  terraform fmt -check -diff -recursive terraform
}

stacks() {
  local stack
  for stack in "${STACKS[@]}"; do
    terraform -chdir="$stack" init -backend=false -lockfile=readonly -input=false -no-color ${TF_MIRROR:+-plugin-dir="$TF_MIRROR"}
    terraform -chdir="$stack" validate -no-color -no-tests
    terraform -chdir="$stack" test -no-color
  done
  # After the stacks, not beside them: each terraform takes half a gigabyte.
  node --test test/terraform/promises.ts
}

checkov() {
  if [ ! -e "$CACHE/checkov-$CHECKOV/bin/checkov" ]; then
    rm -rf "$CACHE/checkov-$CHECKOV"
    python3 -m venv "$CACHE/checkov-$CHECKOV"
    "$CACHE/checkov-$CHECKOV/bin/python" -m pip install --quiet "checkov==$CHECKOV"
  fi
  # Its parser is slow on a busy machine, and what it gives up on would go unchecked.
  HCL_PARSE_TIMEOUT_SEC=120 "$CACHE/checkov-$CHECKOV/bin/checkov" --config-file terraform/.checkov.yaml
}

workflows() {
  if [ ! -e "$CACHE/actionlint-$ACTIONLINT" ]; then
    GOBIN=$PWD/$CACHE go install "github.com/rhysd/actionlint/cmd/actionlint@v$ACTIONLINT"
    mv "$CACHE/actionlint" "$CACHE/actionlint-$ACTIONLINT"
  fi
  "$CACHE/actionlint-$ACTIONLINT" -color=false
}

check format format
check checkov checkov
check workflows workflows
check stacks stacks
check applied node --test test/terraform/applied.ts

for name in ${wanted[@]+"${wanted[@]}"}; do
  if [[ " ${known[*]} " != *" $name "* ]]; then
    echo "There is no check $name: want one of ${known[*]}" >&2
    exit 2
  fi
done

failed=0
for index in "${!pids[@]}"; do
  if ! wait "${pids[$index]}"; then
    failed=1
    printf '\n==> %s\n' "${names[$index]}"
    tail -n 200 "$CACHE/${names[$index]}.log"
  fi
done
exit $failed
