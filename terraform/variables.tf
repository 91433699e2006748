# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

variable "stage" {
  description = "Name of this deployment: part of all names, and the STAGE of the service."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,9}$", var.stage))
    error_message = "stage: want 2 to 10 lower-case letters and digits, a letter first; longer names do not fit into those of AWS."
  }
}

variable "region" {
  description = "AWS region of everything but what CloudFront needs in us-east-1."
  type        = string
  default     = "us-east-1"
}

variable "allowed_account_ids" {
  description = "Accounts that this may be applied to; null allows the one whose credentials are used."
  type        = list(string)
  default     = null
}

# Network

variable "network" {
  description = "A given VPC and its private subnets, in two zones at least and with a way out; null makes a VPC of its own."
  type = object({
    vpc_id             = string
    private_subnet_ids = list(string)
  })
  default = null

  validation {
    condition     = var.network == null || try(length(var.network.private_subnet_ids), 0) >= 2
    error_message = "network: want two private subnets or more, since a load balancer needs two zones."
  }
}

variable "vpc_cidr" {
  description = "Addresses of the VPC when it is made here."
  type        = string
  default     = "10.20.0.0/16"

  validation {
    condition     = can(cidrsubnet(var.vpc_cidr, 4, 15)) && tonumber(try(split("/", var.vpc_cidr)[1], 32)) <= 20
    error_message = "vpc_cidr: want a CIDR block of /20 or larger."
  }
}

variable "zone_count" {
  description = "Availability zones of the VPC when it is made here."
  type        = number
  default     = 2

  validation {
    condition     = var.zone_count >= 2 && var.zone_count <= 4
    error_message = "zone_count: want 2 to 4."
  }
}

variable "nat_gateway_per_zone" {
  description = "Whether each zone has its own way out: the loss of a zone then cuts off no other, at the price of a gateway each."
  type        = bool
  default     = false
}

# What runs

variable "version_label" {
  description = "Version of the Elastic Beanstalk application that a new environment begins with; later ones come from the deploy workflow."
  type        = string
}

variable "image" {
  description = "Image of the workers by digest, as <repository>@sha256:<64 hex digits>; later ones come from the deploy workflow."
  type        = string

  validation {
    condition     = can(regex("^[^@\\s]+@sha256:[0-9a-f]{64}$", var.image))
    error_message = "image: want it by digest, <repository>@sha256:<64 hex digits>, since a tag may move."
  }
}

variable "application_name" {
  description = "Name of the Elastic Beanstalk application, which the stack terraform/account makes."
  type        = string
  default     = "sbert-service"

  validation {
    condition     = var.application_name == "sbert-service"
    error_message = "application_name: want sbert-service; stages, the bounds of their roles and the deployment's tools are named after it."
  }
}

variable "settings" {
  description = "More settings of web tier, workers and function, by name, as docs/configuration.md lists them; no secrets."
  type        = map(string)
  default     = {}

  # Together with those that are set here: Elastic Beanstalk takes 4096 bytes of environment, and Lambda 4 KB.
  validation {
    condition     = length(join(",", [for name, value in var.settings : "${name}=${value}"])) <= 2500
    error_message = "settings: want 2500 characters at the most in all, since web tier and function have room for no more beside their own."
  }

  validation {
    condition     = length(setintersection(keys(var.settings), ["API_KEYS_FILE", "API_SECRET_KEY", "JWT_SECRET_KEY", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS", "SECRET_HEADER_VALUE", "SENTRY_DSN", "WEBHOOK_SECRET"])) == 0
    error_message = "settings: secrets do not belong here, they would be in the state; see var.secrets, and var.api_keys for API_KEYS_FILE."
  }
}

variable "secrets" {
  description = "Settings whose values are secrets. A secret is made for each; its value is put in by hand, and is never in the state."
  type        = set(string)
  default     = ["API_SECRET_KEY", "JWT_SECRET_KEY", "WEBHOOK_SECRET"]

  validation {
    condition     = contains(var.secrets, "API_SECRET_KEY")
    error_message = "secrets: API_SECRET_KEY must be among them, since the canary calls with it."
  }
}

variable "api_keys" {
  description = "Whether web tier and function take keys with names, scopes, rates and ends (API_KEYS_FILE) from a secret of the stage. Its value is put in by hand before this is set: docs/deploy.md."
  type        = bool
  default     = false
}

variable "log_retention_days" {
  description = "Days that logs are kept."
  type        = number
  default     = 365
}

variable "deletion_protection" {
  description = "Whether table and bucket refuse to be destroyed."
  type        = bool
  default     = true
}

# Web tier

variable "web_instance_types" {
  description = "EC2 types of the web tier, the first preferred: all of x86 or all of ARM (Graviton, such as c7g.large); the image must have that architecture."
  type        = list(string)
  default     = ["c7i.large"]

  validation {
    condition     = length(var.web_instance_types) > 0 && length(distinct([for type in var.web_instance_types : can(regex(local.arm_type, type))])) == 1
    error_message = "web_instance_types: want one or more, all of x86 or all of ARM; an environment has one architecture."
  }
}

variable "web_instances" {
  description = "Instances of the web tier: fewest, most, and the count that it returns to once a day (cron in UTC), whatever the load was. With web_schedule each time has its own count."
  type = object({
    min        = number
    max        = number
    desired    = optional(number)
    desired_at = optional(string, "0 4 * * *")
  })

  validation {
    condition     = 1 <= var.web_instances.min && var.web_instances.min <= coalesce(var.web_instances.desired, var.web_instances.min) && coalesce(var.web_instances.desired, var.web_instances.min) <= var.web_instances.max
    error_message = "web_instances: want 1 <= min <= desired <= max."
  }

  validation {
    condition     = var.web_instances.desired == null || length(var.web_schedule) == 0
    error_message = "web_instances.desired: want it left out, since web_schedule says a desired count for each time."
  }
}

variable "web_schedule" {
  description = "Times at which the web tier gets another range of instances: cron in UTC, by name."
  type = map(object({
    recurrence = string
    min        = number
    desired    = number
    max        = number
  }))
  default = {}

  validation {
    condition     = alltrue([for at in values(var.web_schedule) : at.min <= at.desired && at.desired <= at.max])
    error_message = "web_schedule: want min <= desired <= max at each time."
  }
}

variable "web_scaling" {
  description = "When the web tier grows and shrinks. Load is the larger of requests and CPU, each as a share of its target."
  type = object({
    requests_per_target_per_minute = optional(number, 6000)
    cpu_percent                    = optional(number, 60)
    out_after_minutes              = optional(number, 2)
    out_cooldown_seconds           = optional(number, 180)
    in_below_load                  = optional(number, 0.5)
    in_after_minutes               = optional(number, 15)
    in_cooldown_seconds            = optional(number, 600)
  })
  default = {}

  validation {
    condition     = var.web_scaling.in_below_load > 0 && var.web_scaling.in_below_load < 0.7
    error_message = "web_scaling.in_below_load: want more than 0 and less than 0.7, or one instance fewer would be one too few at once."
  }
}

# Workers

variable "worker_tasks" {
  description = "Tasks of the worker service. Fewest may be 0: then the first job wakes one, in a few minutes."
  type = object({
    min = number
    max = number
  })

  validation {
    condition     = 0 <= var.worker_tasks.min && var.worker_tasks.min <= var.worker_tasks.max && var.worker_tasks.max >= 1
    error_message = "worker_tasks: want 0 <= min <= max and max >= 1."
  }
}

variable "worker_size" {
  description = "CPU units (1024 are one) and memory in MiB of a worker task, in a pair that Fargate has."
  type = object({
    cpu              = number
    memory_mebibytes = number
  })
  default = { cpu = 1024, memory_mebibytes = 2048 }
}

variable "worker_cpu_architecture" {
  description = "X86_64 or ARM64; the image must have it."
  type        = string
  default     = "X86_64"

  validation {
    condition     = contains(["X86_64", "ARM64"], var.worker_cpu_architecture)
    error_message = "worker_cpu_architecture: want X86_64 or ARM64."
  }
}

variable "worker_scaling" {
  description = "Jobs that may wait for each task, which is the wait that is acceptable divided by the seconds a job takes; and both cool-downs."
  type = object({
    backlog_per_task     = optional(number, 20)
    out_cooldown_seconds = optional(number, 60)
    in_cooldown_seconds  = optional(number, 300)
  })
  default = {}
}

# Function

variable "function" {
  description = "The service as a function of AWS Lambda beside the web tier: image of the target lambda by digest (later ones come from the deployment), memory (1769 MiB are one vCPU), environments that are kept warm, most at once (null: as many as the account has), requests a second at its HTTP API, and the classifier that answers bare events. null makes none."
  type = object({
    image               = string
    architecture        = optional(string, "x86_64")
    memory_mebibytes    = optional(number, 3538)
    warm                = optional(number, 0)
    most_at_once        = optional(number)
    requests_per_second = optional(number, 100)
    classifier          = optional(string)
  })
  default = null

  validation {
    condition     = var.function == null || can(regex("^[0-9]{12}\\.dkr\\.ecr\\.[^@\\s]+@sha256:[0-9a-f]{64}$", var.function.image))
    error_message = "function.image: want it by digest in ECR, <repository>@sha256:<64 hex digits>: Lambda takes images from there alone, and a tag may move."
  }

  validation {
    condition     = var.function == null || contains(["x86_64", "arm64"], try(var.function.architecture, ""))
    error_message = "function.architecture: want x86_64 or arm64."
  }

  validation {
    condition     = var.function == null || try(var.function.memory_mebibytes >= 1024 && var.function.memory_mebibytes <= 10240, false)
    error_message = "function.memory_mebibytes: want 1024 to 10240; the model and one thread need the former."
  }

  validation {
    condition     = var.function == null || try(var.function.warm >= 0 && var.function.warm <= coalesce(var.function.most_at_once, var.function.warm), false)
    error_message = "function.warm: want 0 or more, and no more than most_at_once."
  }
}

# Edge

variable "domain" {
  description = "A name for the service and the Route 53 zone that it is in; null leaves it at CloudFront's own name."
  type = object({
    name    = string
    zone_id = string
  })
  default = null
}

variable "edge_cache" {
  description = "Who shares GET encodes at the edge: keys (all known API keys share one copy, checked by a function before the cache is looked up) or none (a copy for each Authorization header)."
  type        = string
  default     = "keys"

  validation {
    condition     = contains(["keys", "none"], var.edge_cache)
    error_message = "edge_cache: want keys or none."
  }
}

variable "rate_limit" {
  description = "Requests in five minutes from one address, and with one key; beyond it 429."
  type = object({
    per_address = number
    per_key     = number
  })
  default = { per_address = 20000, per_key = 60000 }
}

variable "price_class" {
  description = "Where CloudFront answers: PriceClass_100 (North America, Europe, Israel), PriceClass_200, PriceClass_All."
  type        = string
  default     = "PriceClass_100"
}

# Alarms

variable "slack" {
  description = "Where alarms go: a Slack workspace, which is authorised once by hand in the console, and a channel; null sends none."
  type = object({
    team_id    = string
    channel_id = string
  })
  default = null
}

variable "cost_alarms" {
  description = "Whether costs are watched: unusual ones, and a month's. An account that never opened Cost Explorer refuses it; docs/deploy.md says what to do first."
  type        = bool
  default     = true
}

variable "alarm_thresholds" {
  description = "When to be told."
  type = object({
    p90_seconds             = optional(number, 1)
    slowest_seconds         = optional(number, 10)
    oldest_job_seconds      = optional(number, 900)
    backlog_per_task        = optional(number, 200)
    balancer_capacity_units = optional(number, 20)
    blocked_requests        = optional(number, 1000)
    cost_anomaly_dollars    = optional(number, 50)
    month_dollars           = optional(number, 500)
    certificate_days        = optional(number, 30)
  })
  default = {}
}
