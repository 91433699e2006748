# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# CloudFront before the web tier.

module "edge" {
  source = "./modules/edge"

  providers = {
    aws           = aws
    aws.us_east_1 = aws.us_east_1
  }

  name               = local.name
  cache              = var.edge_cache
  function_code      = file("${path.module}/../edge/authorize.js")
  rate_limit         = var.rate_limit
  price_class        = var.price_class
  log_retention_days = var.log_retention_days
  certificate_days   = var.alarm_thresholds.certificate_days
  blocked_requests   = var.alarm_thresholds.blocked_requests

  load_balancer = {
    arn               = data.aws_lb.web.arn
    dns_name          = data.aws_lb.web.dns_name
    security_group_id = aws_security_group.balancer.id
    vpc_id            = local.network.vpc_id
  }

  domain = var.domain == null ? null : merge(var.domain, { proof_fqdn = aws_route53_record.proof[0].fqdn })
}
