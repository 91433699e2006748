# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

output "url" {
  description = "Where the service is."
  value       = module.edge.url
}

output "function_url" {
  description = "Where the function is, if there is one; the firewall and the cache are not before it."
  value       = local.has_function ? aws_apigatewayv2_stage.function[0].invoke_url : null
}

output "environment_name" {
  description = "The Elastic Beanstalk environment of the web tier."
  value       = aws_elastic_beanstalk_environment.web.name
}

output "cluster_name" {
  description = "The ECS cluster of the workers; their service is called worker."
  value       = aws_ecs_cluster.main.name
}

output "key_value_store_arn" {
  description = "Where tools/edge-keys writes the digests of API keys."
  value       = module.edge.key_value_store_arn
}

output "edge_arns" {
  description = "For edge_arns of the account's stack, which lets this stage's workflows change these and no other stage's."
  value       = module.edge.arns
}

output "task_family" {
  description = "Family of the workers' task definition; its newest revision is the one to deploy an image with."
  value       = aws_ecs_task_definition.worker.family
}

output "distribution_id" {
  description = "The CloudFront distribution."
  value       = module.edge.distribution_id
}

output "function_architecture" {
  description = "Architecture of the function, whose image a deployment needs; null when there is none."
  value       = var.function == null ? null : var.function.architecture
}

output "secret_names" {
  description = "Secrets whose values are put in by hand."
  value       = merge({ for name, secret in aws_secretsmanager_secret.setting : name => secret.name }, { API_KEYS = aws_secretsmanager_secret.api_keys.name })
}

output "job_settings" {
  description = "Settings of a program that is to use the same queues, table and bucket."
  value       = { for name in ["JOBS_QUEUE_URL", "JOBS_BULK_QUEUE_URL", "JOBS_DEAD_LETTER_QUEUE_URL", "JOBS_TABLE", "MODELS_BUCKET"] : name => local.settings[name] }
}

output "network" {
  description = "VPC and private subnets, as the stack terraform/endpoints wants them. A VPC made here has its gateway endpoints already."
  value = {
    vpc_id             = local.network.vpc_id
    private_subnet_ids = local.network.private_subnet_ids
  }
}

output "image" {
  description = "Image of the workers that was applied last."
  value       = var.image
}
