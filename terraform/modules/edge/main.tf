# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# CloudFront before the load balancer. Who has no right is answered before the cache is looked up; nobody else reaches the balancer.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  # What a GET encode depends on: the text, how it is cut, and who may share the answer. CORS headers depend on Origin.
  cached_parameters = ["query", "truncate"]
  cached_headers    = [var.cache == "keys" ? "x-cache-scope" : "authorization", "origin"]
  cached_paths      = ["/v1/encode", "/v1/encode/"]

  # The service itself answers every error in JSON. These CloudFront makes: the address is too long for it, or the service cannot be
  # reached. Others that it makes have no page, since the page would take the place of what the service says: 400, 403 and 503.
  error_pages = {
    414 = { code = "INVALID_REQUEST", error = "URI Too Long", message = "Cannot read the request: its address is longer than 8 KB; want the text in the body of a POST" }
    502 = { code = "UNAVAILABLE", error = "Bad Gateway", message = "Cannot reach the service: come back in a moment" }
    504 = { code = "DEADLINE_EXCEEDED", error = "Gateway Timeout", message = "Cannot answer in time: come back in a moment" }
  }

  # CloudFront would hold these for 10 s: a caller would hear "overloaded" or "not found" long after it was so.
  held_errors = toset(["400", "403", "404", "405", "414", "416", "500", "501", "502", "503", "504"])
}

# The way to the balancer

# CloudFront refuses to change it while a distribution uses it (docs/deploy.md, "A name or a balancer for a stage that runs"). It is not created
# before the old one is destroyed: Terraform would then do so with all that it depends on, and names such as the environment's are taken.
resource "aws_cloudfront_vpc_origin" "balancer" {
  vpc_origin_endpoint_config {
    name                   = "${var.name}-${var.domain == null ? "http" : "https"}"
    arn                    = var.load_balancer.arn
    http_port              = 80
    https_port             = 443
    origin_protocol_policy = var.domain == null ? "http-only" : "https-only"

    origin_ssl_protocols {
      items    = ["TLSv1.2"]
      quantity = 1
    }
  }
}

# CloudFront makes this group in the VPC together with its first VPC origin. The prefix list of CloudFront's addresses
# would let in other people's distributions; this lets in those of this account.
data "aws_security_group" "cloudfront" {
  vpc_id = var.load_balancer.vpc_id
  name   = "CloudFront-VPCOrigins-Service-SG"

  depends_on = [aws_cloudfront_vpc_origin.balancer]
}

resource "aws_vpc_security_group_ingress_rule" "cloudfront" {
  description                  = "CloudFront alone"
  security_group_id            = var.load_balancer.security_group_id
  referenced_security_group_id = data.aws_security_group.cloudfront.id
  ip_protocol                  = "tcp"
  from_port                    = var.domain == null ? 80 : 443
  to_port                      = var.domain == null ? 80 : 443
}

# Who may share the cache

resource "aws_cloudfront_key_value_store" "keys" {
  name    = "${var.name}-keys"
  comment = "SHA-256 of each API key, and the model revision. Written by tools/edge-keys."
}

resource "aws_cloudfront_function" "authorize" {
  name                         = "${var.name}-authorize"
  comment                      = "Answers 401 to unknown keys, says whose copy of the cache a request is for"
  runtime                      = "cloudfront-js-2.0"
  code                         = var.function_code
  publish                      = true
  key_value_store_associations = [aws_cloudfront_key_value_store.keys.arn]
}

# What is cached

data "aws_cloudfront_cache_policy" "disabled" {
  name = "Managed-CachingDisabled"
}

data "aws_cloudfront_origin_request_policy" "all" {
  name = "Managed-AllViewer"
}

# The service says what may be kept, and for how long: by default nothing.
resource "aws_cloudfront_cache_policy" "encode" {
  name        = "${var.name}-encode"
  comment     = "GET encodes: by text and by who may share them"
  min_ttl     = 0
  default_ttl = 0
  max_ttl     = 604800

  parameters_in_cache_key_and_forwarded_to_origin {
    enable_accept_encoding_brotli = true
    enable_accept_encoding_gzip   = true

    query_strings_config {
      query_string_behavior = "whitelist"

      query_strings {
        items = local.cached_parameters
      }
    }

    headers_config {
      header_behavior = "whitelist"

      headers {
        items = local.cached_headers
      }
    }

    cookies_config {
      cookie_behavior = "none"
    }
  }
}

resource "aws_cloudfront_distribution" "main" {
  #checkov:skip=CKV_AWS_86:an access log holds the query, which is users' text; the firewall's log has the rest
  #checkov:skip=CKV_AWS_305:the root is a route of the service
  #checkov:skip=CKV_AWS_310:one region; its zones fail over behind the balancer
  #checkov:skip=CKV_AWS_374:callers may be anywhere
  #checkov:skip=CKV2_AWS_32:the service sends its security headers itself, through @fastify/helmet
  #checkov:skip=CKV2_AWS_42:without a domain there can be no certificate of one's own
  #checkov:skip=CKV_AWS_174:without a domain CloudFront fixes the minimum itself; with one it is TLSv1.2_2021
  enabled         = true
  comment         = var.name
  aliases         = var.domain == null ? [] : [var.domain.name]
  http_version    = "http2and3"
  is_ipv6_enabled = true
  price_class     = var.price_class
  web_acl_id      = aws_wafv2_web_acl.main.arn

  origin {
    origin_id   = "service"
    domain_name = var.load_balancer.dns_name

    vpc_origin_config {
      vpc_origin_id            = aws_cloudfront_vpc_origin.balancer.id
      origin_read_timeout      = 60
      origin_keepalive_timeout = 60
    }
  }

  origin {
    origin_id                = "errors"
    domain_name              = aws_s3_bucket.errors.bucket_regional_domain_name
    origin_access_control_id = aws_cloudfront_origin_access_control.errors.id
  }

  default_cache_behavior {
    target_origin_id         = "service"
    viewer_protocol_policy   = "https-only"
    allowed_methods          = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]
    cached_methods           = ["GET", "HEAD"]
    compress                 = true
    cache_policy_id          = data.aws_cloudfront_cache_policy.disabled.id
    origin_request_policy_id = data.aws_cloudfront_origin_request_policy.all.id
  }

  dynamic "ordered_cache_behavior" {
    for_each = local.cached_paths

    content {
      path_pattern             = ordered_cache_behavior.value
      target_origin_id         = "service"
      viewer_protocol_policy   = "https-only"
      allowed_methods          = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]
      cached_methods           = ["GET", "HEAD"]
      compress                 = true
      cache_policy_id          = aws_cloudfront_cache_policy.encode.id
      origin_request_policy_id = data.aws_cloudfront_origin_request_policy.all.id

      dynamic "function_association" {
        for_each = var.cache == "keys" ? [aws_cloudfront_function.authorize.arn] : []

        content {
          event_type   = "viewer-request"
          function_arn = function_association.value
        }
      }
    }
  }

  ordered_cache_behavior {
    path_pattern           = "/errors/*"
    target_origin_id       = "errors"
    viewer_protocol_policy = "https-only"
    allowed_methods        = ["GET", "HEAD"]
    cached_methods         = ["GET", "HEAD"]
    cache_policy_id        = data.aws_cloudfront_cache_policy.disabled.id
  }

  dynamic "custom_error_response" {
    for_each = local.held_errors

    content {
      error_code            = tonumber(custom_error_response.value)
      error_caching_min_ttl = 0
      # Without a page the service's own JSON goes through.
      response_code      = contains(keys(local.error_pages), custom_error_response.value) ? tonumber(custom_error_response.value) : null
      response_page_path = contains(keys(local.error_pages), custom_error_response.value) ? "/errors/${custom_error_response.value}.json" : null
    }
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
    cloudfront_default_certificate = var.domain == null
    acm_certificate_arn            = var.domain == null ? null : aws_acm_certificate_validation.edge[0].certificate_arn
    minimum_protocol_version       = var.domain == null ? "TLSv1" : "TLSv1.2_2021"
    ssl_support_method             = var.domain == null ? null : "sni-only"
  }
}

# JSON for errors that CloudFront makes itself

resource "aws_s3_bucket" "errors" {
  #checkov:skip=CKV_AWS_18:two constant files, no data
  #checkov:skip=CKV_AWS_21:two constant files, made from this code
  #checkov:skip=CKV_AWS_144:two constant files, made from this code
  #checkov:skip=CKV_AWS_145:two constant files that everyone may read through CloudFront
  #checkov:skip=CKV2_AWS_61:two constant files
  #checkov:skip=CKV2_AWS_62:two constant files
  bucket        = "${var.name}-errors-${data.aws_caller_identity.current.account_id}-${data.aws_region.current.name}"
  force_destroy = true
}

resource "aws_s3_bucket_public_access_block" "errors" {
  bucket                  = aws_s3_bucket.errors.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_object" "error" {
  for_each = local.error_pages

  #checkov:skip=CKV_AWS_186:everyone may read it through CloudFront
  bucket        = aws_s3_bucket.errors.id
  key           = "errors/${each.key}.json"
  content_type  = "application/json; charset=utf-8"
  cache_control = "no-store"
  content       = jsonencode(merge({ statusCode = tonumber(each.key) }, each.value))
}

resource "aws_cloudfront_origin_access_control" "errors" {
  name                              = "${var.name}-errors"
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

resource "aws_s3_bucket_policy" "errors" {
  bucket = aws_s3_bucket.errors.id
  policy = data.aws_iam_policy_document.errors.json
}

data "aws_iam_policy_document" "errors" {
  statement {
    sid       = "CloudFront"
    actions   = ["s3:GetObject"]
    resources = ["${aws_s3_bucket.errors.arn}/errors/*"]

    principals {
      type        = "Service"
      identifiers = ["cloudfront.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceArn"
      values   = [aws_cloudfront_distribution.main.arn]
    }
  }

  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.errors.arn, "${aws_s3_bucket.errors.arn}/*"]

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
