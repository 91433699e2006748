# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# A stage as its .tfvars say it, for test/terraform/promises.ts, which reads what it becomes:
# terraform test -test-directory=promises -var-file=stages/<stage>.tfvars -json -verbose

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

mock_provider "aws" {
  alias           = "us_east_1"
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  version_label = "v1"
  image         = "123456789012.dkr.ecr.us-east-1.amazonaws.com/sbert-service@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
}

run "stage" {
  command = plan
}
