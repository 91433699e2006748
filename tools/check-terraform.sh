#!/usr/bin/env bash
# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# Everything about terraform/ and .github/ that can be checked without an account: form, validity, policies, promises against a
# mocked provider, and an apply and destroy on an emulator with jobs done in between. Needs terraform, Python 3,
# Go and, for the emulators, Java with Maven. TF_MIRROR names a folder of providers for machines that cannot reach the registry.
# usage: check-terraform.sh [<check>…], by default all of them but faults, which tests the checks and takes twenty minutes
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

CHECKOV=3.3.30
CLOUDSPLAINING=0.9.1
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
# A missing settings file is no reason to stop, although Terraform would warn at each command.
if [ -n "${TF_CLI_CONFIG_FILE:-}" ] && [ ! -e "$TF_CLI_CONFIG_FILE" ]; then unset TF_CLI_CONFIG_FILE; fi
export CHECKPOINT_DISABLE=1 TF_IN_AUTOMATION=1

wanted=("$@")
known=()
is_wanted() {
  local name
  if [ ${#wanted[@]} = 0 ]; then [ "$1" != faults ]; return; fi
  for name in "${wanted[@]}"; do if [ "$name" = "$1" ]; then return 0; fi; done
  return 1
}

# Each check has its own log, shown when it has failed. A check must not run in an `if`, nor with `&&` or `||`: there bash
# ignores `set -e`, also in functions, and only the last command of a check would count.
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

initialised() {
  terraform -chdir="$1" init -backend=false -lockfile=readonly -input=false -no-color ${TF_MIRROR:+-plugin-dir="$TF_MIRROR"}
}

# A Python of its own with one package. Prints where its Python is.
installed() {
  # Bash ignores the outer `set -e` in $(…).
  set -e
  local folder=$PWD/$CACHE/$1-$2
  if [ ! -e "$folder/ready" ]; then
    rm -rf "$folder"
    python3 -m venv "$folder"
    "$folder/bin/python" -m pip install --quiet "$1==$2"
    touch "$folder/ready"
  fi
  echo "$folder/bin/python"
}

stacks() {
  local stack python
  for stack in "${STACKS[@]}"; do
    initialised "$stack"
    terraform -chdir="$stack" validate -no-color -no-tests
    terraform -chdir="$stack" test -no-color
  done
  # After the stacks, not at the same time: each terraform takes half a gigabyte.
  python=$(installed cloudsplaining "$CLOUDSPLAINING")
  CLOUDSPLAINING=$python node --test test/terraform/promises.ts
}

checkov() {
  local python
  python=$(installed checkov "$CHECKOV")
  # Its parser is slow on a busy machine, and files on which it times out would go unchecked.
  HCL_PARSE_TIMEOUT_SEC=120 "$python" "${python%/*}/checkov" --config-file terraform/.checkov.yaml
}

# What the stacks run and are run by: the edge's function in its own engine, the deployment on stand-ins, workflows, these checks.
programs() {
  node --test 'test/edge/*.test.ts' 'test/tools/deploy/*.test.ts' 'test/terraform/*.test.ts' 'test/github/*.test.ts' test/tools/check-terraform.test.ts
}

# Tests these checks: each mistake of the past is made again and must be found.
faults() {
  local stack python
  for stack in "${STACKS[@]}"; do initialised "$stack"; done
  python=$(installed cloudsplaining "$CLOUDSPLAINING")
  CLOUDSPLAINING=$python node --test test/terraform/faults.ts
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
check programs programs
check stacks stacks
check applied node --test test/terraform/applied.ts
check faults faults

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
