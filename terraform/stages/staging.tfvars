# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# As prod, in small: what is tried here must behave as it will there.
stage              = "staging"
log_retention_days = 90
vpc_cidr           = "10.21.0.0/16"
web_instance_types = ["c7i.large", "c6i.large"]
web_instances      = { min = 2, desired = 2, max = 4 }
worker_tasks       = { min = 1, max = 4 }
