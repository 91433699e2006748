# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# Small, and asleep when nobody asks.
stage               = "dev"
deletion_protection = false
log_retention_days  = 30
web_instance_types  = ["t3.medium"]
web_instances       = { min = 1, desired = 1, max = 2 }
worker_tasks        = { min = 0, max = 2 }
price_class         = "PriceClass_100"
