# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

mock_provider "aws" {
  source = "../tests/mocks"
}

variables {
  vpc_id          = "vpc-0123456789abcdef0"
  route_table_ids = ["rtb-0123456789abcdef0"]
}

run "what_is_free_by_default" {
  assert {
    condition     = toset(keys(output.endpoint_ids)) == toset(["s3", "dynamodb"]) && length(aws_security_group.interface) == 0
    error_message = "Without being asked only the endpoints are made that cost nothing."
  }
}

run "a_vpc_that_a_stage_made_has_its_gateways" {
  command = plan

  variables {
    route_table_ids = []
  }

  assert {
    condition     = length(aws_vpc_endpoint.gateway) == 0
    error_message = "Gateway endpoints are made for given route tables alone: a second one in a table is refused."
  }
}

run "what_is_asked_for" {
  variables {
    private_subnet_ids = ["subnet-a", "subnet-b"]
    interface_services = ["sqs", "logs"]
  }

  assert {
    condition     = alltrue([for endpoint in aws_vpc_endpoint.interface : endpoint.private_dns_enabled && length(endpoint.subnet_ids) == 2]) && length(aws_vpc_endpoint.interface) == 2
    error_message = "Programs find an interface endpoint by the service's usual name."
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.interface[0].cidr_ipv4 == "10.20.0.0/16" && aws_vpc_security_group_ingress_rule.interface[0].from_port == 443
    error_message = "Only the VPC itself comes to an interface endpoint, by TLS."
  }
}

run "interface_endpoints_without_subnets_are_refused" {
  command = plan

  variables {
    interface_services = ["sqs"]
  }

  expect_failures = [var.interface_services]
}
