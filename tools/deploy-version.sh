#!/usr/bin/env bash
# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# Brings a version into a stage and waits until it runs: the web tier and, beside it, the workers. Without an image the workers go
# (back) to the task definition as it stands; so the same command rolls back.
set -euo pipefail

if [ $# -lt 4 ]; then
  echo 'usage: deploy-version.sh <environment> <version label> <cluster> <task definition> [<worker image>]' >&2
  exit 2
fi
environment=$1 label=$2 cluster=$3 task=$4 image=${5:-}
minutes=30

if [ -n "$image" ]; then
  # What a task definition is registered with, and nothing of what AWS adds to it.
  definition=$(aws ecs describe-task-definition --task-definition "$task" --query taskDefinition --output json | jq --arg image "$image" '
    .containerDefinitions[0].image = $image
    | {family, taskRoleArn, executionRoleArn, networkMode, containerDefinitions, volumes, requiresCompatibilities, cpu, memory, runtimePlatform}')
  task=$(aws ecs register-task-definition --cli-input-json "$definition" --query taskDefinition.taskDefinitionArn --output text)
fi
aws ecs update-service --cluster "$cluster" --service worker --task-definition "$task" --query service.status --output text

current() {
  aws elasticbeanstalk describe-environments --environment-names "$environment" --no-include-deleted \
    --query "Environments[0].$1" --output text
}

if [ "$(current VersionLabel)" != "$label" ]; then
  aws elasticbeanstalk update-environment --environment-name "$environment" --version-label "$label" --query Status --output text
fi
for ((minute = 0; minute < minutes * 4; minute += 1)); do
  status=$(current Status)
  if [ "$status" = Ready ]; then break; fi
  sleep 15
done
# Elastic Beanstalk itself goes back when a batch does not become healthy: then the label is the old one.
if [ "$status" != Ready ] || [ "$(current VersionLabel)" != "$label" ]; then
  echo "Cannot deploy $label: the environment is $status, with $(current VersionLabel)" >&2
  exit 1
fi
aws ecs wait services-stable --cluster "$cluster" --services worker
