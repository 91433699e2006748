# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# What the service keeps: jobs in a table, hints about them in queues, large payloads and models in a bucket.

# Queues

locals {
  queue = var.job_resources.queue
  table = var.job_resources.table
}

resource "aws_sqs_queue" "dead" {
  name                      = "${var.name}-dead"
  message_retention_seconds = local.queue.messageRetentionSeconds
  receive_wait_time_seconds = local.queue.receiveWaitTimeSeconds
  kms_master_key_id         = var.kms_key_arn
}

resource "aws_sqs_queue" "work" {
  for_each = toset(["jobs", "bulk"])

  name                       = "${var.name}-${each.key}"
  visibility_timeout_seconds = local.queue.visibilityTimeoutSeconds
  message_retention_seconds  = local.queue.messageRetentionSeconds
  receive_wait_time_seconds  = local.queue.receiveWaitTimeSeconds
  kms_master_key_id          = var.kms_key_arn

  # The program counts tries in the table; this is for messages that kill whoever reads them.
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead.arn
    maxReceiveCount     = local.queue.maxReceiveCount
  })
}

locals {
  queues = merge(aws_sqs_queue.work, { dead = aws_sqs_queue.dead })
}

resource "aws_sqs_queue_policy" "tls_only" {
  for_each = local.queues

  queue_url = each.value.url
  policy    = data.aws_iam_policy_document.queue[each.key].json
}

data "aws_iam_policy_document" "queue" {
  for_each = local.queues

  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["sqs:*"]
    resources = [each.value.arn]

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

# Table

resource "aws_dynamodb_table" "jobs" {
  name                        = "${var.name}-jobs"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = local.table.key
  deletion_protection_enabled = var.deletion_protection

  attribute {
    name = local.table.key
    type = "S"
  }

  attribute {
    name = local.table.index.hashKey
    type = "S"
  }

  attribute {
    name = local.table.index.rangeKey
    type = "N"
  }

  global_secondary_index {
    name               = local.table.index.name
    hash_key           = local.table.index.hashKey
    range_key          = local.table.index.rangeKey
    projection_type    = "INCLUDE"
    non_key_attributes = local.table.index.projectedAttributes
  }

  ttl {
    attribute_name = local.table.ttlAttribute
    enabled        = true
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.kms_key_arn
  }
}

# Bucket

resource "aws_s3_bucket" "main" {
  bucket        = var.bucket_name
  force_destroy = !var.deletion_protection
}

resource "aws_s3_bucket_public_access_block" "main" {
  bucket                  = aws_s3_bucket.main.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "main" {
  bucket = aws_s3_bucket.main.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_versioning" "main" {
  bucket = aws_s3_bucket.main.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "main" {
  bucket = aws_s3_bucket.main.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "main" {
  bucket = aws_s3_bucket.main.id

  rule {
    id     = "job-payloads"
    status = "Enabled"

    filter {
      prefix = var.job_resources.bucket.prefix
    }

    expiration {
      days = var.job_resources.bucket.expirationDays
    }
  }

  # A model that was overwritten or deleted by mistake can be had back for so long.
  rule {
    id     = "replaced"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = 30
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  depends_on = [aws_s3_bucket_versioning.main]
}

resource "aws_s3_bucket_policy" "tls_only" {
  bucket = aws_s3_bucket.main.id
  policy = data.aws_iam_policy_document.bucket.json
}

data "aws_iam_policy_document" "bucket" {
  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.main.arn, "${aws_s3_bucket.main.arn}/*"]

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
