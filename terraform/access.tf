# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# Who may do what. Each statement on data names its queue, table or part of the bucket.

locals {
  # Parts of the bucket: payloads of jobs, mentors, and trained models.
  object_arns = [for prefix in [local.job_resources.bucket.prefix, "mentors/", "models/"] : "${module.storage.bucket.arn}/${prefix}*"]
  work_queues = [module.storage.queue_arns["jobs"], module.storage.queue_arns["bulk"]]

  repository_arn = "arn:${data.aws_partition.current.partition}:ecr:${var.region}:${data.aws_caller_identity.current.account_id}:repository/${var.application_name}"
  bundles_arn    = "arn:${data.aws_partition.current.partition}:s3:::${var.application_name}-bundles-${data.aws_caller_identity.current.account_id}-${var.region}"
}

# What web tier and workers both do with data: src/platform.
data "aws_iam_policy_document" "data" {
  statement {
    sid       = "Table"
    actions   = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:Query", "dynamodb:ConditionCheckItem"]
    resources = [module.storage.table.arn, "${module.storage.table.arn}/index/${local.job_resources.table.index.name}"]
  }

  statement {
    sid       = "Objects"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    resources = local.object_arns
  }

  # Without it S3 answers 403, not 404, for what is not there.
  statement {
    sid       = "List"
    actions   = ["s3:ListBucket"]
    resources = [module.storage.bucket.arn]
  }

  statement {
    sid       = "Send"
    actions   = ["sqs:SendMessage", "sqs:GetQueueAttributes"]
    resources = local.work_queues
  }

  # A dead letter that is sent back to work is taken out of its queue.
  statement {
    sid       = "DeadLetters"
    actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage"]
    resources = [module.storage.queue_arns["dead"]]
  }

  statement {
    sid       = "Key"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [aws_kms_key.main.arn]
  }
}

# What workers do beyond that.
data "aws_iam_policy_document" "work" {
  statement {
    sid       = "Receive"
    actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"]
    resources = local.work_queues
  }

  statement {
    sid       = "Bury"
    actions   = ["sqs:SendMessage"]
    resources = [module.storage.queue_arns["dead"]]
  }

  # A task asks the agent beside it not to be stopped while a long job is at work; the agent asks ECS with the task's own role.
  statement {
    sid       = "ScaleInProtection"
    actions   = ["ecs:GetTaskProtection", "ecs:UpdateTaskProtection"]
    resources = ["arn:${data.aws_partition.current.partition}:ecs:${var.region}:${data.aws_caller_identity.current.account_id}:task/${local.name}/*"]
  }
}

data "aws_iam_policy_document" "image" {
  statement {
    sid     = "Login"
    actions = ["ecr:GetAuthorizationToken"]
    # AWS knows no narrower resource for it, and it gives no right to any image.
    #checkov:skip=CKV_AWS_356:see above
    resources = ["*"]
  }

  statement {
    sid       = "Pull"
    actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    resources = [local.repository_arn]
  }
}

data "aws_iam_policy_document" "secrets" {
  statement {
    sid       = "Values"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [for secret in aws_secretsmanager_secret.setting : secret.arn]
  }

  statement {
    sid       = "Key"
    actions   = ["kms:Decrypt"]
    resources = [aws_kms_key.main.arn]
  }
}

# What those read that know callers.
data "aws_iam_policy_document" "callers" {
  statement {
    sid       = "Keys"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [aws_secretsmanager_secret.api_keys.arn]
  }
}

data "aws_iam_policy_document" "trust" {
  for_each = {
    elasticbeanstalk = "elasticbeanstalk.amazonaws.com"
    ec2              = "ec2.amazonaws.com"
    ecs-tasks        = "ecs-tasks.amazonaws.com"
    chatbot          = "chatbot.amazonaws.com"
    lambda           = "lambda.amazonaws.com"
  }

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = [each.value]
    }
  }
}

# The web tier's instances

resource "aws_iam_role" "web" {
  name                 = "${local.name}-web"
  assume_role_policy   = data.aws_iam_policy_document.trust["ec2"].json
  permissions_boundary = local.permissions_boundary_arn
}

resource "aws_iam_instance_profile" "web" {
  name = "${local.name}-web"
  role = aws_iam_role.web.name
}

resource "aws_iam_role_policy" "web" {
  for_each = {
    data    = data.aws_iam_policy_document.data.json
    image   = data.aws_iam_policy_document.image.json
    secrets = data.aws_iam_policy_document.secrets.json
    callers = data.aws_iam_policy_document.callers.json
    host    = data.aws_iam_policy_document.host.json
  }

  name   = each.key
  role   = aws_iam_role.web.id
  policy = each.value
}

# What Elastic Beanstalk's own programs on an instance do.
data "aws_iam_policy_document" "host" {
  statement {
    sid       = "Health"
    actions   = ["elasticbeanstalk:PutInstanceStatistics"]
    resources = ["arn:${data.aws_partition.current.partition}:elasticbeanstalk:${var.region}:${data.aws_caller_identity.current.account_id}:*/${var.application_name}*"]
  }

  statement {
    sid       = "Logs"
    actions   = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams", "logs:DescribeLogGroups"]
    resources = ["arn:${data.aws_partition.current.partition}:logs:${var.region}:${data.aws_caller_identity.current.account_id}:log-group:/aws/elasticbeanstalk/${local.name}/*"]
  }

  statement {
    sid       = "Bundle"
    actions   = ["s3:GetObject"]
    resources = ["${local.bundles_arn}/*"]
  }

  # The host program of Elastic Beanstalk looks there for the version that is to run.
  statement {
    sid       = "Manifest"
    actions   = ["s3:ListBucket"]
    resources = ["arn:${data.aws_partition.current.partition}:s3:::elasticbeanstalk-${var.region}-${data.aws_caller_identity.current.account_id}"]
  }

  # Logs that someone asks for in the console go through a bucket that Elastic Beanstalk makes for the region.
  statement {
    sid       = "AskedLogs"
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = ["arn:${data.aws_partition.current.partition}:s3:::elasticbeanstalk-${var.region}-${data.aws_caller_identity.current.account_id}/resources/environments/*"]
  }
}

# Elastic Beanstalk itself, when it looks at health and updates the platform

resource "aws_iam_role" "beanstalk" {
  name                 = "${local.name}-beanstalk"
  assume_role_policy   = data.aws_iam_policy_document.trust["elasticbeanstalk"].json
  permissions_boundary = local.permissions_boundary_arn
}

resource "aws_iam_role_policy_attachment" "beanstalk" {
  for_each = toset(["AWSElasticBeanstalkEnhancedHealth", "AWSElasticBeanstalkManagedUpdatesCustomerRolePolicy"])

  role       = aws_iam_role.beanstalk.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/${each.key == "AWSElasticBeanstalkEnhancedHealth" ? "service-role/" : ""}${each.key}"
}

# Workers: what the program may do, and what Fargate may do to start it

resource "aws_iam_role" "worker" {
  name                 = "${local.name}-worker"
  assume_role_policy   = data.aws_iam_policy_document.trust["ecs-tasks"].json
  permissions_boundary = local.permissions_boundary_arn
}

resource "aws_iam_role_policy" "worker" {
  for_each = {
    data = data.aws_iam_policy_document.data.json
    work = data.aws_iam_policy_document.work.json
  }

  name   = each.key
  role   = aws_iam_role.worker.id
  policy = each.value
}

resource "aws_iam_role" "worker_start" {
  name                 = "${local.name}-worker-start"
  assume_role_policy   = data.aws_iam_policy_document.trust["ecs-tasks"].json
  permissions_boundary = local.permissions_boundary_arn
}

resource "aws_iam_role_policy" "worker_start" {
  for_each = {
    image   = data.aws_iam_policy_document.image.json
    secrets = data.aws_iam_policy_document.secrets.json
    logs    = data.aws_iam_policy_document.worker_logs.json
  }

  name   = each.key
  role   = aws_iam_role.worker_start.id
  policy = each.value
}

data "aws_iam_policy_document" "worker_logs" {
  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.worker.arn}:*"]
  }
}
