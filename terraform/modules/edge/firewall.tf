# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# The web application firewall of the distribution. What it refuses it refuses in the service's own JSON.

# The groups of AWS answer with a page of HTML. So each rule of theirs is named here, and told to answer in JSON or to count only. A
# rule that AWS adds later answers in HTML until it is named; a name that AWS takes away does nothing.
# https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-list.html

locals {
  # Any text is a lawful thing to encode: rules that take text for an attack only count, where the text is. So does the one that
  # refuses callers without a User-Agent, as plain HTTP clients are.
  managed_rules = {
    AWSManagedRulesAmazonIpReputationList = {
      priority = 0
      blocked  = ["AWSManagedIPReputationList", "AWSManagedReconnaissanceList"]
      counted  = ["AWSManagedIPDDoSList"]
    }
    AWSManagedRulesKnownBadInputsRuleSet = {
      priority = 1
      blocked = [
        "JavaDeserializationRCE_HEADER", "JavaDeserializationRCE_URIPATH", "Host_localhost_HEADER", "PROPFIND_METHOD", "ExploitablePaths_URIPATH",
        "Log4JRCE_HEADER", "Log4JRCE_URIPATH"
      ]
      counted = ["JavaDeserializationRCE_BODY", "JavaDeserializationRCE_QUERYSTRING", "Log4JRCE_BODY", "Log4JRCE_QUERYSTRING", "ReactJSRCE_BODY"]
    }
    AWSManagedRulesCommonRuleSet = {
      priority = 2
      blocked = [
        "UserAgent_BadBots_HEADER", "SizeRestrictions_Cookie_HEADER", "SizeRestrictions_URIPATH", "EC2MetaDataSSRF_COOKIE", "EC2MetaDataSSRF_URIPATH",
        "GenericLFI_URIPATH", "RestrictedExtensions_URIPATH", "GenericRFI_URIPATH", "CrossSiteScripting_COOKIE", "CrossSiteScripting_URIPATH"
      ]
      counted = [
        "NoUserAgent_HEADER", "SizeRestrictions_BODY", "SizeRestrictions_QUERYSTRING", "CrossSiteScripting_BODY", "CrossSiteScripting_QUERYARGUMENTS",
        "EC2MetaDataSSRF_BODY", "EC2MetaDataSSRF_QUERYARGUMENTS", "GenericLFI_BODY", "GenericLFI_QUERYARGUMENTS", "GenericRFI_BODY",
        "GenericRFI_QUERYARGUMENTS", "RestrictedExtensions_QUERYARGUMENTS"
      ]
    }
  }

  refusals = {
    blocked = { statusCode = 403, code = "FORBIDDEN", error = "Forbidden", message = "Cannot answer the request: the firewall refuses it" }
    rate    = { statusCode = 429, code = "TOO_MANY_REQUESTS", error = "Too Many Requests", message = "Cannot answer the request: too many came in the last five minutes" }
  }
}

resource "aws_wafv2_web_acl" "main" {
  #checkov:skip=CKV_AWS_192:Log4JRCE blocks in addresses and headers; in texts it only counts, since the service runs no Java and any text may be encoded
  provider = aws.us_east_1

  name  = var.name
  scope = "CLOUDFRONT"

  default_action {
    allow {}
  }

  dynamic "custom_response_body" {
    for_each = local.refusals

    content {
      key          = custom_response_body.key
      content_type = "APPLICATION_JSON"
      content      = jsonencode(custom_response_body.value)
    }
  }

  dynamic "rule" {
    for_each = local.managed_rules

    content {
      name     = rule.key
      priority = rule.value.priority

      override_action {
        none {}
      }

      statement {
        managed_rule_group_statement {
          vendor_name = "AWS"
          name        = rule.key

          dynamic "rule_action_override" {
            for_each = rule.value.blocked

            content {
              name = rule_action_override.value

              action_to_use {
                block {
                  custom_response {
                    response_code            = 403
                    custom_response_body_key = "blocked"
                  }
                }
              }
            }
          }

          dynamic "rule_action_override" {
            for_each = rule.value.counted

            content {
              name = rule_action_override.value

              action_to_use {
                count {}
              }
            }
          }
        }
      }

      visibility_config {
        metric_name                = rule.key
        cloudwatch_metrics_enabled = true
        sampled_requests_enabled   = false
      }
    }
  }

  rule {
    name     = "RatePerAddress"
    priority = 10

    action {
      block {
        custom_response {
          response_code            = 429
          custom_response_body_key = "rate"

          response_header {
            name  = "retry-after"
            value = "60"
          }
        }
      }
    }

    statement {
      rate_based_statement {
        limit                 = var.rate_limit.per_address
        evaluation_window_sec = 300
        aggregate_key_type    = "IP"
      }
    }

    visibility_config {
      metric_name                = "RatePerAddress"
      cloudwatch_metrics_enabled = true
      sampled_requests_enabled   = false
    }
  }

  rule {
    name     = "RatePerKey"
    priority = 11

    action {
      block {
        custom_response {
          response_code            = 429
          custom_response_body_key = "rate"

          response_header {
            name  = "retry-after"
            value = "60"
          }
        }
      }
    }

    statement {
      rate_based_statement {
        limit                 = var.rate_limit.per_key
        evaluation_window_sec = 300
        aggregate_key_type    = "CUSTOM_KEYS"

        custom_key {
          header {
            name = "authorization"

            # "bearer  x" is the same key as "Bearer x".
            text_transformation {
              priority = 0
              type     = "COMPRESS_WHITE_SPACE"
            }

            text_transformation {
              priority = 1
              type     = "LOWERCASE"
            }
          }
        }
      }
    }

    visibility_config {
      metric_name                = "RatePerKey"
      cloudwatch_metrics_enabled = true
      sampled_requests_enabled   = false
    }
  }

  visibility_config {
    metric_name                = var.name
    cloudwatch_metrics_enabled = true
    sampled_requests_enabled   = false
  }
}

# CloudWatch takes firewalls' logs only under this prefix.
resource "aws_cloudwatch_log_group" "firewall" {
  provider = aws.us_east_1

  name              = "aws-waf-logs-${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = aws_kms_key.edge.arn
}

# Only what was refused, and never a key or a text.
resource "aws_wafv2_web_acl_logging_configuration" "main" {
  provider = aws.us_east_1

  resource_arn            = aws_wafv2_web_acl.main.arn
  log_destination_configs = [aws_cloudwatch_log_group.firewall.arn]

  redacted_fields {
    single_header {
      name = "authorization"
    }
  }

  redacted_fields {
    single_header {
      name = "cookie"
    }
  }

  redacted_fields {
    query_string {}
  }

  logging_filter {
    default_behavior = "DROP"

    filter {
      behavior    = "KEEP"
      requirement = "MEETS_ANY"

      condition {
        action_condition {
          action = "BLOCK"
        }
      }
    }
  }
}
