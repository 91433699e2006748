# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# Ways from a VPC to AWS that do not leave it. A stack of its own, since all stages in one VPC share them.

data "aws_vpc" "main" {
  id = var.vpc_id
}

data "aws_caller_identity" "current" {}

# Free, and they take what weighs most off the NAT gateway. Of a VPC that a stage made they are in module network.
resource "aws_vpc_endpoint" "gateway" {
  for_each = toset(length(var.route_table_ids) == 0 ? [] : ["s3", "dynamodb"])

  vpc_id            = var.vpc_id
  vpc_endpoint_type = "Gateway"
  service_name      = "com.amazonaws.${var.region}.${each.key}"
  route_table_ids   = var.route_table_ids
  tags              = { Name = each.key }
}

resource "aws_security_group" "interface" {
  count = length(var.interface_services) > 0 ? 1 : 0

  name        = "sbert-service-endpoints"
  description = "Interface endpoints: TLS from inside the VPC"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "interface" {
  count = length(var.interface_services) > 0 ? 1 : 0

  description       = "TLS from inside the VPC"
  security_group_id = aws_security_group.interface[0].id
  cidr_ipv4         = data.aws_vpc.main.cidr_block
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_endpoint" "interface" {
  for_each = var.interface_services

  vpc_id              = var.vpc_id
  vpc_endpoint_type   = "Interface"
  service_name        = "com.amazonaws.${var.region}.${each.key}"
  subnet_ids          = var.private_subnet_ids
  security_group_ids  = [aws_security_group.interface[0].id]
  private_dns_enabled = true
  policy              = data.aws_iam_policy_document.own_account.json
  tags                = { Name = each.key }
}

# Callers of this account alone: nobody carries data out with foreign keys.
data "aws_iam_policy_document" "own_account" {
  statement {
    actions   = ["*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:PrincipalAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}
