# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

variable "region" {
  description = "AWS region of the VPC."
  type        = string
  default     = "us-east-1"
}

variable "vpc_id" {
  description = "The VPC: output network of a stage, or a given one."
  type        = string
}

variable "route_table_ids" {
  description = "Route tables of the private subnets of a given VPC, for the gateway endpoints. A VPC that a stage made has them already."
  type        = list(string)
  default     = []
}

variable "private_subnet_ids" {
  description = "Subnets in which interface endpoints get their addresses, one a zone."
  type        = list(string)
  default     = []
}

variable "interface_services" {
  description = "Services with an endpoint inside the VPC, such as sqs, ecr.api, ecr.dkr, logs, secretsmanager. Each costs by the hour and zone; some three cost more than a NAT gateway."
  type        = set(string)
  default     = []

  validation {
    condition     = length(var.interface_services) == 0 || length(var.private_subnet_ids) > 0
    error_message = "interface_services: private_subnet_ids must be given with them."
  }
}
