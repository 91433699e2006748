# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# When the web tier grows and shrinks.
#
# Load is the larger of two shares: requests for each instance of what one can answer, and CPU of what it should bear.
# Requests lead, since they are seen a minute before CPU hurts; CPU covers requests that are dearer than usual. One figure
# with one policy for each direction cannot quarrel with itself, as two target trackings can.

locals {
  load_period_seconds = 60

  load_metrics = {
    requests = { namespace = "AWS/ApplicationELB", metric = "RequestCountPerTarget", statistic = "Sum", dimensions = local.target_dimensions }
    cpu      = { namespace = "AWS/EC2", metric = "CPUUtilization", statistic = "Average", dimensions = local.group_dimensions }
  }

  load_expressions = {
    requestshare = "FILL(requests, 0) / ${var.web_scaling.requests_per_target_per_minute}"
    # A minute whose CPU is not known yet is as the one before: as 0 it would keep the alarm from ever firing.
    cpushare = "FILL(cpu, REPEAT) / ${var.web_scaling.cpu_percent}"
  }

  web_policies = {
    out = {
      adjustment_type = "PercentChangeInCapacity", adjustment = 50
      comparison      = "GreaterThanThreshold", threshold = 1
      after_minutes   = var.web_scaling.out_after_minutes, cooldown_seconds = var.web_scaling.out_cooldown_seconds
    }
    in = {
      adjustment_type = "ChangeInCapacity", adjustment = -1
      comparison      = "LessThanThreshold", threshold = var.web_scaling.in_below_load
      after_minutes   = var.web_scaling.in_after_minutes, cooldown_seconds = var.web_scaling.in_cooldown_seconds
    }
  }
}

resource "aws_autoscaling_policy" "web" {
  for_each = local.web_policies

  name                     = "${local.name}-web-${each.key}"
  autoscaling_group_name   = local.group_dimensions.AutoScalingGroupName
  policy_type              = "SimpleScaling"
  adjustment_type          = each.value.adjustment_type
  scaling_adjustment       = each.value.adjustment
  min_adjustment_magnitude = each.value.adjustment_type == "PercentChangeInCapacity" ? 1 : null
  cooldown                 = each.value.cooldown_seconds
}

resource "aws_cloudwatch_metric_alarm" "web_load" {
  for_each = local.web_policies

  alarm_name          = "${local.name}-web-load-${each.key}"
  alarm_description   = "Scales the web tier ${each.key}; nobody needs to do anything"
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  evaluation_periods  = each.value.after_minutes
  datapoints_to_alarm = each.value.after_minutes
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_autoscaling_policy.web[each.key].arn]

  metric_query {
    id          = "load"
    expression  = "MAX([requestshare, cpushare])"
    label       = "Load"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = local.load_expressions

    content {
      id          = metric_query.key
      expression  = metric_query.value
      return_data = false
    }
  }

  dynamic "metric_query" {
    for_each = local.load_metrics

    content {
      id          = metric_query.key
      return_data = false

      metric {
        namespace   = metric_query.value.namespace
        metric_name = metric_query.value.metric
        dimensions  = metric_query.value.dimensions
        stat        = metric_query.value.statistic
        period      = local.load_period_seconds
      }
    }
  }
}

# When workers grow and shrink: by the jobs that wait for each, so that the wait stays the same whatever the number of jobs.

locals {
  service_dimensions = { ClusterName = aws_ecs_cluster.main.name, ServiceName = aws_ecs_service.worker.name }

  backlog_metrics = {
    jobs  = { namespace = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", statistic = "Sum", dimensions = { QueueName = module.storage.queue_names["jobs"] } }
    bulk  = { namespace = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", statistic = "Sum", dimensions = { QueueName = module.storage.queue_names["bulk"] } }
    tasks = { namespace = "ECS/ContainerInsights", metric = "RunningTaskCount", statistic = "Average", dimensions = local.service_dimensions }
  }

  waiting_expression = "FILL(jobs, 0) + FILL(bulk, 0)"
  # Without a task there is nothing to divide by: all that waits is one task's.
  backlog_expression = "(${local.waiting_expression}) / IF(FILL(tasks, 0) > 1, FILL(tasks, 0), 1)"
}

resource "aws_appautoscaling_target" "worker" {
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${aws_ecs_cluster.main.name}/${aws_ecs_service.worker.name}"
  min_capacity       = var.worker_tasks.min
  max_capacity       = var.worker_tasks.max
}

resource "aws_appautoscaling_policy" "worker_backlog" {
  name               = "${local.name}-worker-backlog"
  service_namespace  = aws_appautoscaling_target.worker.service_namespace
  scalable_dimension = aws_appautoscaling_target.worker.scalable_dimension
  resource_id        = aws_appautoscaling_target.worker.resource_id
  policy_type        = "TargetTrackingScaling"

  target_tracking_scaling_policy_configuration {
    target_value       = var.worker_scaling.backlog_per_task
    scale_out_cooldown = var.worker_scaling.out_cooldown_seconds
    scale_in_cooldown  = var.worker_scaling.in_cooldown_seconds

    customized_metric_specification {
      metrics {
        id          = "backlog"
        expression  = local.backlog_expression
        label       = "Jobs that wait for each task"
        return_data = true
      }

      dynamic "metrics" {
        for_each = local.backlog_metrics

        content {
          id          = metrics.key
          return_data = false

          metric_stat {
            stat = metrics.value.statistic

            metric {
              namespace   = metrics.value.namespace
              metric_name = metrics.value.metric

              dynamic "dimensions" {
                for_each = metrics.value.dimensions

                content {
                  name  = dimensions.key
                  value = dimensions.value
                }
              }
            }
          }
        }
      }
    }
  }
}

# A few jobs may stay below the target for ever: with no task at all, the first one that waits wakes one.

resource "aws_appautoscaling_policy" "worker_wake" {
  count = var.worker_tasks.min == 0 ? 1 : 0

  name               = "${local.name}-worker-wake"
  service_namespace  = aws_appautoscaling_target.worker.service_namespace
  scalable_dimension = aws_appautoscaling_target.worker.scalable_dimension
  resource_id        = aws_appautoscaling_target.worker.resource_id
  policy_type        = "StepScaling"

  step_scaling_policy_configuration {
    adjustment_type         = "ChangeInCapacity"
    metric_aggregation_type = "Maximum"
    cooldown                = 180

    step_adjustment {
      metric_interval_lower_bound = 0
      scaling_adjustment          = 1
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "worker_wake" {
  count = var.worker_tasks.min == 0 ? 1 : 0

  alarm_name          = "${local.name}-worker-wake"
  alarm_description   = "Starts the first worker; nobody needs to do anything"
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_appautoscaling_policy.worker_wake[0].arn]

  metric_query {
    id          = "asleep"
    expression  = "IF(FILL(tasks, 0) < 1 AND ${local.waiting_expression} > 0, 1, 0)"
    label       = "Jobs wait and no task runs"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = local.backlog_metrics

    content {
      id          = metric_query.key
      return_data = false

      metric {
        namespace   = metric_query.value.namespace
        metric_name = metric_query.value.metric
        dimensions  = metric_query.value.dimensions
        stat        = metric_query.value.statistic
        period      = 60
      }
    }
  }
}
