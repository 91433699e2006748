# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

stage                = "prod"
vpc_cidr             = "10.22.0.0/16"
zone_count           = 3
nat_gateway_per_zone = true
web_instance_types   = ["c7i.large", "c6i.large"]
web_instances        = { min = 2, max = 12 }
worker_tasks         = { min = 1, max = 20 }
price_class          = "PriceClass_All"

# Instances are there before people are. Times are UTC.
web_schedule = {
  morning = { recurrence = "0 12 * * MON-FRI", min = 3, desired = 4, max = 12 }
  evening = { recurrence = "0 2 * * TUE-SAT", min = 2, desired = 2, max = 12 }
}
