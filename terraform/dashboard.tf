# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# One page to look at. dashboard.json says what is on it; a test holds every metric it names against those that exist.

resource "aws_cloudwatch_dashboard" "stage" {
  dashboard_name = local.name

  dashboard_body = templatefile("${path.module}/dashboard.json", {
    stage         = var.stage
    region        = var.region
    environment   = local.name
    load_balancer = local.target_dimensions.LoadBalancer
    target_group  = local.target_dimensions.TargetGroup
    auto_scaling  = local.group_dimensions.AutoScalingGroupName
    distribution  = module.edge.distribution_id
    edge_function = module.edge.function_name
    firewall      = local.name
    cluster       = aws_ecs_cluster.main.name
    jobs_queue    = module.storage.queue_names["jobs"]
    bulk_queue    = module.storage.queue_names["bulk"]
    dead_queue    = module.storage.queue_names["dead"]
    table         = module.storage.table.name
  })
}
