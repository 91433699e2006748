# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# What people are told of, in Slack. The edge's alarms are in module edge, since CloudFront reports to us-east-1.

locals {
  environment_dimensions = { EnvironmentName = local.name }
  table_dimensions       = { TableName = module.storage.table.name }
  index_dimensions       = merge(local.table_dimensions, { GlobalSecondaryIndexName = local.job_resources.table.index.name })
  stage_dimensions       = { Stage = var.stage }

  # Each watches one metric, or an expression over several; a metric's id is its key.
  alarms = merge({
    unhealthy-hosts = {
      description = "Instances of the web tier fail their health check"
      metrics     = { m = { namespace = "AWS/ApplicationELB", metric = "UnHealthyHostCount", statistic = "Maximum", dimensions = local.target_dimensions } }
      comparison  = "GreaterThanThreshold", threshold = 0, period_seconds = 60, periods = 3
    }
    environment-health = {
      description = "Elastic Beanstalk calls the web tier degraded (20) or worse"
      metrics     = { m = { namespace = "AWS/ElasticBeanstalk", metric = "EnvironmentHealth", statistic = "Maximum", dimensions = local.environment_dimensions } }
      comparison  = "GreaterThanOrEqualToThreshold", threshold = 20, period_seconds = 60, periods = 5
    }
    target-5xx = {
      description = "One in a hundred requests was answered 5xx by the service"
      metrics = {
        errors   = { namespace = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", statistic = "Sum", dimensions = local.balancer_dimensions }
        requests = { namespace = "AWS/ApplicationELB", metric = "RequestCount", statistic = "Sum", dimensions = local.balancer_dimensions }
      }
      expression = "IF(requests > 0, 100 * FILL(errors, 0) / requests, 0)"
      comparison = "GreaterThanThreshold", threshold = 1, period_seconds = 60, periods = 3
    }
    balancer-5xx = {
      description = "The load balancer itself answers 5xx: no instance took the request"
      metrics     = { m = { namespace = "AWS/ApplicationELB", metric = "HTTPCode_ELB_5XX_Count", statistic = "Sum", dimensions = local.balancer_dimensions } }
      comparison  = "GreaterThanThreshold", threshold = 5, period_seconds = 60, periods = 3
    }
    response-p90 = {
      description = "One request in ten takes too long"
      metrics     = { m = { namespace = "AWS/ApplicationELB", metric = "TargetResponseTime", statistic = "p90", dimensions = local.balancer_dimensions } }
      comparison  = "GreaterThanThreshold", threshold = var.alarm_thresholds.p90_seconds, period_seconds = 60, periods = 5
    }
    response-slowest = {
      description = "The slowest request takes far too long, again and again"
      metrics     = { m = { namespace = "AWS/ApplicationELB", metric = "TargetResponseTime", statistic = "Maximum", dimensions = local.balancer_dimensions } }
      comparison  = "GreaterThanThreshold", threshold = var.alarm_thresholds.slowest_seconds, period_seconds = 300, periods = 3
    }
    balancer-capacity = {
      description = "The load balancer does, and costs, far more than usual"
      metrics     = { m = { namespace = "AWS/ApplicationELB", metric = "ConsumedLCUs", statistic = "Average", dimensions = local.balancer_dimensions } }
      comparison  = "GreaterThanThreshold", threshold = var.alarm_thresholds.balancer_capacity_units, period_seconds = 300, periods = 3
    }
    web-at-most = {
      description = "The web tier has as many instances as it may have"
      metrics     = { m = { namespace = "AWS/AutoScaling", metric = "GroupInServiceInstances", statistic = "Minimum", dimensions = local.group_dimensions } }
      comparison  = "GreaterThanOrEqualToThreshold", threshold = var.web_instances.max, period_seconds = 60, periods = 15
    }
    dead-letters = {
      description = "A job failed for good: GET /v1/jobs?status=DEAD says why"
      metrics     = { m = { namespace = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", statistic = "Maximum", dimensions = { QueueName = module.storage.queue_names["dead"] } } }
      comparison  = "GreaterThanThreshold", threshold = 0, period_seconds = 60, periods = 1
    }
    oldest-job = {
      description = "A job has waited for too long; bulk jobs may"
      metrics     = { m = { namespace = "AWS/SQS", metric = "ApproximateAgeOfOldestMessage", statistic = "Maximum", dimensions = { QueueName = module.storage.queue_names["jobs"] } } }
      comparison  = "GreaterThanThreshold", threshold = var.alarm_thresholds.oldest_job_seconds, period_seconds = 60, periods = 5
    }
    backlog = {
      description = "Far more jobs wait for each worker than scaling aims at"
      metrics     = local.backlog_metrics
      expression  = local.backlog_expression
      comparison  = "GreaterThanThreshold", threshold = var.alarm_thresholds.backlog_per_task, period_seconds = 60, periods = 15
    }
    workers-missing = {
      description = "Fewer workers run than should: they do not start, or end at once; the log of the service in ECS says why"
      metrics = {
        desired = { namespace = "ECS/ContainerInsights", metric = "DesiredTaskCount", statistic = "Minimum", dimensions = local.service_dimensions }
        running = { namespace = "ECS/ContainerInsights", metric = "RunningTaskCount", statistic = "Maximum", dimensions = local.service_dimensions }
      }
      expression = "FILL(desired, 0) - FILL(running, 0)"
      comparison = "GreaterThanThreshold", threshold = 0, period_seconds = 60, periods = 15
    }
    throttles = {
      description = "DynamoDB refuses reads or writes of jobs for being too many at once"
      metrics = {
        reads       = { namespace = "AWS/DynamoDB", metric = "ReadThrottleEvents", statistic = "Sum", dimensions = local.table_dimensions }
        writes      = { namespace = "AWS/DynamoDB", metric = "WriteThrottleEvents", statistic = "Sum", dimensions = local.table_dimensions }
        indexreads  = { namespace = "AWS/DynamoDB", metric = "ReadThrottleEvents", statistic = "Sum", dimensions = local.index_dimensions }
        indexwrites = { namespace = "AWS/DynamoDB", metric = "WriteThrottleEvents", statistic = "Sum", dimensions = local.index_dimensions }
      }
      expression = "FILL(reads, 0) + FILL(writes, 0) + FILL(indexreads, 0) + FILL(indexwrites, 0)"
      comparison = "GreaterThanThreshold", threshold = 0, period_seconds = 60, periods = 3
    }
    # DynamoDB has no count of what is over its time and still there. But where jobs were written for a week, some must
    # have been deleted in it; only a stage in its first 20 days has none to delete yet.
    ttl-backlog = {
      description = "Jobs over their time are not deleted: nothing was for a week, though the table is in use (normal in a stage's first 20 days)"
      metrics = {
        deleted = { namespace = "AWS/DynamoDB", metric = "TimeToLiveDeletedItemCount", statistic = "Sum", dimensions = local.table_dimensions }
        written = { namespace = "AWS/DynamoDB", metric = "ConsumedWriteCapacityUnits", statistic = "Sum", dimensions = local.table_dimensions }
      }
      expression = "IF(FILL(written, 0) > 0 AND FILL(deleted, 0) < 1, 1, 0)"
      comparison = "GreaterThanThreshold", threshold = 0, period_seconds = 86400, periods = 7
    }
    canary = {
      description = "An encode through CloudFront fails, or is answered without a key"
      metrics     = { m = { namespace = "sbert-service", metric = "CanarySuccess", statistic = "Minimum", dimensions = local.stage_dimensions } }
      comparison  = "LessThanThreshold", threshold = 1, period_seconds = 300, periods = 2, missing = "breaching"
    }
    }, var.domain == null ? {} : {
    certificate-expiry = {
      description = "The load balancer's certificate ends soon and was not renewed: look at its proof in Route 53"
      metrics     = { m = { namespace = "AWS/CertificateManager", metric = "DaysToExpiry", statistic = "Minimum", dimensions = { CertificateArn = aws_acm_certificate.balancer[0].arn } } }
      comparison  = "LessThanThreshold", threshold = var.alarm_thresholds.certificate_days, period_seconds = 86400, periods = 1
    }
    }, local.has_function ? {
    function-errors = {
      description = "The function fails: it did not start, ran out of time or memory, or has a bug; the log /${local.name}/function says which"
      metrics     = { m = { namespace = "AWS/Lambda", metric = "Errors", statistic = "Sum", dimensions = local.function_dimensions } }
      comparison  = "GreaterThanThreshold", threshold = 0, period_seconds = 60, periods = 3
    }
    function-throttles = {
      description = "Lambda refuses calls of the function: it runs as often as it may at once"
      metrics     = { m = { namespace = "AWS/Lambda", metric = "Throttles", statistic = "Sum", dimensions = local.function_dimensions } }
      comparison  = "GreaterThanThreshold", threshold = 0, period_seconds = 60, periods = 3
    }
    function-p90 = {
      description = "One call of the function in ten takes too long"
      metrics     = { m = { namespace = "AWS/Lambda", metric = "Duration", statistic = "p90", dimensions = local.function_dimensions } }
      comparison  = "GreaterThanThreshold", threshold = 1000 * var.alarm_thresholds.p90_seconds, period_seconds = 60, periods = 5
    }
    function-dead-events = {
      description = "An event that nobody waited for failed for good; it is in the queue ${local.function_name}-dead"
      metrics     = { m = { namespace = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", statistic = "Maximum", dimensions = { QueueName = "${local.function_name}-dead" } } }
      comparison  = "GreaterThanThreshold", threshold = 0, period_seconds = 60, periods = 1
    }
    } : {}, local.has_function && try(var.function.warm, 0) > 0 ? {
    function-cold = {
      description = "More calls at once than environments are kept warm: the rest waits for a cold start"
      metrics     = { m = { namespace = "AWS/Lambda", metric = "ProvisionedConcurrencySpilloverInvocations", statistic = "Sum", dimensions = local.function_dimensions } }
      comparison  = "GreaterThanThreshold", threshold = 0, period_seconds = 60, periods = 15
    }
  } : {})
}

resource "aws_cloudwatch_metric_alarm" "stage" {
  for_each = local.alarms

  alarm_name          = "${local.name}-${each.key}"
  alarm_description   = each.value.description
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  evaluation_periods  = each.value.periods
  treat_missing_data  = try(each.value.missing, "notBreaching")
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  dynamic "metric_query" {
    for_each = try({ result = each.value.expression }, {})

    content {
      id          = metric_query.key
      expression  = metric_query.value
      label       = each.key
      return_data = true
    }
  }

  dynamic "metric_query" {
    for_each = each.value.metrics

    content {
      id          = metric_query.key
      return_data = can(each.value.expression) ? false : true

      metric {
        namespace   = metric_query.value.namespace
        metric_name = metric_query.value.metric
        dimensions  = metric_query.value.dimensions
        stat        = metric_query.value.statistic
        period      = each.value.period_seconds
      }
    }
  }
}

resource "aws_sns_topic" "alarms" {
  name              = "${local.name}-alarms"
  kms_master_key_id = aws_kms_key.main.arn
}

resource "aws_sns_topic_policy" "alarms" {
  arn    = aws_sns_topic.alarms.arn
  policy = data.aws_iam_policy_document.topic.json
}

data "aws_iam_policy_document" "topic" {
  statement {
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.alarms.arn]

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

# Costs out of the ordinary, of what carries this stage's tag. The tags Service and Stage have to be activated for billing once.

resource "aws_ce_anomaly_monitor" "stage" {
  count = var.cost_alarms ? 1 : 0

  name         = local.name
  monitor_type = "CUSTOM"

  monitor_specification = jsonencode({
    And            = null
    CostCategories = null
    Dimensions     = null
    Not            = null
    Or             = null
    Tags           = { Key = "Stage", MatchOptions = null, Values = [var.stage] }
  })
}

resource "aws_ce_anomaly_subscription" "stage" {
  count = var.cost_alarms ? 1 : 0

  name             = local.name
  frequency        = "IMMEDIATE"
  monitor_arn_list = [aws_ce_anomaly_monitor.stage[0].arn]

  subscriber {
    type    = "SNS"
    address = aws_sns_topic.alarms.arn
  }

  threshold_expression {
    dimension {
      key           = "ANOMALY_TOTAL_IMPACT_ABSOLUTE"
      match_options = ["GREATER_THAN_OR_EQUAL"]
      values        = [tostring(var.alarm_thresholds.cost_anomaly_dollars)]
    }
  }

  depends_on = [aws_sns_topic_policy.alarms]
}

# What a stage may cost in a month: told of when it is spent, and when it will be.
resource "aws_budgets_budget" "stage" {
  count = var.cost_alarms ? 1 : 0

  name         = local.name
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = tostring(var.alarm_thresholds.month_dollars)
  limit_unit   = "USD"

  cost_filter {
    name   = "TagKeyValue"
    values = [format("user:Stage$%s", var.stage)]
  }

  dynamic "notification" {
    for_each = toset(["ACTUAL", "FORECASTED"])

    content {
      notification_type         = notification.key
      comparison_operator       = "GREATER_THAN"
      threshold                 = 100
      threshold_type            = "PERCENTAGE"
      subscriber_sns_topic_arns = [aws_sns_topic.alarms.arn]
    }
  }

  depends_on = [aws_sns_topic_policy.alarms]
}

# Slack, through Amazon Q Developer in chat applications (formerly AWS Chatbot)

resource "aws_chatbot_slack_channel_configuration" "alarms" {
  count = var.slack == null ? 0 : 1

  configuration_name    = local.name
  slack_team_id         = var.slack.team_id
  slack_channel_id      = var.slack.channel_id
  iam_role_arn          = aws_iam_role.slack[0].arn
  guardrail_policy_arns = ["arn:${data.aws_partition.current.partition}:iam::aws:policy/CloudWatchReadOnlyAccess"]
  sns_topic_arns        = [aws_sns_topic.alarms.arn, module.edge.alarm_topic_arn]
  logging_level         = "ERROR"
}

# Enough to draw an alarm's curve; nothing that someone in the channel could change.
resource "aws_iam_role" "slack" {
  count = var.slack == null ? 0 : 1

  name                 = "${local.name}-slack"
  assume_role_policy   = data.aws_iam_policy_document.trust["chatbot"].json
  permissions_boundary = local.permissions_boundary_arn
}

resource "aws_iam_role_policy" "slack" {
  count = var.slack == null ? 0 : 1

  name   = "look"
  role   = aws_iam_role.slack[0].id
  policy = data.aws_iam_policy_document.slack.json
}

data "aws_iam_policy_document" "slack" {
  statement {
    actions = ["cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData", "cloudwatch:GetMetricStatistics", "cloudwatch:ListMetrics"]
    #checkov:skip=CKV_AWS_356:CloudWatch knows no narrower resource for metrics
    resources = ["*"]
  }
}
