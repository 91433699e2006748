# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# The promises of the account's stack: nobody but this repository's workflows may deploy, and no more than they need.

mock_provider "aws" {
  source = "../tests/mocks"
}

variables {
  repository = "example/sbert-service"
  stages     = ["dev", "prod"]

  edge_arns = {
    for stage in ["dev", "prod"] : stage => {
      key_value_store       = "arn:aws:cloudfront::123456789012:key-value-store/${stage}"
      cache_policy          = "arn:aws:cloudfront::123456789012:cache-policy/${stage}"
      origin_access_control = "arn:aws:cloudfront::123456789012:origin-access-control/${stage}"
    }
  }
  domains = { prod = { name = "sbert.example.org", zone_id = "Z0123456789" } }
}

run "account" {
  assert {
    condition = alltrue([
      for name, document in data.aws_iam_policy_document.trust :
      toset([for condition in document.statement[0].condition : condition.test]) == (name == "plan" ? toset(["StringEquals", "StringLike"]) : toset(["StringEquals"])) &&
      toset([for condition in document.statement[0].condition : condition.variable]) == toset(["token.actions.githubusercontent.com:aud", "token.actions.githubusercontent.com:sub"])
    ])
    error_message = "Roles are given on exact audience and subject; only a pull request's number is left open."
  }

  assert {
    condition = alltrue([
      for name, subject in local.subjects :
      name == "plan" ? subject == "repo:example/sbert-service:pull_request:ref:refs/pull/*/merge" : endswith(subject, ":ref:refs/heads/main") && !strcontains(subject, "*")
    ]) && local.subjects["apply-prod"] == "repo:example/sbert-service:environment:prod:ref:refs/heads/main"
    error_message = "What changes a stage runs in its environment, on which approval hangs, and from main: any branch may name an environment."
  }

  assert {
    condition = alltrue([
      for index, rule in jsondecode(aws_ecr_lifecycle_policy.service.policy).rules :
      rule.rulePriority == index + 1 && rule.selection.countNumber >= 3 * one(aws_elastic_beanstalk_application.service.appversion_lifecycle).max_count &&
      (index < length(var.stages) ? rule.selection.tagPrefixList[0] == "deployed-${reverse(var.stages)[index]}-" : rule.selection.tagStatus == "any")
    ]) && length(jsondecode(aws_ecr_lifecycle_policy.service.policy).rules) == length(var.stages) + 1
    error_message = "No image expires while a version of the application points to it, nor while a stage runs it: what is deployed counts apart."
  }

  assert {
    condition = alltrue(flatten([
      for name, document in data.aws_iam_policy_document.deploy : [
        for statement in document.statement : !contains(statement.resources, "*") || length(statement.condition) > 0 || alltrue([
          for action in statement.actions : can(regex(":(Describe|Get|List)", action)) || contains(["ecs:RegisterTaskDefinition"], action)
        ])
      ]
    ]))
    error_message = "A deploy changes this service's resources only, but in CloudFormation's hand."
  }

  assert {
    condition     = alltrue([for name, document in data.aws_iam_policy_document.deploy : alltrue([for statement in document.statement : alltrue([for arn in statement.resources : endswith(arn, "-${name}-web") || endswith(arn, "-${name}-worker") || endswith(arn, "-${name}-worker-start") || endswith(arn, "-${name}-beanstalk")]) if contains(statement.actions, "iam:PassRole")])])
    error_message = "A deploy hands on the roles of its own stage."
  }

  assert {
    condition     = aws_ecr_repository.service.image_tag_mutability == "IMMUTABLE" && one(aws_ecr_repository.service.image_scanning_configuration).scan_on_push
    error_message = "An image stays what it was, and is scanned."
  }

  assert {
    condition = alltrue([for block in aws_s3_bucket_public_access_block.account : block.block_public_acls && block.block_public_policy && block.ignore_public_acls && block.restrict_public_buckets]) && alltrue([
    for versioning in aws_s3_bucket_versioning.account : one(versioning.versioning_configuration).status == "Enabled"])
    error_message = "States and bundles are not public, and can be had back."
  }
}

run "a_repository_with_a_wildcard_is_refused" {
  command = plan

  variables {
    repository = "example/*"
  }

  expect_failures = [var.repository]
}

run "a_stage_named_as_the_accounts_own_things_is_refused" {
  command = plan

  variables {
    stages = ["dev", "github"]
  }

  expect_failures = [var.stages]
}
