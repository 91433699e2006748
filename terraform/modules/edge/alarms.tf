# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# CloudFront and its firewall report to us-east-1, so their alarms, topic and key are there.

resource "aws_kms_key" "edge" {
  provider = aws.us_east_1

  description             = "${var.name}: the edge's log and alarms"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = data.aws_iam_policy_document.key.json
}

resource "aws_kms_alias" "edge" {
  provider = aws.us_east_1

  name          = "alias/${var.name}-edge"
  target_key_id = aws_kms_key.edge.key_id
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
      identifiers = ["arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root"]
    }
  }

  statement {
    sid       = "Logs"
    actions   = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["logs.us-east-1.amazonaws.com"]
    }

    condition {
      test     = "ArnLike"
      variable = "kms:EncryptionContext:aws:logs:arn"
      values   = ["arn:${data.aws_partition.current.partition}:logs:us-east-1:${data.aws_caller_identity.current.account_id}:log-group:*"]
    }
  }

  statement {
    sid       = "Alarms"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

resource "aws_sns_topic" "alarms" {
  provider = aws.us_east_1

  name              = "${var.name}-edge-alarms"
  kms_master_key_id = aws_kms_key.edge.arn
}

resource "aws_sns_topic_policy" "alarms" {
  provider = aws.us_east_1

  arn    = aws_sns_topic.alarms.arn
  policy = data.aws_iam_policy_document.topic.json
}

data "aws_iam_policy_document" "topic" {
  statement {
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.alarms.arn]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

locals {
  alarms = merge({
    edge-5xx = {
      description = "One in twenty requests ended in a 5xx at the edge"
      namespace   = "AWS/CloudFront", metric = "5xxErrorRate", statistic = "Average"
      dimensions  = { DistributionId = aws_cloudfront_distribution.main.id, Region = "Global" }
      comparison  = "GreaterThanThreshold", threshold = 5, period_seconds = 60, periods = 5
    }
    firewall-blocked = {
      description = "The firewall refuses far more than usual: an attack, or a rule that hits callers"
      namespace   = "AWS/WAFV2", metric = "BlockedRequests", statistic = "Sum"
      dimensions  = { WebACL = var.name, Rule = "ALL" }
      comparison  = "GreaterThanThreshold", threshold = var.blocked_requests, period_seconds = 300, periods = 1
    }
    edge-function = {
      description = "The function that checks keys at the edge fails: callers get 503"
      namespace   = "AWS/CloudFront", metric = "FunctionExecutionErrors", statistic = "Sum"
      dimensions  = { FunctionName = aws_cloudfront_function.authorize.name, Region = "Global" }
      comparison  = "GreaterThanThreshold", threshold = 0, period_seconds = 300, periods = 1
    }
    }, var.domain == null ? {} : {
    certificate-expiry = {
      description = "The certificate at the edge ends soon and was not renewed: look at its proof in Route 53"
      namespace   = "AWS/CertificateManager", metric = "DaysToExpiry", statistic = "Minimum"
      dimensions  = { CertificateArn = aws_acm_certificate.edge[0].arn }
      comparison  = "LessThanThreshold", threshold = var.certificate_days, period_seconds = 86400, periods = 1
    }
  })
}

resource "aws_cloudwatch_metric_alarm" "edge" {
  for_each = local.alarms
  provider = aws.us_east_1

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  period              = each.value.period_seconds
  evaluation_periods  = each.value.periods
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}
