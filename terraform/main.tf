# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# One stage of the service: a web tier on Elastic Beanstalk behind CloudFront, workers on Fargate, and what both keep.
# The other files: web, worker, access (IAM), secrets, alarms, dashboard, canary. What the stages share is in account/.

locals {
  name = "sbert-service-${var.stage}"

  tags = {
    Service   = "sbert-service"
    Stage     = var.stage
    ManagedBy = "terraform"
  }

  # The account's stack makes it: what a role of this stage may do at the most, whatever its policies say.
  permissions_boundary_arn = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:policy/${var.application_name}-boundary-${var.stage}"

  # CloudFront reaches no balancer there.
  # https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-vpc-origins.html
  zone_ids_without_vpc_origins = ["use1-az3", "usw1-az2", "apne1-az3", "cac1-az3"]

  # The program reads the same file: src/platform/aws-job-backend.ts.
  job_resources = jsondecode(file("${path.module}/../src/platform/job-resources.json"))

  network = {
    vpc_id             = var.network == null ? module.network[0].vpc_id : var.network.vpc_id
    private_subnet_ids = var.network == null ? module.network[0].private_subnet_ids : var.network.private_subnet_ids
  }

  # What web tier and workers are both told.
  settings = merge({
    STAGE                      = var.stage
    METRICS                    = "emf"
    BACKEND                    = "aws"
    JOBS_QUEUE_URL             = module.storage.queue_urls["jobs"]
    JOBS_BULK_QUEUE_URL        = module.storage.queue_urls["bulk"]
    JOBS_DEAD_LETTER_QUEUE_URL = module.storage.queue_urls["dead"]
    JOBS_TABLE                 = module.storage.table.name
    MODELS_BUCKET              = module.storage.bucket.name
    AWS_REGION                 = var.region
  }, var.settings)
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

module "network" {
  source = "./modules/network"
  count  = var.network == null ? 1 : 0

  name                 = local.name
  cidr                 = var.vpc_cidr
  zone_count           = var.zone_count
  excluded_zone_ids    = local.zone_ids_without_vpc_origins
  nat_gateway_per_zone = var.nat_gateway_per_zone
  log_retention_days   = var.log_retention_days
  kms_key_arn          = aws_kms_key.main.arn

  permissions_boundary_arn = local.permissions_boundary_arn
}

data "aws_subnet" "given" {
  for_each = toset(var.network == null ? [] : var.network.private_subnet_ids)

  id = each.key

  lifecycle {
    postcondition {
      condition     = !contains(local.zone_ids_without_vpc_origins, self.availability_zone_id)
      error_message = "network: subnet ${each.key} is in the zone ${self.availability_zone_id}, which CloudFront's VPC origins do not reach; want subnets in other zones."
    }
  }
}

module "storage" {
  source = "./modules/storage"

  name                = local.name
  bucket_name         = "${local.name}-${data.aws_caller_identity.current.account_id}-${var.region}"
  job_resources       = local.job_resources
  kms_key_arn         = aws_kms_key.main.arn
  deletion_protection = var.deletion_protection
}

# The key of all that this stage keeps: queues, table, bucket, secrets, logs, alarms.

resource "aws_kms_key" "main" {
  description             = "${local.name}: everything at rest"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = data.aws_iam_policy_document.key.json
}

resource "aws_kms_alias" "main" {
  name          = "alias/${local.name}"
  target_key_id = aws_kms_key.main.key_id
}

data "aws_iam_policy_document" "key" {
  # Without it nobody could change the key any more. Who may use it is then said by the policies of roles.
  #checkov:skip=CKV_AWS_109:a key's policy speaks of this key alone
  #checkov:skip=CKV_AWS_111:a key's policy speaks of this key alone
  #checkov:skip=CKV_AWS_356:a key's policy speaks of this key alone
  statement {
    sid       = "Account"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root"]
    }
  }

  statement {
    sid       = "Logs"
    actions   = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["logs.${var.region}.amazonaws.com"]
    }

    condition {
      test     = "ArnLike"
      variable = "kms:EncryptionContext:aws:logs:arn"
      values   = ["arn:${data.aws_partition.current.partition}:logs:${var.region}:${data.aws_caller_identity.current.account_id}:log-group:*"]
    }
  }

  statement {
    sid       = "Alarms"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com", "costalerts.amazonaws.com", "budgets.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}
