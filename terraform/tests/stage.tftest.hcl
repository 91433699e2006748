# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# The promises of a stage, without an account: every resource is planned and "applied" against a provider that makes up what AWS would.

mock_provider "aws" {
  source = "./tests/mocks"
}

mock_provider "aws" {
  alias  = "us_east_1"
  source = "./tests/mocks"
}

# Another than those of the settings.
override_resource {
  target = aws_secretsmanager_secret.api_keys
  values = { arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:sbert-service-test/API_KEYS-AbCdEf" }
}

variables {
  stage         = "test"
  version_label = "v1"
  image         = "123456789012.dkr.ecr.us-east-1.amazonaws.com/sbert-service@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  web_instances = { min = 2, max = 8 }
  worker_tasks  = { min = 0, max = 5 }
  web_schedule  = { morning = { recurrence = "0 6 * * *", min = 3, desired = 4, max = 8 } }
  slack         = { team_id = "T0123456789", channel_id = "C0123456789" }
  api_keys      = true
  settings      = { OTEL_EXPORTER_OTLP_ENDPOINT = "https://collector.example.org" }

  function = {
    image        = "123456789012.dkr.ecr.us-east-1.amazonaws.com/sbert-service@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    warm         = 2
    most_at_once = 50
    classifier   = "sensors"
  }
}

run "a_stage_with_everything_made_here" {
  # Web tier

  assert {
    condition     = local.web_options["aws:elasticbeanstalk:command"].DeploymentPolicy == "RollingWithAdditionalBatch" && local.web_options["aws:elasticbeanstalk:environment"].EnvironmentType == "LoadBalanced"
    error_message = "The web tier is load balanced, and deployed in batches beside its full capacity."
  }

  assert {
    condition     = local.web_options["aws:elasticbeanstalk:healthreporting:system"].SystemType == "enhanced" && local.web_options["aws:elasticbeanstalk:environment:process:default"].HealthCheckPath == "/health/ready"
    error_message = "Health is enhanced, and asks whether an instance is ready."
  }

  assert {
    condition     = alltrue([for namespace, options in local.web_options : alltrue([for name, value in options : anytrue([for setting in aws_elastic_beanstalk_environment.web.setting : setting.namespace == namespace && setting.name == name && setting.value == value])])])
    error_message = "Every option of local.web_options is a setting of the environment."
  }

  assert {
    condition     = !contains(keys(local.web_options["aws:ec2:instances"]), "SupportedArchitectures") && alltrue([for type in ["g4dn.xlarge", "t3.medium", "c7i.large", "m7i-flex.large", "c6in.large"] : !can(regex(local.arm_type, type))]) && alltrue([for type in ["t4g.medium", "c7gn.large", "is4gen.large", "a1.large", "r8g.large"] : can(regex(local.arm_type, type))])
    error_message = "Instances are of x86 unless their types are of ARM."
  }

  assert {
    condition     = local.web_options["aws:ec2:vpc"].ELBScheme == "internal" && local.web_options["aws:ec2:vpc"].AssociatePublicIpAddress == "false"
    error_message = "Neither balancer nor instances can be reached from the internet."
  }

  assert {
    condition     = local.web_options["aws:autoscaling:launchconfiguration"].DisableIMDSv1 == "true"
    error_message = "Instances give their credentials to no simple GET."
  }

  assert {
    condition     = local.web_options["aws:elasticbeanstalk:application:environment"].JOBS_CONCURRENCY == "0"
    error_message = "Jobs are the workers', not the web tier's."
  }

  # Scaling

  assert {
    condition = anytrue([for setting in aws_elastic_beanstalk_environment.web.setting :
    setting.namespace == "aws:autoscaling:scheduledaction" && setting.resource == "morning" && setting.name == "DesiredCapacity" && setting.value == "4"])
    error_message = "The schedule says a desired count."
  }

  assert {
    condition     = tonumber(local.trigger.BreachDuration) == tonumber(local.trigger.Period) * tonumber(local.trigger.EvaluationPeriods) && local.trigger.UpperThreshold == "100" && local.trigger.LowerThreshold == "0"
    error_message = "Elastic Beanstalk's own trigger is consistent (or it would be rewritten), and never fires."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.web_load["out"].evaluation_periods == 2 && aws_cloudwatch_metric_alarm.web_load["in"].evaluation_periods == 15
    error_message = "The web tier grows and shrinks only when the load was high or low for so many minutes."
  }

  assert {
    condition     = aws_autoscaling_policy.web["out"].cooldown == 180 && aws_autoscaling_policy.web["in"].cooldown == 600
    error_message = "Each direction has a cool-down."
  }

  assert {
    condition     = toset([for query in aws_cloudwatch_metric_alarm.web_load["out"].metric_query : query.metric[0].metric_name if length(query.metric) > 0]) == toset(["RequestCountPerTarget", "CPUUtilization"])
    error_message = "The web tier scales on requests per target and CPU."
  }

  assert {
    condition     = toset([for metric in one(one(aws_appautoscaling_policy.worker_backlog.target_tracking_scaling_policy_configuration).customized_metric_specification).metrics : one(one(metric.metric_stat).metric).metric_name if length(metric.metric_stat) > 0]) == toset(["ApproximateNumberOfMessagesVisible", "RunningTaskCount"])
    error_message = "Workers scale on the backlog of each task."
  }

  assert {
    condition     = aws_appautoscaling_target.worker.min_capacity == 0 && length(aws_appautoscaling_policy.worker_wake) == 1 && length(aws_cloudwatch_metric_alarm.worker_wake) == 1
    error_message = "Workers go to zero when asked, and something wakes them."
  }

  # Workers

  assert {
    condition     = local.worker_container.readonlyRootFilesystem && contains(local.worker_container.linuxParameters.capabilities.drop, "ALL") && !one(aws_ecs_service.worker.network_configuration).assign_public_ip
    error_message = "A worker can write its one folder only, has no capability and no public address."
  }

  assert {
    condition     = one([for variable in local.worker_container.environment : variable.value if variable.name == "BACKEND"]) == "aws" && one([for variable in local.worker_container.environment : variable.value if variable.name == "METRICS"]) == "emf"
    error_message = "Workers are told of AWS, and to log their figures."
  }

  assert {
    condition     = local.worker_container.stopTimeout == 120 && tonumber(one([for variable in local.worker_container.environment : variable.value if variable.name == "SHUTDOWN_DEADLINE_SECONDS"])) == 110
    error_message = "A worker that is ended has as long for its jobs as Fargate waits, and gives back the rest before it is killed."
  }

  assert {
    condition     = one([for statement in data.aws_iam_policy_document.work.statement : statement.resources if contains(statement.actions, "ecs:UpdateTaskProtection")]) == toset(["arn:aws:ecs:us-east-1:123456789012:task/sbert-service-test/*"])
    error_message = "A worker may protect its own task while a long job is at work, and no other cluster's."
  }

  # Secrets

  assert {
    condition     = toset([for secret in local.worker_container.secrets : secret.name]) == var.secrets && toset(keys(local.web_options["aws:elasticbeanstalk:application:environmentsecrets"])) == var.secrets
    error_message = "Secrets come by reference, to both tiers."
  }

  assert {
    condition     = length(setintersection(keys(local.web_options["aws:elasticbeanstalk:application:environment"]), var.secrets)) == 0 && length(setintersection([for variable in local.worker_container.environment : variable.name], var.secrets)) == 0
    error_message = "No secret is a plain variable."
  }

  assert {
    condition     = local.web_options["aws:elasticbeanstalk:application:environment"].API_KEYS_FILE == aws_secretsmanager_secret.api_keys.arn && local.function_variables.API_KEYS_FILE == aws_secretsmanager_secret.api_keys.arn && !contains([for variable in local.worker_container.environment : variable.name], "API_KEYS_FILE")
    error_message = "Who knows callers takes keys from the secret, by its name alone; workers take none."
  }

  assert {
    condition     = aws_secretsmanager_secret.api_keys.kms_key_id == aws_kms_key.main.arn && one(data.aws_iam_policy_document.callers.statement).resources == toset([aws_secretsmanager_secret.api_keys.arn]) && aws_iam_role_policy.web["callers"].policy != null && aws_iam_role_policy.function["callers"].policy != null && !contains(keys(aws_iam_role_policy.worker_start), "callers")
    error_message = "The file of keys is read by web tier and function, and by nobody else."
  }

  # Who may do what

  assert {
    condition = alltrue([
      for statement in concat(data.aws_iam_policy_document.data.statement, data.aws_iam_policy_document.work.statement, data.aws_iam_policy_document.secrets.statement, data.aws_iam_policy_document.callers.statement, data.aws_iam_policy_document.canary.statement) :
      alltrue([for action in statement.actions : !strcontains(action, "*")]) && alltrue([for resource in statement.resources : resource != "*" && !endswith(resource, ":*") || startswith(resource, "arn:aws:logs:")])
    ])
    error_message = "On data no statement has a wildcard for its action or resource."
  }

  assert {
    condition     = alltrue([for arn in local.object_arns : can(regex("^arn:aws:s3:::[^/*]+/[a-z]+/\\*$", arn))])
    error_message = "Objects are granted by the parts of the bucket that the program uses."
  }

  assert {
    condition     = !anytrue([for statement in data.aws_iam_policy_document.data.statement : contains(statement.actions, "sqs:ChangeMessageVisibility")])
    error_message = "The web tier takes no jobs."
  }

  assert {
    condition     = alltrue([for rule in [aws_vpc_security_group_ingress_rule.web] : rule.cidr_ipv4 == null && rule.referenced_security_group_id != null])
    error_message = "Only the load balancer comes to the instances."
  }

  # At rest

  assert {
    condition     = aws_kms_key.main.enable_key_rotation && alltrue([for group in [aws_cloudwatch_log_group.worker, aws_cloudwatch_log_group.canary] : group.kms_key_id == aws_kms_key.main.arn && group.retention_in_days == 365])
    error_message = "Logs are encrypted with a key that rotates, and kept for a year."
  }

  # Alarms

  assert {
    condition = toset(concat(keys(aws_cloudwatch_metric_alarm.stage), module.edge.alarm_names)) == toset([
      "backlog", "balancer-5xx", "balancer-capacity", "canary", "dead-letters", "edge-5xx", "edge-function", "environment-health", "firewall-blocked",
      "function-cold", "function-dead-events", "function-errors", "function-p90", "function-throttles", "oldest-job", "response-p90", "response-slowest", "target-5xx", "throttles", "ttl-backlog", "unhealthy-hosts", "web-at-most", "workers-missing"
    ])
    error_message = "These are the alarms that a stage without a domain has."
  }

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.stage : alarm.alarm_actions == toset([aws_sns_topic.alarms.arn]) && alarm.ok_actions == toset([aws_sns_topic.alarms.arn]) && length([for query in alarm.metric_query : query if query.return_data]) == 1])
    error_message = "Each alarm tells when it begins and when it ends, of one figure."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.stage["canary"].treat_missing_data == "breaching"
    error_message = "A canary that says nothing is dead."
  }

  assert {
    condition     = one([for query in aws_cloudwatch_metric_alarm.stage["response-p90"].metric_query : query.metric[0].stat]) == "p90"
    error_message = "Response times are watched at the 90th percentile."
  }

  assert {
    condition     = aws_chatbot_slack_channel_configuration.alarms[0].sns_topic_arns == toset([aws_sns_topic.alarms.arn, module.edge.alarm_topic_arn])
    error_message = "Both topics go to Slack."
  }

  assert {
    condition     = aws_ce_anomaly_subscription.stage[0].frequency == "IMMEDIATE" && one(aws_ce_anomaly_subscription.stage[0].subscriber).type == "SNS"
    error_message = "Costs out of the ordinary are told of at once."
  }

  # Canary

  assert {
    condition     = length(local.canary_code) < 4096 && jsondecode(aws_cloudformation_stack.canary.template_body).Resources.Function.Properties.Code.ZipFile == local.canary_code
    error_message = "The canary's code fits into a template."
  }

  # Function

  assert {
    condition     = aws_lambda_function.service[0].package_type == "Image" && aws_lambda_function.service[0].image_uri == var.function.image && aws_lambda_function.service[0].publish && aws_lambda_function.service[0].reserved_concurrent_executions == 50
    error_message = "The function is an image by its digest, published, and runs no more often at once than allowed."
  }

  assert {
    condition     = aws_lambda_alias.live[0].name == "live" && aws_lambda_provisioned_concurrency_config.live[0].qualifier == "live" && aws_lambda_provisioned_concurrency_config.live[0].provisioned_concurrent_executions == 2 && aws_lambda_permission.function[0].qualifier == "live" && aws_apigatewayv2_integration.function[0].integration_uri == aws_lambda_alias.live[0].invoke_arn
    error_message = "Callers reach the alias, whose environments are kept warm."
  }

  assert {
    condition     = one(aws_lambda_function.service[0].dead_letter_config).target_arn == aws_sqs_queue.function_dead[0].arn && aws_sqs_queue.function_dead[0].name == "sbert-service-test-function-dead" && aws_lambda_function_event_invoke_config.live[0].qualifier == "live" && aws_lambda_function_event_invoke_config.live[0].maximum_retry_attempts == 2
    error_message = "An event that nobody waits for is tried three times, and is then kept."
  }

  assert {
    condition     = !contains(keys(local.function_variables), "AWS_REGION") && local.function_variables.BACKEND == "aws" && local.function_variables.LAMBDA_CLASSIFIER == "sensors" && length(setintersection(keys(local.function_variables), var.secrets)) == 0 && length(split(",", local.function_variables.LAMBDA_SECRETS)) == length(var.secrets)
    error_message = "The function has no variable that is Lambda's own, and its secrets by reference alone."
  }

  assert {
    condition     = aws_apigatewayv2_route.function[0].route_key == "$default" && aws_lambda_permission.function[0].principal == "apigateway.amazonaws.com" && startswith(aws_lambda_permission.function[0].source_arn, aws_apigatewayv2_api.function[0].execution_arn) && one(aws_apigatewayv2_stage.function[0].default_route_settings).throttling_rate_limit == 100 && !can(regex("querystring|query|header|authorization", lower(one(aws_apigatewayv2_stage.function[0].access_log_settings).format)))
    error_message = "This API alone may call the function, within a rate, and its log has neither text nor key."
  }

  assert {
    condition     = aws_lambda_function.service[0].timeout * 1000 < aws_apigatewayv2_integration.function[0].timeout_milliseconds && aws_apigatewayv2_integration.function[0].timeout_milliseconds <= 30000
    error_message = "The function ends before the API stops waiting, and the API cannot wait longer."
  }

  # Settings

  assert {
    condition     = local.web_options["aws:elasticbeanstalk:application:environment"].OTEL_EXPORTER_OTLP_ENDPOINT == "https://collector.example.org" && local.function_variables.OTEL_EXPORTER_OTLP_ENDPOINT == "https://collector.example.org" && contains(jsondecode(aws_ecs_task_definition.worker.container_definitions)[0].environment, { name = "OTEL_EXPORTER_OTLP_ENDPOINT", value = "https://collector.example.org" })
    error_message = "Web tier, workers and function have the settings of var.settings."
  }

  # Dashboard

  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.stage.dashboard_body).widgets) > 10 && !strcontains(aws_cloudwatch_dashboard.stage.dashboard_body, "$${")
    error_message = "The dashboard is valid JSON without blanks."
  }
}

run "a_stage_with_a_domain_in_a_given_network" {
  variables {
    network       = { vpc_id = "vpc-0fedcba9876543210", private_subnet_ids = ["subnet-a", "subnet-b"] }
    domain        = { name = "sbert.example.org", zone_id = "Z0123456789" }
    web_instances = { min = 1, max = 1 }
    worker_tasks  = { min = 1, max = 2 }
    slack         = null

    web_instance_types      = ["c7g.large", "m6gd.large"]
    worker_cpu_architecture = "ARM64"

    api_keys    = false
    cost_alarms = false
    function    = null
  }

  assert {
    condition     = local.web_options["aws:autoscaling:updatepolicy:rollingupdate"].MinInstancesInService == "0"
    error_message = "Where fewest and most are the same a rolling update takes one away: CloudFormation refuses as many as the most."
  }

  assert {
    condition     = try(local.web_options["aws:ec2:instances"].SupportedArchitectures, "") == "arm64" && jsondecode(jsonencode(aws_ecs_task_definition.worker.runtime_platform))[0].cpu_architecture == "ARM64"
    error_message = "Web tier and workers can be all of ARM, which Elastic Beanstalk has to be told."
  }

  assert {
    condition     = length(aws_budgets_budget.stage) == 0 && length(aws_ce_anomaly_monitor.stage) == 0
    error_message = "An account that never opened Cost Explorer can do without."
  }

  assert {
    condition     = length(module.network) == 0 && local.web_options["aws:ec2:vpc"].VPCId == "vpc-0fedcba9876543210" && local.web_options["aws:ec2:vpc"].Subnets == "subnet-a,subnet-b"
    error_message = "A given network is used, and none made."
  }

  assert {
    condition     = local.web_options["aws:elbv2:listener:default"].ListenerEnabled == "false" && local.web_options["aws:elbv2:listener:443"].Protocol == "HTTPS" && startswith(local.web_options["aws:elbv2:listener:443"].SSLPolicy, "ELBSecurityPolicy-TLS13-1-2")
    error_message = "With a domain the way from CloudFront to the balancer is TLS."
  }

  assert {
    condition     = output.url == "https://sbert.example.org" && contains(keys(aws_cloudwatch_metric_alarm.stage), "certificate-expiry") && contains(module.edge.alarm_names, "certificate-expiry")
    error_message = "The service has its name, and both its certificates are watched."
  }

  assert {
    condition     = !contains(keys(local.web_options["aws:elasticbeanstalk:application:environment"]), "API_KEYS_FILE")
    error_message = "A secret that has no value yet is not asked for."
  }

  assert {
    condition     = length(aws_appautoscaling_policy.worker_wake) == 0 && length(aws_chatbot_slack_channel_configuration.alarms) == 0 && length(aws_lambda_function.service) == 0 && length(aws_apigatewayv2_api.function) == 0 && output.function_url == null
    error_message = "What is not asked for is not there."
  }
}

run "wrong_values_are_refused_at_once" {
  command = plan

  variables {
    stage                   = "Production!"
    image                   = "sbert-service:latest"
    secrets                 = ["JWT_SECRET_KEY"]
    settings                = { API_SECRET_KEY = "in-the-state" }
    web_schedule            = { night = { recurrence = "0 0 * * *", min = 2, desired = 1, max = 8 } }
    web_scaling             = { in_below_load = 0.9 }
    worker_tasks            = { min = 2, max = 1 }
    network                 = { vpc_id = "vpc-1", private_subnet_ids = ["subnet-a"] }
    vpc_cidr                = "10.0.0.0/28"
    zone_count              = 1
    edge_cache              = "all"
    worker_cpu_architecture = "MIPS"
    web_instance_types      = ["c7i.large", "c7g.large"]
    function                = { image = "sbert-service:latest", architecture = "mips", memory_mebibytes = 512, warm = 3, most_at_once = 2 }
  }

  expect_failures = [
    var.stage, var.image, var.secrets, var.settings, var.web_schedule, var.web_scaling, var.worker_tasks,
    var.network, var.vpc_cidr, var.zone_count, var.edge_cache, var.worker_cpu_architecture, var.web_instance_types, var.function
  ]
}

run "more_settings_than_an_environment_takes_are_refused" {
  command = plan

  variables {
    settings = { CORS_ORIGIN = join(",", [for index in range(100) : "https://a-rather-long-name-${index}.example.org"]) }
  }

  expect_failures = [var.settings]
}

run "fewer_instances_than_the_fewest_are_refused" {
  command = plan

  variables {
    web_instances = { min = 3, desired = 2, max = 8 }
    web_schedule  = {}
  }

  expect_failures = [var.web_instances]
}

run "a_desired_count_beside_a_schedule_is_refused" {
  command = plan

  variables {
    web_instances = { min = 2, desired = 3, max = 8 }
  }

  expect_failures = [var.web_instances]
}

run "a_given_subnet_where_cloudfront_has_no_vpc_origins_is_refused" {
  command = plan

  override_data {
    target = data.aws_subnet.given
    values = { availability_zone_id = "use1-az3" }
  }

  variables {
    network = { vpc_id = "vpc-0fedcba9876543210", private_subnet_ids = ["subnet-a", "subnet-b"] }
  }

  expect_failures = [data.aws_subnet.given]
}
