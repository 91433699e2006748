# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.main.id
}

output "private_subnet_ids" {
  description = "Subnets of web tier and workers, one a zone."
  value       = [for subnet in aws_subnet.private : subnet.id]
}

output "route_table_ids" {
  description = "Route tables of the private subnets: what gateway endpoints hang on."
  value       = [for table in aws_route_table.private : table.id]
}
