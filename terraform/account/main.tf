# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# What an account needs once, before any stage: where states are kept, images, bundles, and roles for GitHub's workflows.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition

  buckets = {
    # States hold no secrets, but who can write them can have anything destroyed.
    state   = "${var.application_name}-state-${local.account_id}-${var.region}"
    bundles = "${var.application_name}-bundles-${local.account_id}-${var.region}"
  }
}

# Buckets

resource "aws_kms_key" "account" {
  description             = "${var.application_name}: states, bundles and images"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = data.aws_iam_policy_document.key.json
}

resource "aws_kms_alias" "account" {
  name          = "alias/${var.application_name}-account"
  target_key_id = aws_kms_key.account.key_id
}

data "aws_iam_policy_document" "key" {
  #checkov:skip=CKV_AWS_109:a key's policy speaks of this key alone
  #checkov:skip=CKV_AWS_111:a key's policy speaks of this key alone
  #checkov:skip=CKV_AWS_356:a key's policy speaks of this key alone
  statement {
    sid       = "Account"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${local.partition}:iam::${local.account_id}:root"]
    }
  }
}

resource "aws_s3_bucket" "account" {
  for_each = local.buckets

  bucket = each.value
}

resource "aws_s3_bucket_public_access_block" "account" {
  for_each = aws_s3_bucket.account

  bucket                  = each.value.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_versioning" "account" {
  for_each = aws_s3_bucket.account

  bucket = each.value.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "account" {
  for_each = aws_s3_bucket.account

  bucket = each.value.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.account.arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "account" {
  for_each = aws_s3_bucket.account

  bucket = each.value.id

  rule {
    id     = "replaced"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days           = 90
      newer_noncurrent_versions = 20
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  depends_on = [aws_s3_bucket_versioning.account]
}

resource "aws_s3_bucket_policy" "account" {
  for_each = aws_s3_bucket.account

  bucket = each.value.id
  policy = data.aws_iam_policy_document.bucket[each.key].json
}

data "aws_iam_policy_document" "bucket" {
  for_each = aws_s3_bucket.account

  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [each.value.arn, "${each.value.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

# Images

resource "aws_ecr_repository" "service" {
  name                 = var.application_name
  image_tag_mutability = "IMMUTABLE"

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = aws_kms_key.account.arn
  }
}

# Lambda pulls a function's image itself, and again when the function was idle for weeks.
resource "aws_ecr_repository_policy" "service" {
  repository = aws_ecr_repository.service.name
  policy     = data.aws_iam_policy_document.repository.json
}

data "aws_iam_policy_document" "repository" {
  statement {
    sid     = "LambdaPulls"
    actions = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = [for name in values(local.names) : "arn:${local.partition}:lambda:${var.region}:${local.account_id}:function:${name}-function"]
    }
  }
}

resource "aws_ecr_lifecycle_policy" "service" {
  repository = aws_ecr_repository.service.name

  # The deploy tags what it brings into a stage. What an earlier rule selects, later ones leave alone: so what a stage runs, or ran, does not go
  # however much was pushed since. The last stage comes first: what prod still runs, dev has long gone beyond, and dev's rule would expire it.
  # ECR keeps the images of each architecture while an index names them. A deployment has three tags: the indexes of service and worker, the
  # function's one image.
  policy = jsonencode({
    rules = concat([
      for index, stage in reverse(var.stages) : {
        rulePriority = 1 + index
        description  = "What ${stage} ran, as far back as a roll back can go"
        selection    = { tagStatus = "tagged", tagPrefixList = ["deployed-${stage}-"], countType = "imageCountMoreThan", countNumber = 3 * var.kept_version_count }
        action       = { type = "expire" }
      }
      ], [{
        rulePriority = 1 + length(var.stages)
        description  = "What was built, at least as long as its version of the application is kept"
        # A version has five of service and of worker: an index, an image of each architecture, the index's signature and its bill of materials.
        # It has six of the function, which has no index. Twice that, since a build that failed before its version was made has pushed images too.
        selection = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 32 * var.kept_version_count }
        action    = { type = "expire" }
    }])
  })
}

# One application, whose versions go from stage to stage

resource "aws_elastic_beanstalk_application" "service" {
  name        = var.application_name
  description = "Sentence embeddings and question answering over HTTP"

  appversion_lifecycle {
    service_role          = aws_iam_role.lifecycle.arn
    max_count             = var.kept_version_count
    delete_source_from_s3 = true
  }
}

resource "aws_iam_role" "lifecycle" {
  name               = "${var.application_name}-version-lifecycle"
  assume_role_policy = data.aws_iam_policy_document.lifecycle_trust.json
}

data "aws_iam_policy_document" "lifecycle_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["elasticbeanstalk.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "lifecycle" {
  name   = "delete-old-versions"
  role   = aws_iam_role.lifecycle.id
  policy = data.aws_iam_policy_document.lifecycle.json
}

data "aws_iam_policy_document" "lifecycle" {
  statement {
    actions   = ["elasticbeanstalk:DeleteApplicationVersion", "elasticbeanstalk:DescribeApplicationVersions", "elasticbeanstalk:DescribeEnvironments"]
    resources = ["arn:${local.partition}:elasticbeanstalk:${var.region}:${local.account_id}:*/${var.application_name}*"]
  }

  statement {
    actions   = ["s3:DeleteObject", "s3:GetObject"]
    resources = ["${aws_s3_bucket.account["bundles"].arn}/*"]
  }
}
