#!/bin/sh
# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# Makes a root file system with Node.js and the libraries that it and the native modules of ./node_modules are linked to.
# Runs in the base image, with binutils. usage: assemble-root.sh <destination>
set -eu
root=${1:?usage: assemble-root.sh <destination>}
mkdir -p "$root/usr/local/bin" "$root/etc" "$root/var/lib/dpkg/status.d" "$root/app/.cache/node" "$root/data"

node=$(command -v node)
# Without its symbols, which only debuggers of Node.js itself read, the program is a quarter smaller.
strip -o "$root/usr/local/bin/node" "$node"

natives=$(find node_modules -path '*/bin/napi-v6/*' -type f)
# No pipes: sh sees only the last command of a pipe fail.
linked=$(mktemp)
# shellcheck disable=SC2086 -- the names have no spaces
ldd "$node" $natives >"$linked"
if grep 'not found' "$linked" >&2; then
  echo 'assemble-root.sh: the base image lacks these libraries' >&2
  exit 1
fi
libraries=$(awk '$2 == "=>" && $3 ~ /^\// { print $3 } $1 ~ /^\/.*ld-linux/ { print $1 }' "$linked")
libraries=$(printf '%s\n' "$libraries" | sort -u | grep -v /node_modules/)
for library in $libraries; do
  mkdir -p "$root$(dirname "$library")"
  cp -L "$library" "$root$library"
  # Tells scanners which package it belongs to. dpkg knows merged folders by one of their two names.
  found=$(dpkg-query --search "*${library#/usr}")
  package=${found%%:*}
  dpkg-query --status "$package" >"$root/var/lib/dpkg/status.d/$package"
done
cp /etc/os-release /etc/debian_version "$root/etc/"

printf 'root:x:0:0:root:/root:/sbin/nologin\nnode:x:1000:1000:node:/data:/sbin/nologin\n' >"$root/etc/passwd"
printf 'root:x:0:\nnode:x:1000:\n' >"$root/etc/group"
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
mkdir -m 1777 "$root/tmp"
chown -R 1000:1000 "$root/data" "$root/app/.cache"
