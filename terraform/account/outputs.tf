# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

output "backend" {
  description = "Written to account/backend_override.tf, it lets `terraform init -migrate-state` move this stack's state to the bucket."
  value       = <<-EOT
    terraform {
      backend "s3" {
        bucket       = "${aws_s3_bucket.account["state"].id}"
        key          = "account/terraform.tfstate"
        region       = "${var.region}"
        encrypt      = true
        use_lockfile = true
      }
    }
  EOT
}

output "state_bucket" {
  description = "Bucket of the states, for stages/<stage>.s3.tfbackend."
  value       = aws_s3_bucket.account["state"].id
}

output "bundle_bucket" {
  description = "Bucket of deploy.zip, for the workflow's variable BUNDLE_BUCKET."
  value       = aws_s3_bucket.account["bundles"].id
}

output "repository_url" {
  description = "Where images are pushed."
  value       = aws_ecr_repository.service.repository_url
}

output "role_arns" {
  description = "Roles of GitHub's workflows."
  value       = { for name, role in aws_iam_role.github : name => role.arn }
}
