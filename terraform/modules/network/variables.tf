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

variable "excluded_zone_ids" {
  description = "Zones not to be used, by id: a zone's name is another zone in another account."
  type        = list(string)
}

variable "nat_gateway_per_zone" {
  description = "A NAT gateway in each zone, not one for all."
  type        = bool
}

variable "permissions_boundary_arn" {
  description = "The most that a role made here may do; null sets no bounds."
  type        = string
}

variable "log_retention_days" {
  description = "Days that flow logs are kept."
  type        = number
}

variable "kms_key_arn" {
  description = "Key of the flow logs."
  type        = string
}
