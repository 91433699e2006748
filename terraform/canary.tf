# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# A caller of our own: an encode through CloudFront every few minutes. No concurrency is reserved for it: a new account has ten in all,
# none of which it lets go.
#
# CloudFormation takes a function's code as text, where Lambda itself wants a zip: so the code is reviewed where it stands.

resource "aws_cloudformation_stack" "canary" {
  #checkov:skip=CKV_AWS_124:its one resource is watched by the alarm on what it reports
  name         = "${local.name}-canary"
  iam_role_arn = null

  template_body = jsonencode({
    Description = "Canary of ${local.name}"
    Resources = {
      Function = {
        Type = "AWS::Lambda::Function"
        Properties = {
          FunctionName  = "${local.name}-canary"
          Runtime       = "nodejs22.x"
          Architectures = ["arm64"]
          Handler       = "index.handler"
          Role          = aws_iam_role.canary.arn
          Timeout       = 30
          MemorySize    = 256
          KmsKeyArn     = aws_kms_key.main.arn
          LoggingConfig = { LogGroup = aws_cloudwatch_log_group.canary.name }
          Code          = { ZipFile = local.canary_code }
          Environment = {
            Variables = {
              SERVICE_URL = module.edge.url
              SECRET_ARN  = aws_secretsmanager_secret.setting["API_SECRET_KEY"].arn
              STAGE       = var.stage
            }
          }
        }
      }
    }
    Outputs = { Arn = { Value = { "Fn::GetAtt" = ["Function", "Arn"] } } }
  })
}

locals {
  # CloudFormation calls it index.js, which to Lambda is a CommonJS module.
  canary_code = file("${path.module}/canary/canary.cjs")
}

resource "aws_cloudwatch_log_group" "canary" {
  name              = "/${local.name}/canary"
  retention_in_days = var.log_retention_days
  kms_key_id        = aws_kms_key.main.arn
}

resource "aws_iam_role" "canary" {
  name                 = "${local.name}-canary"
  assume_role_policy   = data.aws_iam_policy_document.trust["lambda"].json
  permissions_boundary = local.permissions_boundary_arn
}

resource "aws_iam_role_policy" "canary" {
  name   = "call"
  role   = aws_iam_role.canary.id
  policy = data.aws_iam_policy_document.canary.json
}

data "aws_iam_policy_document" "canary" {
  statement {
    sid       = "ApiKey"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [aws_secretsmanager_secret.setting["API_SECRET_KEY"].arn]
  }

  statement {
    sid       = "Key"
    actions   = ["kms:Decrypt"]
    resources = [aws_kms_key.main.arn]
  }

  statement {
    sid       = "Logs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.canary.arn}:*"]
  }
}

resource "aws_cloudwatch_event_rule" "canary" {
  name                = "${local.name}-canary"
  description         = "Calls the canary"
  schedule_expression = "rate(5 minutes)"
}

resource "aws_cloudwatch_event_target" "canary" {
  rule = aws_cloudwatch_event_rule.canary.name
  arn  = aws_cloudformation_stack.canary.outputs["Arn"]
}

resource "aws_lambda_permission" "canary" {
  action        = "lambda:InvokeFunction"
  function_name = "${local.name}-canary"
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.canary.arn

  depends_on = [aws_cloudformation_stack.canary]
}
