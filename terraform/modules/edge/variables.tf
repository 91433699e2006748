# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

variable "name" {
  description = "Prefix of all names."
  type        = string
}

variable "load_balancer" {
  description = "The internal load balancer behind CloudFront: ARN, DNS name, its security group and its VPC."
  type = object({
    arn               = string
    dns_name          = string
    security_group_id = string
    vpc_id            = string
  })
}

variable "domain" {
  description = "Name of the service, its Route 53 zone, and the record there that proves it to ACM; null leaves it at CloudFront's own name. With a name the way to the balancer is HTTPS too."
  type = object({
    name       = string
    zone_id    = string
    proof_fqdn = string
  })
}

variable "cache" {
  description = "Who shares GET encodes: keys (all known API keys one copy) or none (a copy for each Authorization header)."
  type        = string
}

variable "function_code" {
  description = "Code of the function that lets callers at the cache."
  type        = string
}

variable "rate_limit" {
  description = "Requests in five minutes from one address, and with one key."
  type = object({
    per_address = number
    per_key     = number
  })
}

variable "price_class" {
  description = "Where CloudFront answers."
  type        = string
}

variable "log_retention_days" {
  description = "Days that the firewall's log is kept."
  type        = number
}

variable "certificate_days" {
  description = "Days before a certificate's end at which to be told."
  type        = number
}

variable "blocked_requests" {
  description = "Requests blocked within five minutes that are worth being told of."
  type        = number
}
