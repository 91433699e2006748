# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# The promises of the account's stack: nobody but this repository's workflows may deploy, and no more than they need.

mock_provider "aws" {
  source = "../tests/mocks"
}

variables {
  repository = "example/sbert-service"
  stages     = ["dev", "prod"]
}

run "account" {
  assert {
    condition = alltrue([
      for name, document in data.aws_iam_policy_document.trust :
      toset([for condition in document.statement[0].condition : condition.test]) == toset(["StringEquals"]) &&
      toset([for condition in document.statement[0].condition : condition.variable]) == toset(["token.actions.githubusercontent.com:aud", "token.actions.githubusercontent.com:sub"])
    ])
    error_message = "Roles are given on exact audience and subject."
  }

  assert {
    condition     = local.subjects["deploy-prod"] == "repo:example/sbert-service:environment:prod" && local.subjects["apply-prod"] == "repo:example/sbert-service:environment:prod" && !anytrue([for subject in values(local.subjects) : strcontains(subject, "*")])
    error_message = "What changes a stage runs in its environment, on which approval hangs."
  }

  assert {
    condition = alltrue(flatten([
      for name, document in data.aws_iam_policy_document.deploy : [
        for statement in document.statement : !contains(statement.resources, "*") || length(statement.condition) > 0 || alltrue([
          for action in statement.actions : can(regex(":(Describe|Get|List)", action)) || contains(["ecs:RegisterTaskDefinition", "ecs:TagResource"], action)
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
    condition = alltrue([for document in concat([data.aws_iam_policy_document.plan], values(data.aws_iam_policy_document.apply)) : anytrue([
    for statement in document.statement : statement.effect == "Deny" && contains(statement.actions, "secretsmanager:GetSecretValue") && contains(statement.actions, "dynamodb:GetItem")])])
    error_message = "Neither plan nor apply reads secrets or data."
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
