#!/usr/bin/env bash
# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# Follows the logs of a stage on AWS, from ten minutes ago on, each line with the tier that wrote it. Ends with Ctrl-C.
# usage: follow-logs.sh <stage> [web|worker|function|canary|deploy]…, by default web and worker
set -euo pipefail

usage='usage: make logs STAGE=<stage> [TIER="web worker function canary deploy"]'
stage=${1:-}
shift || true
if [[ ! $stage =~ ^[a-z][a-z0-9]{1,9}$ ]]; then
  echo "Cannot follow the logs: want the name of a stage, not \"$stage\". $usage" >&2
  exit 2
fi
[[ $# -gt 0 ]] || set -- web worker
name=sbert-service-$stage
web=/aws/elasticbeanstalk/$name/var/log

groups=()
for tier in "$@"; do
  case $tier in
    # What Elastic Beanstalk calls the log of its one container, and that of what it does itself.
    web) groups+=("$web/eb-docker/containers/eb-current-app/stdouterr.log") ;;
    deploy) groups+=("$web/eb-engine.log") ;;
    worker | function | canary) groups+=("/$name/$tier") ;;
    *)
      echo "Cannot follow the logs: want web, worker, function, canary or deploy, not \"$tier\". $usage" >&2
      exit 2
      ;;
  esac
done

pids=()
tiers=("$@")
for index in "${!groups[@]}"; do
  aws logs tail "${groups[$index]}" --follow --since 10m --format short | sed -u "s/^/${tiers[$index]} /" &
  pids+=($!)
done
# One that ends by itself has failed: there is no such log, or no right to read it.
status=0
for pid in "${pids[@]}"; do wait "$pid" || status=$?; done
exit $status
