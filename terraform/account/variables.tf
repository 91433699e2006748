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
  description = "Stages in this account. The GitHub environment of a stage has its name."
  type        = set(string)
  default     = ["dev", "staging", "prod"]
}

variable "oidc_provider_arn" {
  description = "The account's OIDC provider of GitHub when it has one already; null makes it."
  type        = string
  default     = null
}

variable "kept_image_count" {
  description = "Images and bundles kept: as far back as a roll back can go."
  type        = number
  default     = 50
}
