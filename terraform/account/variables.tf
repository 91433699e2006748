# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

variable "region" {
  description = "AWS region of state, images and bundles, and of the stages."
  type        = string
  default     = "us-east-1"
}

variable "allowed_account_ids" {
  description = "Accounts that this may be applied to; null allows the one whose credentials are used."
  type        = list(string)
  default     = null
}

variable "application_name" {
  description = "Name of image repository and Elastic Beanstalk application."
  type        = string
  default     = "sbert-service"

  validation {
    condition     = var.application_name == "sbert-service"
    error_message = "application_name: want sbert-service; stages, the bounds of their roles and the deployment's tools are named after it."
  }
}

variable "repository" {
  description = "The GitHub repository whose workflows may deploy, as <owner>/<name>."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.repository))
    error_message = "repository: want <owner>/<name>, without wildcards."
  }
}

variable "stages" {
  description = "Stages in this account, in the order in which a version goes through them. The GitHub environment of a stage has its name."
  type        = list(string)
  default     = ["dev", "staging", "prod"]

  # Names of the account's own things begin with the same letters: a stage of such a name could touch them.
  validation {
    condition     = alltrue([for stage in var.stages : can(regex("^[a-z][a-z0-9]{1,9}$", stage))]) && length(distinct(var.stages)) == length(var.stages) && length(setintersection(var.stages, ["github", "state", "bundles", "account", "version", "boundary"])) == 0
    error_message = "stages: want each once, in 2 to 10 lower-case letters and digits, a letter first, and none of github, state, bundles, account, version, boundary."
  }
}

variable "edge_arns" {
  description = "Per stage, what CloudFront names by an id of its own and takes no tags on: output edge_arns of the stage. Empty before the stage's first apply; until then its workflows may change none of it."
  type = map(object({
    key_value_store       = string
    cache_policy          = string
    origin_access_control = string
  }))
  default = {}
}

variable "domains" {
  description = "Per stage with a name of its own: that name and the Route 53 zone it is in."
  type = map(object({
    name    = string
    zone_id = string
  }))
  default = {}
}

variable "oidc_provider_arn" {
  description = "The account's OIDC provider of GitHub when it has one already; null makes it."
  type        = string
  default     = null
}

variable "kept_version_count" {
  description = "Versions kept, each with two images and a bundle: as far back as a roll back can go."
  type        = number
  default     = 50
}
