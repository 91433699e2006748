# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# The promises of the modules: what keeps data, the network, and the edge.

mock_provider "aws" {
  source = "./tests/mocks"
}

mock_provider "aws" {
  alias  = "us_east_1"
  source = "./tests/mocks"
}

variables {
  name        = "sbert-service-test"
  kms_key_arn = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  # Of the stage; not used here, but asked for.
  stage         = "test"
  version_label = "v1"
  image         = "sbert-service@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  web_instances = { min = 1, desired = 1, max = 1 }
  worker_tasks  = { min = 1, max = 1 }
}

run "storage" {
  module {
    source = "./modules/storage"
  }

  variables {
    bucket_name         = "sbert-service-test-123456789012-us-east-1"
    deletion_protection = true
    job_resources       = jsondecode(file("../src/platform/job-resources.json"))
  }

  assert {
    condition = alltrue([
      for queue in aws_sqs_queue.work :
      queue.visibility_timeout_seconds == var.job_resources.queue.visibilityTimeoutSeconds &&
      queue.message_retention_seconds == var.job_resources.queue.messageRetentionSeconds &&
      queue.receive_wait_time_seconds == var.job_resources.queue.receiveWaitTimeSeconds &&
      jsondecode(queue.redrive_policy).maxReceiveCount == var.job_resources.queue.maxReceiveCount &&
      jsondecode(queue.redrive_policy).deadLetterTargetArn == aws_sqs_queue.dead.arn
    ]) && aws_sqs_queue.dead.message_retention_seconds == var.job_resources.queue.messageRetentionSeconds
    error_message = "Queues have the program's numbers."
  }

  assert {
    condition = (
      aws_dynamodb_table.jobs.hash_key == var.job_resources.table.key &&
      one(aws_dynamodb_table.jobs.ttl).attribute_name == var.job_resources.table.ttlAttribute && one(aws_dynamodb_table.jobs.ttl).enabled &&
      one(aws_dynamodb_table.jobs.global_secondary_index).name == var.job_resources.table.index.name &&
      one(aws_dynamodb_table.jobs.global_secondary_index).hash_key == var.job_resources.table.index.hashKey &&
      one(aws_dynamodb_table.jobs.global_secondary_index).range_key == var.job_resources.table.index.rangeKey &&
      toset(one(aws_dynamodb_table.jobs.global_secondary_index).non_key_attributes) == toset(var.job_resources.table.index.projectedAttributes)
    )
    error_message = "The table has the program's keys."
  }

  assert {
    condition = anytrue([
      for rule in aws_s3_bucket_lifecycle_configuration.main.rule :
      one(rule.filter[*].prefix) == var.job_resources.bucket.prefix && one(rule.expiration[*].days) == var.job_resources.bucket.expirationDays
    ])
    error_message = "Payloads of jobs are deleted when the program says so."
  }

  assert {
    condition     = one(aws_dynamodb_table.jobs.point_in_time_recovery).enabled && aws_dynamodb_table.jobs.deletion_protection_enabled && one(aws_s3_bucket_versioning.main.versioning_configuration).status == "Enabled"
    error_message = "Table and bucket can be had back."
  }

  assert {
    condition = (
      alltrue([for queue in local.queues : queue.kms_master_key_id == var.kms_key_arn]) &&
      one(aws_dynamodb_table.jobs.server_side_encryption).kms_key_arn == var.kms_key_arn &&
      one(one(aws_s3_bucket_server_side_encryption_configuration.main.rule).apply_server_side_encryption_by_default).kms_master_key_id == var.kms_key_arn
    )
    error_message = "Everything at rest is encrypted with the stage's key."
  }

  assert {
    condition = (
      aws_s3_bucket_public_access_block.main.block_public_acls && aws_s3_bucket_public_access_block.main.block_public_policy &&
      aws_s3_bucket_public_access_block.main.ignore_public_acls && aws_s3_bucket_public_access_block.main.restrict_public_buckets
    )
    error_message = "The bucket cannot be made public."
  }

  assert {
    condition = alltrue([
      for document in concat([data.aws_iam_policy_document.bucket], values(data.aws_iam_policy_document.queue)) :
      document.statement[0].effect == "Deny" && one(document.statement[0].condition).variable == "aws:SecureTransport" && one(document.statement[0].condition).values == tolist(["false"])
    ]) && toset(keys(aws_sqs_queue_policy.tls_only)) == toset(["jobs", "bulk", "dead"])
    error_message = "Bucket and queues refuse what does not come by TLS."
  }
}

run "network" {
  module {
    source = "./modules/network"
  }

  variables {
    cidr              = "10.20.0.0/16"
    zone_count        = 3
    excluded_zone_ids = ["use1-az3"]

    permissions_boundary_arn = null
    nat_gateway_per_zone     = false
    log_retention_days       = 30
  }

  assert {
    condition     = length(aws_subnet.private) == 3 && length(distinct(concat([for subnet in aws_subnet.private : subnet.cidr_block], [for subnet in aws_subnet.public : subnet.cidr_block]))) == 6
    error_message = "Each zone has a private and a public subnet of its own."
  }

  assert {
    condition     = alltrue([for subnet in merge(aws_subnet.private, { for zone, subnet in aws_subnet.public : "public-${zone}" => subnet }) : subnet.map_public_ip_on_launch != true])
    error_message = "Nothing gets a public address by itself."
  }

  assert {
    condition     = length(aws_nat_gateway.main) == 1 && length(aws_route.nat) == 3 && aws_flow_log.rejected.traffic_type == "REJECT"
    error_message = "One gateway serves all zones unless asked for more, and refused connections are logged."
  }

  assert {
    condition     = data.aws_availability_zones.available.exclude_zone_ids == toset(["use1-az3"])
    error_message = "Zones that CloudFront does not reach are left out, by id."
  }

  assert {
    condition     = toset(keys(aws_vpc_endpoint.gateway)) == toset(["s3", "dynamodb"]) && alltrue([for endpoint in aws_vpc_endpoint.gateway : length(endpoint.route_table_ids) > 0])
    error_message = "The endpoints that cost nothing are there from the start, before the NAT gateway is billed."
  }

  assert {
    condition     = length(aws_default_security_group.closed.ingress) == 0 && length(aws_default_security_group.closed.egress) == 0
    error_message = "The group that comes with the VPC allows nothing."
  }
}

run "edge" {
  module {
    source = "./modules/edge"
  }

  providers = {
    aws           = aws
    aws.us_east_1 = aws.us_east_1
  }

  variables {
    load_balancer = {
      arn               = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/awseb-web/0123456789abcdef"
      dns_name          = "internal-awseb-web.us-east-1.elb.amazonaws.com"
      security_group_id = "sg-0123456789abcdef0"
      vpc_id            = "vpc-0123456789abcdef0"
    }
    domain             = null
    cache              = "keys"
    function_code      = file("../edge/authorize.js")
    rate_limit         = { per_address = 1000, per_key = 2000 }
    price_class        = "PriceClass_100"
    log_retention_days = 30
    certificate_days   = 30
    blocked_requests   = 1000
  }

  # Who is let in

  assert {
    condition = alltrue([
      for behavior in aws_cloudfront_distribution.main.ordered_cache_behavior :
      behavior.cache_policy_id != aws_cloudfront_cache_policy.encode.id || anytrue([for association in behavior.function_association : association.event_type == "viewer-request" && association.function_arn == aws_cloudfront_function.authorize.arn])
    ]) && length([for behavior in aws_cloudfront_distribution.main.ordered_cache_behavior : behavior if behavior.cache_policy_id == aws_cloudfront_cache_policy.encode.id]) == 2
    error_message = "Nothing is answered from the cache that the function has not let in."
  }

  assert {
    condition     = one(aws_cloudfront_distribution.main.default_cache_behavior).cache_policy_id == data.aws_cloudfront_cache_policy.disabled.id && data.aws_cloudfront_cache_policy.disabled.name == "Managed-CachingDisabled"
    error_message = "All other paths are not cached."
  }

  assert {
    condition     = aws_cloudfront_function.authorize.runtime == "cloudfront-js-2.0" && length(aws_cloudfront_function.authorize.code) < 10240 && aws_cloudfront_function.authorize.publish
    error_message = "The function fits CloudFront."
  }

  # The cache key

  assert {
    condition = (
      toset(one(one(one(aws_cloudfront_cache_policy.encode.parameters_in_cache_key_and_forwarded_to_origin).headers_config).headers).items) == toset(["x-cache-scope", "origin"]) &&
      toset(one(one(one(aws_cloudfront_cache_policy.encode.parameters_in_cache_key_and_forwarded_to_origin).query_strings_config).query_strings).items) == toset(["query", "truncate"]) &&
      one(one(aws_cloudfront_cache_policy.encode.parameters_in_cache_key_and_forwarded_to_origin).query_strings_config).query_string_behavior == "whitelist" &&
      one(one(aws_cloudfront_cache_policy.encode.parameters_in_cache_key_and_forwarded_to_origin).cookies_config).cookie_behavior == "none"
    )
    error_message = "The cache key is the known parameters, who may share, and no cookies."
  }

  assert {
    condition     = aws_cloudfront_cache_policy.encode.default_ttl == 0 && aws_cloudfront_cache_policy.encode.min_ttl == 0
    error_message = "Only what the service marks is kept."
  }

  # The way to the service

  assert {
    condition     = alltrue([for origin in aws_cloudfront_distribution.main.origin : length(origin.vpc_origin_config) == 1 || origin.origin_id == "errors"]) && aws_vpc_security_group_ingress_rule.cloudfront.cidr_ipv4 == null && aws_vpc_security_group_ingress_rule.cloudfront.referenced_security_group_id == data.aws_security_group.cloudfront.id
    error_message = "The balancer is a VPC origin, and lets in CloudFront's group alone."
  }

  assert {
    condition     = alltrue([for behavior in concat(aws_cloudfront_distribution.main.default_cache_behavior, aws_cloudfront_distribution.main.ordered_cache_behavior) : behavior.viewer_protocol_policy == "https-only"])
    error_message = "No key travels in the clear."
  }

  # Errors

  assert {
    condition     = alltrue([for response in aws_cloudfront_distribution.main.custom_error_response : response.error_caching_min_ttl == 0]) && length(aws_cloudfront_distribution.main.custom_error_response) == 11
    error_message = "No error is held, of all codes that CloudFront would hold."
  }

  assert {
    condition     = toset([for response in aws_cloudfront_distribution.main.custom_error_response : response.error_code if response.response_page_path != null && response.response_page_path != ""]) == toset([414, 502, 504])
    error_message = "Only errors that CloudFront makes itself have a page; the service's own JSON goes through."
  }

  assert {
    condition     = alltrue([for code, page in aws_s3_object.error : jsondecode(page.content).statusCode == tonumber(code) && length(setsubtract(["statusCode", "code", "error", "message"], keys(jsondecode(page.content)))) == 0 && startswith(page.content_type, "application/json")])
    error_message = "Pages of errors are JSON in the service's shape."
  }

  assert {
    condition     = alltrue([for body in aws_wafv2_web_acl.main.custom_response_body : body.content_type == "APPLICATION_JSON" && length(setsubtract(["statusCode", "code", "error", "message"], keys(jsondecode(body.content)))) == 0])
    error_message = "What the firewall refuses it refuses in JSON."
  }

  assert {
    condition = alltrue(flatten([
      for rule in aws_wafv2_web_acl.main.rule : [
        for group in one(rule.statement).managed_rule_group_statement : [
          for override in group.rule_action_override : [for block in one(override.action_to_use).block : one(block.custom_response).custom_response_body_key == "blocked"]
        ]
      ]
    ])) && length(local.managed_rules.AWSManagedRulesCommonRuleSet.blocked) + length(local.managed_rules.AWSManagedRulesCommonRuleSet.counted) == 22
    error_message = "Each rule of AWS's groups has an answer in JSON, or only counts."
  }

  assert {
    condition     = contains(local.managed_rules.AWSManagedRulesCommonRuleSet.counted, "NoUserAgent_HEADER")
    error_message = "A plain HTTP client may leave its name out."
  }

  # Firewall

  assert {
    condition     = aws_wafv2_web_acl.main.scope == "CLOUDFRONT" && aws_cloudfront_distribution.main.web_acl_id == aws_wafv2_web_acl.main.arn
    error_message = "The firewall stands before the distribution."
  }

  assert {
    condition     = toset([for rule in aws_wafv2_web_acl.main.rule : one(one(rule.statement).rate_based_statement).aggregate_key_type if length(one(rule.statement).rate_based_statement) > 0]) == toset(["IP", "CUSTOM_KEYS"])
    error_message = "Rates are limited by address and by key."
  }

  assert {
    condition = toset([for field in aws_wafv2_web_acl_logging_configuration.main.redacted_fields : one(field.single_header).name if length(field.single_header) > 0]) == toset(["authorization", "cookie"]) && anytrue([
    for field in aws_wafv2_web_acl_logging_configuration.main.redacted_fields : length(field.query_string) > 0])
    error_message = "The firewall's log holds no key and no text."
  }
}

run "edge_without_a_shared_cache" {
  command = plan

  module {
    source = "./modules/edge"
  }

  providers = {
    aws           = aws
    aws.us_east_1 = aws.us_east_1
  }

  variables {
    load_balancer = {
      arn               = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/awseb-web/0123456789abcdef"
      dns_name          = "internal-awseb-web.us-east-1.elb.amazonaws.com"
      security_group_id = "sg-0123456789abcdef0"
      vpc_id            = "vpc-0123456789abcdef0"
    }
    domain             = { name = "sbert.example.org", zone_id = "Z0123456789", proof_fqdn = "_a.sbert.example.org" }
    cache              = "none"
    function_code      = file("../edge/authorize.js")
    rate_limit         = { per_address = 1000, per_key = 2000 }
    price_class        = "PriceClass_100"
    log_retention_days = 30
    certificate_days   = 30
    blocked_requests   = 1000
  }

  assert {
    condition     = contains(one(one(one(aws_cloudfront_cache_policy.encode.parameters_in_cache_key_and_forwarded_to_origin).headers_config).headers).items, "authorization")
    error_message = "Without the function the whole Authorization is part of the key."
  }

  assert {
    condition     = one(aws_cloudfront_distribution.main.viewer_certificate).minimum_protocol_version == "TLSv1.2_2021" && one(aws_cloudfront_vpc_origin.balancer.vpc_origin_endpoint_config).origin_protocol_policy == "https-only"
    error_message = "With a domain both ways are TLS 1.2 or newer."
  }
}
