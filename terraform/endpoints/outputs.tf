# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

output "endpoint_ids" {
  description = "The endpoints, by service."
  value       = { for name, endpoint in merge(aws_vpc_endpoint.gateway, aws_vpc_endpoint.interface) : name => endpoint.id }
}
