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
