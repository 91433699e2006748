# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

variable "name" {
  description = "Prefix of all names."
  type        = string
}

variable "bucket_name" {
  description = "Name of the bucket, unique among all accounts."
  type        = string
}

variable "job_resources" {
  description = "What the program needs of queues, table and bucket: src/platform/job-resources.json."
  type = object({
    queue = object({
      visibilityTimeoutSeconds = number
      messageRetentionSeconds  = number
      receiveWaitTimeSeconds   = number
      maxReceiveCount          = number
    })
    table = object({
      key          = string
      ttlAttribute = string
      index = object({
        name                = string
        hashKey             = string
        rangeKey            = string
        projectedAttributes = list(string)
      })
    })
    bucket = object({
      prefix         = string
      expirationDays = number
    })
  })
}

variable "kms_key_arn" {
  description = "Key of everything that is kept."
  type        = string
}

variable "deletion_protection" {
  description = "Whether the table refuses to be deleted, and the bucket to be deleted while it holds objects."
  type        = bool
}
