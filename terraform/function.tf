# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# The service as a function of AWS Lambda, behind an HTTP API: an option (var.function) beside the web tier, on the same queues, table and
# bucket. The function checks keys and tokens itself, as the web tier does; jobs are the workers'.
#
# Not taken: a function URL. It needs lambda:InvokeFunction for everybody, and the provider cannot limit that to calls through the URL.

locals {
  function_name       = "${local.name}-function"
  function_alias      = "live"
  function_dimensions = { FunctionName = local.function_name, Resource = "${local.function_name}:${local.function_alias}" }
  has_function        = var.function != null
  # As long as an HTTP API waits.
  function_timeout_seconds = 29

  # AWS_REGION is Lambda's own to set. A secret is read at the start, since the state and everybody who may look at a function see its variables.
  function_variables = local.has_function ? merge(
    { for name, value in local.settings : name => value if name != "AWS_REGION" },
    local.caller_settings,
    { LAMBDA_SECRETS = join(",", [for name, secret in aws_secretsmanager_secret.setting : "${name}=${secret.arn}"]) },
    var.function.classifier == null ? {} : { LAMBDA_CLASSIFIER = var.function.classifier }
  ) : {}
}

resource "aws_lambda_function" "service" {
  #checkov:skip=CKV_AWS_50:tracing would need rights beyond the stage's own data; requests carry an id through the log
  #checkov:skip=CKV_AWS_115:a new account has no concurrency to reserve; var.function.most_at_once does where there is
  #checkov:skip=CKV_AWS_117:all that it calls is AWS or on the Internet; in the VPC each call would go through the NAT gateway
  #checkov:skip=CKV_AWS_272:signatures are of zips; an image is named by its digest
  count = local.has_function ? 1 : 0

  function_name                  = local.function_name
  description                    = "sbert-service, stage ${var.stage}: HTTP and bare events"
  package_type                   = "Image"
  image_uri                      = var.function.image
  architectures                  = [var.function.architecture]
  role                           = aws_iam_role.function[0].arn
  memory_size                    = var.function.memory_mebibytes
  timeout                        = local.function_timeout_seconds
  reserved_concurrent_executions = var.function.most_at_once
  kms_key_arn                    = aws_kms_key.main.arn
  publish                        = true

  environment {
    variables = local.function_variables
  }

  dead_letter_config {
    target_arn = aws_sqs_queue.function_dead[0].arn
  }

  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.function[0].name
  }

  lifecycle {
    # The deployment owns the image, and publishes it with the newest settings.
    ignore_changes = [image_uri]
  }

  depends_on = [aws_iam_role_policy.function]
}

# What callers reach: a published version, with environments that are ready before they are asked.
resource "aws_lambda_alias" "live" {
  count = local.has_function ? 1 : 0

  name             = local.function_alias
  description      = "What callers reach"
  function_name    = aws_lambda_function.service[0].function_name
  function_version = aws_lambda_function.service[0].version

  lifecycle {
    # The deployment moves it, and moves it back.
    ignore_changes = [function_version]
  }
}

resource "aws_lambda_provisioned_concurrency_config" "live" {
  count = local.has_function && try(var.function.warm, 0) > 0 ? 1 : 0

  function_name                     = aws_lambda_function.service[0].function_name
  qualifier                         = aws_lambda_alias.live[0].name
  provisioned_concurrent_executions = var.function.warm
}

# Events that nobody waits for (asynchronous invocations): retried twice, then kept here.

resource "aws_sqs_queue" "function_dead" {
  count = local.has_function ? 1 : 0

  name                              = "${local.function_name}-dead"
  message_retention_seconds         = 1209600
  kms_master_key_id                 = aws_kms_key.main.arn
  kms_data_key_reuse_period_seconds = 300
}

resource "aws_sqs_queue_policy" "function_dead" {
  count = local.has_function ? 1 : 0

  queue_url = aws_sqs_queue.function_dead[0].url
  policy    = data.aws_iam_policy_document.function_dead[0].json
}

data "aws_iam_policy_document" "function_dead" {
  count = local.has_function ? 1 : 0

  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["sqs:*"]
    resources = [aws_sqs_queue.function_dead[0].arn]

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

resource "aws_lambda_function_event_invoke_config" "live" {
  count = local.has_function ? 1 : 0

  function_name                = aws_lambda_function.service[0].function_name
  qualifier                    = aws_lambda_alias.live[0].name
  maximum_retry_attempts       = 2
  maximum_event_age_in_seconds = 3600
}

resource "aws_cloudwatch_log_group" "function" {
  count = local.has_function ? 1 : 0

  name              = "/${local.name}/function"
  retention_in_days = var.log_retention_days
  kms_key_id        = aws_kms_key.main.arn
}

# What the function may do: what the web tier may do with data, and read its own secrets.

resource "aws_iam_role" "function" {
  count = local.has_function ? 1 : 0

  name                 = local.function_name
  assume_role_policy   = data.aws_iam_policy_document.trust["lambda"].json
  permissions_boundary = local.permissions_boundary_arn
}

resource "aws_iam_role_policy" "function" {
  for_each = local.has_function ? {
    data    = data.aws_iam_policy_document.data.json
    secrets = data.aws_iam_policy_document.secrets.json
    callers = data.aws_iam_policy_document.callers.json
    own     = data.aws_iam_policy_document.function[0].json
  } : {}

  name   = each.key
  role   = aws_iam_role.function[0].id
  policy = each.value
}

data "aws_iam_policy_document" "function" {
  count = local.has_function ? 1 : 0

  statement {
    sid       = "Logs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.function[0].arn}:*"]
  }

  statement {
    sid       = "DeadEvents"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.function_dead[0].arn]
  }
}

# The way in: every method and path goes to the function, with the caller's Authorization.

resource "aws_apigatewayv2_api" "function" {
  count = local.has_function ? 1 : 0

  name          = local.function_name
  description   = "sbert-service, stage ${var.stage}, as a function"
  protocol_type = "HTTP"
}

resource "aws_apigatewayv2_integration" "function" {
  count = local.has_function ? 1 : 0

  api_id                 = aws_apigatewayv2_api.function[0].id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_alias.live[0].invoke_arn
  payload_format_version = "2.0"
  timeout_milliseconds   = (local.function_timeout_seconds + 1) * 1000
}

resource "aws_apigatewayv2_route" "function" {
  #checkov:skip=CKV_AWS_309:the function checks keys and tokens itself, and health has neither, as on the web tier
  count = local.has_function ? 1 : 0

  api_id             = aws_apigatewayv2_api.function[0].id
  route_key          = "$default"
  target             = "integrations/${aws_apigatewayv2_integration.function[0].id}"
  authorization_type = "NONE"
}

resource "aws_apigatewayv2_stage" "function" {
  count = local.has_function ? 1 : 0

  api_id      = aws_apigatewayv2_api.function[0].id
  name        = "$default"
  auto_deploy = true

  # The firewall's rate rules stand before CloudFront alone.
  default_route_settings {
    throttling_rate_limit  = var.function.requests_per_second
    throttling_burst_limit = var.function.requests_per_second * 2
  }

  # Neither the query nor a header: the one is users' text, the other a key.
  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.function_api[0].arn
    format = jsonencode({
      requestId = "$context.requestId"
      address   = "$context.identity.sourceIp"
      method    = "$context.httpMethod"
      path      = "$context.path"
      status    = "$context.status"
      ms        = "$context.responseLatency"
      error     = "$context.error.message"
    })
  }
}

resource "aws_cloudwatch_log_group" "function_api" {
  count = local.has_function ? 1 : 0

  name              = "/${local.name}/function-api"
  retention_in_days = var.log_retention_days
  kms_key_id        = aws_kms_key.main.arn
}

resource "aws_lambda_permission" "function" {
  count = local.has_function ? 1 : 0

  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.service[0].function_name
  qualifier     = aws_lambda_alias.live[0].name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.function[0].execution_arn}/*/*"
}
