# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

variable "name" {
  description = "Prefix of all names."
  type        = string
}

variable "cidr" {
  description = "Addresses of the VPC, /20 or larger."
  type        = string
}

variable "zone_count" {
  description = "Availability zones, each with a public and a private subnet."
  type        = number
}

variable "nat_gateway_per_zone" {
  description = "A NAT gateway in each zone, not one for all."
  type        = bool
}

variable "log_retention_days" {
  description = "Days that flow logs are kept."
  type        = number
}

variable "kms_key_arn" {
  description = "Key of the flow logs."
  type        = string
}
