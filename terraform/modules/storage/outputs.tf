# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

output "queue_urls" {
  description = "URLs of the queues: jobs, bulk, dead."
  value       = { for name, queue in local.queues : name => queue.url }
}

output "queue_names" {
  description = "Names of the queues, by which CloudWatch knows them."
  value       = { for name, queue in local.queues : name => queue.name }
}

output "queue_arns" {
  description = "ARNs of the queues."
  value       = { for name, queue in local.queues : name => queue.arn }
}

output "table" {
  description = "Name and ARN of the table."
  value       = { name = aws_dynamodb_table.jobs.name, arn = aws_dynamodb_table.jobs.arn }
}

output "bucket" {
  description = "Name and ARN of the bucket."
  value       = { name = aws_s3_bucket.main.id, arn = aws_s3_bucket.main.arn }
}
