#!/usr/bin/env bash
# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# Builds the images without a container engine and runs them as production would, offline: tools/container/check.ts.
# Needs root on Debian or Ubuntu; buildah, podman, runc and mmdebstrap are installed where apt can. Elsewhere it says why it
# did nothing, and ends with 0; with REQUIRE_CONTAINER_CHECK=yes with 1.
#
# The base of a real build cannot be had without a registry, so a stand-in takes its place: Debian by mmdebstrap with the
# project's own Node.js, which npm has. That one is older than what may be shipped (docs/container.md), so MINIMUM_NODE is
# lowered to it, here alone.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

cache=$PWD/.cache/container
stand_in=localhost/sbert-service-base:check
tools=(buildah podman runc mmdebstrap uidmap iproute2)

skip() {
  echo "The container check was skipped: $1" >&2
  [[ ${REQUIRE_CONTAINER_CHECK:-no} == yes ]] && exit 1
  exit 0
}

install_tools() {
  [[ $(id -u) == 0 ]] || skip 'it needs root, to make name spaces and file systems'
  local missing=()
  for tool in "${tools[@]}"; do
    dpkg-query --show --showformat='${db:Status-Abbrev}' "$tool" 2>/dev/null | grep -q '^ii' || missing+=("$tool")
  done
  [[ ${#missing[@]} == 0 ]] && return
  command -v apt-get >/dev/null || skip "${missing[*]} not installed, and there is no apt"
  echo "Installing ${missing[*]}"
  { apt-get update && apt-get install --yes --no-install-recommends "${missing[@]}"; } >"$cache/apt.log" 2>&1 ||
    skip "apt cannot install ${missing[*]}; see $cache/apt.log"
}

image() { buildah --storage-driver overlay "$@"; }

# Debian, Node.js and npm; and the certificates of this machine, since npm needs them behind some proxies.
build_stand_in() {
  local node version
  node=$(npm exec -- node -p process.execPath)
  version=$("$node" -p process.versions.node)
  if [[ $(image inspect --format '{{index .OCIv1.Config.Labels "node"}}' "$stand_in" 2>/dev/null) == "$version" ]]; then return; fi
  echo "Making a stand-in for the base image, with Node.js $version"
  [[ -f $cache/debian.tar ]] ||
    mmdebstrap --variant=minbase --include=ca-certificates,libstdc++6,libatomic1 bookworm "$cache/debian.tar.part" \
      >"$cache/mmdebstrap.log" 2>&1 || skip "mmdebstrap cannot fetch Debian; see $cache/mmdebstrap.log"
  [[ -f $cache/debian.tar ]] || mv "$cache/debian.tar.part" "$cache/debian.tar"
  local container
  container=$(image from scratch 2>"$cache/buildah.log") || skip "buildah cannot make a container here; see $cache/buildah.log"
  image add --quiet "$container" "$cache/debian.tar" /
  image copy --quiet "$container" "$node" /usr/local/bin/node
  image copy --quiet "$container" "$(npm root --global)/npm" /usr/local/lib/node_modules/npm
  image run --isolation chroot "$container" -- ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
  local certificates=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}
  image copy --quiet "$container" "$certificates" /etc/ssl/certs/ca-certificates.crt
  image config --env NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt --label "node=$version" \
    --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
  image commit --quiet --rm --format docker "$container" "$stand_in"
}

# Some machines are containers themselves, and may not start others.
try_to_run() {
  podman --storage-driver overlay --runtime runc --cgroup-manager cgroupfs run --rm --network=host --memory=128m \
    --ulimit=nofile=8192:8192 --ulimit=nproc=4096:4096 "$stand_in" node --version >"$cache/podman.log" 2>&1 ||
    skip "podman cannot run a container here; see $cache/podman.log"
}

# A target, of the repository or of another folder.
build() {
  local started=$SECONDS
  image bud --isolation chroot --pull-never --format docker --layers --network host --target "$1" --tag "sbert-service-$1:check" \
    --build-arg BASE_IMAGE="$stand_in" --build-arg MINIMUM_NODE="$(npm exec -- node -p process.versions.node)" \
    "${2:-.}" >"$cache/build-$1.log" 2>&1 || {
    tail -n 40 "$cache/build-$1.log" >&2
    return 1
  }
  echo "Built the target $1${2:+ from the bundle} in $((SECONDS - started)) s"
}

# The bundle of the sources is all that an instance of Elastic Beanstalk has to build the image from. Only the model's files are put
# beside it, so that they are not fetched again.
build_from_bundle() {
  npm exec -- node tools/deploy-bundle/main.ts "$cache/bundle.zip"
  rm -rf "$cache/bundle"
  python3 -m zipfile --extract "$cache/bundle.zip" "$cache/bundle"
  local source=models/all-MiniLM-L6-v2/source
  if [[ -d $source ]]; then
    mkdir -p "$cache/bundle/${source%/*}"
    cp -R "$source" "$cache/bundle/$source"
  fi
  build service "$cache/bundle"
  rm -r "$cache/bundle"
}

mkdir -p "$cache"
install_tools
build_stand_in
try_to_run
build_from_bundle
# With a low priority, under which processes must still work.
for target in service worker lambda; do build "$target"; done
# A separate network that has only the loopback device: the containers share it and are offline.
unshare --net -- bash -c 'ip link set lo up && nice -n 5 npm exec -- node tools/container/check.ts'
