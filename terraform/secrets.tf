# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# Secrets have a place here and no value: terraform's state would hold it. docs/deploy.md says how a value is put in.

resource "aws_secretsmanager_secret" "setting" {
  for_each = var.secrets

  #checkov:skip=CKV2_AWS_57:a key is known to its callers, so only people can rotate it; docs/deploy.md says how
  name                    = "${local.name}/${each.key}"
  description             = "${each.key} of the service, as docs/configuration.md describes it"
  kms_key_id              = aws_kms_key.main.arn
  recovery_window_in_days = 7
}

# Keys with names, scopes, rates and ends: a file of digests, so nothing that could be found out, but who writes it lets people in. The service
# looks at it each minute: a change needs no restart. Always made, so that its value can be there before an instance asks for it.
resource "aws_secretsmanager_secret" "api_keys" {
  #checkov:skip=CKV2_AWS_57:a key is known to its callers, so only people can rotate it; docs/deploy.md says how
  name                    = "${local.name}/API_KEYS"
  description             = "API_KEYS_FILE of the service, as docs/security.md describes it"
  kms_key_id              = aws_kms_key.main.arn
  recovery_window_in_days = 7
}

locals {
  # Of those that know callers: a worker takes no keys.
  caller_settings = var.api_keys ? { API_KEYS_FILE = aws_secretsmanager_secret.api_keys.arn } : {}
}
