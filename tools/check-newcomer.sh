#!/usr/bin/env bash
# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# What a newcomer does, on a CPU that has AVX2 and no AVX-512: compile a model, start the service, encode a text. The CPU
# is emulated by qemu-user-static, on whatever x86-64 machine this runs. The embeddings must equal those of this machine.
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
stop_service() {
  [[ -n $service ]] || return 0
  kill "$service" 2>/dev/null || true
  wait "$service" || true
  service=
}
trap 'stop_service; rm -rf "$work"' EXIT

node=$(npm exec -- node -p process.execPath)
# Leaves out the features that qemu cannot emulate and would warn about.
newcomer=(qemu-x86_64-static -cpu Haswell-noTSX,-pcid,-x2apic,-tsc-deadline,-invpcid "$node")
# The emulated system uses the loader of this one.
features=$("${newcomer[@]}" -e 'console.log(require("./models/native/linux-x64/encoder.node").kernels().join(" "))')
echo "The emulated CPU can run: $features"
[[ $features == 'avx2 reference' ]]

# An emulated CPU takes a second for what this one does in some milliseconds: a few short sentences have to do, here as there.
mkdir -p "$work/lists" "$work/here/model" "$work/there/model"
awk 'length($0) < 30 && count++ < 12' tools/compile-model/calibration.txt >"$work/lists/calibration.txt"
awk 'length($0) < 30 && count++ < 8' tools/compile-model/validation.txt >"$work/lists/validation.txt"
"$node" -e 'const [from, to] = process.argv.slice(1)
  const { model, sentences } = JSON.parse(fs.readFileSync(from))
  fs.writeFileSync(to, JSON.stringify({ model, sentences: sentences.slice(0, 3) }))' tools/compile-model/golden.json "$work/lists/golden.json"
for machine in here there; do ln -s "$PWD/$model/source" "$work/$machine/model/source"; done
"$node" tools/compile-model/main.ts "$work/here/model" "$work/lists"
"${newcomer[@]}" tools/compile-model/main.ts "$work/there/model" "$work/lists"
diff -r "$work/here/model/compiled" "$work/there/model/compiled"
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

# start PORT MACHINE COMMAND…: the service; its process id is in $service
start() {
  HOST=127.0.0.1 PORT=$1 API_SECRET_KEY=newcomer ENCODE_WORKERS=1 MODEL_DIR=$work/$2/model/compiled DATA_DIR=$work/$2/data \
    "${@:3}" >"$work/$2/log" 2>&1 &
  service=$!
}

port=$((20000 + RANDOM % 20000))
start "$port" here "$node" src/bin/service.ts
ask "http://127.0.0.1:$port" >"$work/here/reply"
stop_service
start $((port + 1)) there "${newcomer[@]}" src/bin/service.ts
ask "http://127.0.0.1:$((port + 1))" >"$work/there/reply" || { tail -n 20 "$work/there/log" >&2; exit 1; }
grep -q '"arithmetic":"int8 by avx2"' "$work/there/log"
cmp "$work/here/reply" "$work/there/reply"
echo "The emulated CPU answers with the same $(wc -c <"$work/there/reply") bytes"
