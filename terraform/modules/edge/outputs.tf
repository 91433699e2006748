# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

output "url" {
  description = "Where the service is."
  value       = "https://${var.domain == null ? aws_cloudfront_distribution.main.domain_name : var.domain.name}"
}

output "distribution_id" {
  description = "The distribution, for its figures."
  value       = aws_cloudfront_distribution.main.id
}

output "key_value_store_arn" {
  description = "Where tools/edge-keys writes the digests of keys."
  value       = aws_cloudfront_key_value_store.keys.arn
}

output "arns" {
  description = "What CloudFront names by an id of its own and takes no tags on."
  value = {
    key_value_store       = aws_cloudfront_key_value_store.keys.arn
    cache_policy          = "arn:${data.aws_partition.current.partition}:cloudfront::${data.aws_caller_identity.current.account_id}:cache-policy/${aws_cloudfront_cache_policy.encode.id}"
    origin_access_control = "arn:${data.aws_partition.current.partition}:cloudfront::${data.aws_caller_identity.current.account_id}:origin-access-control/${aws_cloudfront_origin_access_control.errors.id}"
  }
}

output "alarm_topic_arn" {
  description = "Where the edge's alarms go."
  value       = aws_sns_topic.alarms.arn
}

output "alarm_names" {
  description = "The edge's alarms."
  value       = keys(local.alarms)
}

output "function_name" {
  description = "The function that lets callers at the cache."
  value       = aws_cloudfront_function.authorize.name
}
