#!/usr/bin/env bash
# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# What a newcomer does, on a CPU that has AVX2 and no AVX-512: compile a model, start the service, encode a text. The CPU
# is emulated by qemu-user-static, on whatever x86-64 machine this runs. What comes out has to be what comes out here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

[[ $(uname -s)-$(uname -m) == Linux-x86_64 ]] || { echo 'skip: the emulated CPU is an x86-64 one, and this machine is not'; exit 0; }
if ! command -v qemu-x86_64-static >/dev/null; then
  if [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then
    echo 'skip: qemu-user-static is not installed'
    exit 0
  fi
  echo 'Installing qemu-user-static'
  apt-get update >/dev/null
  apt-get install --yes --no-install-recommends qemu-user-static >/dev/null
fi

model=models/all-MiniLM-L6-v2
work=$(mktemp -d)
service=
stop() {
  [[ -z $service ]] || { kill "$service" && wait "$service" || true; }
  rm -rf "$work"
}
trap stop EXIT

node=$(npm exec -- node -p process.execPath)
# Without the features that qemu cannot emulate, of which it would warn.
newcomer=(qemu-x86_64-static -cpu Haswell-noTSX,-pcid,-x2apic,-tsc-deadline,-invpcid "$node")
# The loader of the emulated system is this one's.
features=$("${newcomer[@]}" -e 'console.log(require("./models/native/linux-x64/encoder.node").kernels().join(" "))')
echo "The emulated CPU can run: $features"
[[ $features == 'avx2 reference' ]]

# An emulated CPU takes a second for what this one does in some milliseconds: a few sentences have to do for calibration
# and validation, here as there.
mkdir -p "$work/lists" "$work/here" "$work/there"
awk 'NR % 30 == 1' tools/compile-model/calibration.txt >"$work/lists/calibration.txt"
awk 'NR % 40 == 1' tools/compile-model/validation.txt >"$work/lists/validation.txt"
for machine in here there; do ln -s "$PWD/$model/source" "$work/$machine/source"; done
"$node" tools/compile-model/main.ts "$work/here" "$work/lists"
"${newcomer[@]}" tools/compile-model/main.ts "$work/there" "$work/lists"
# All but the name, which is the folder's, and so its checksum in no other file.
for machine in here there; do sed -i '/^  "name": /d' "$work/$machine/compiled/model.json"; done
diff -r "$work/here/compiled" "$work/there/compiled"
echo 'The emulated CPU compiles the same model, byte for byte'

# asks URL: the embedding of a text, once the service is ready
ask() {
  for _ in $(seq 240); do
    if curl --silent --fail "$1/health/ready" >/dev/null; then
      curl --silent --fail --header 'Authorization: Bearer newcomer' "$1/v1/encode?query=Where%20did%20you%20grow%20up%3F"
      return
    fi
    sleep 1
  done
  return 1
}

# start COMMAND…: the service on a port of its own; its process id is in $service
start() {
  HOST=127.0.0.1 PORT=$1 API_SECRET_KEY=newcomer DATA_DIR=$work/data-$1 "${@:2}" >"$work/log-$1" 2>&1 &
  service=$!
}

port=$((20000 + RANDOM % 20000))
start "$port" "$node" src/main.ts
ask "http://127.0.0.1:$port" >"$work/here"
kill "$service" && wait "$service" || true
start $((port + 1)) "${newcomer[@]}" src/main.ts
ask "http://127.0.0.1:$((port + 1))" >"$work/there" || { tail -n 20 "$work/log-$((port + 1))" >&2; exit 1; }
grep -q '"arithmetic":"int8 by avx2"' "$work/log-$((port + 1))"
cmp "$work/here" "$work/there"
echo "The emulated CPU answers with the same $(wc -c <"$work/there") bytes"
