# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.main.id
}

output "private_subnet_ids" {
  description = "Subnets of web tier and workers, one a zone."
  value       = [for subnet in aws_subnet.private : subnet.id]

  # Instances and tasks that start in these subnets need the way out at once, and keep it until they are destroyed.
  depends_on = [
    aws_route.internet,
    aws_route.nat,
    aws_route_table_association.private,
    aws_route_table_association.public,
    aws_vpc_endpoint.gateway,
  ]
}
