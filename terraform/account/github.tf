# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# Roles that GitHub's workflows take on with a token of their own, without any key that could be lost. For each stage:
# deploy (a new version of the program), plan (looks, on a pull request), apply (terraform).

resource "aws_iam_openid_connect_provider" "github" {
  count = var.oidc_provider_arn == null ? 1 : 0

  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

locals {
  oidc_provider_arn = var.oidc_provider_arn == null ? aws_iam_openid_connect_provider.github[0].arn : var.oidc_provider_arn
  state_arn         = aws_s3_bucket.account["state"].arn

  # Environments are what approvals hang on: only an approved run has such a token. A plan needs none.
  subjects = merge(
    { for stage in var.stages : "deploy-${stage}" => "repo:${var.repository}:environment:${stage}" },
    { for stage in var.stages : "apply-${stage}" => "repo:${var.repository}:environment:${stage}" },
    { plan = "repo:${var.repository}:pull_request", build = "repo:${var.repository}:ref:refs/heads/main" }
  )
}

data "aws_iam_policy_document" "trust" {
  for_each = local.subjects

  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [local.oidc_provider_arn]
    }

    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:aud"
      values   = ["sts.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:sub"
      values   = [each.value]
    }
  }
}

resource "aws_iam_role" "github" {
  for_each = local.subjects

  name                 = "${var.application_name}-github-${each.key}"
  description          = "Taken on by ${each.value}"
  assume_role_policy   = data.aws_iam_policy_document.trust[each.key].json
  max_session_duration = 3600
}

# build: pushes images and bundles

resource "aws_iam_role_policy" "build" {
  name   = "push"
  role   = aws_iam_role.github["build"].id
  policy = data.aws_iam_policy_document.build.json
}

data "aws_iam_policy_document" "build" {
  statement {
    sid     = "Login"
    actions = ["ecr:GetAuthorizationToken"]
    #checkov:skip=CKV_AWS_356:AWS knows no narrower resource for it, and it gives no right to any image
    resources = ["*"]
  }

  statement {
    sid = "Push"
    actions = [
      "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload", "ecr:DescribeImages", "ecr:DescribeImageScanFindings",
      "ecr:GetDownloadUrlForLayer", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart"
    ]
    resources = [aws_ecr_repository.service.arn]
  }

  statement {
    sid       = "Bundle"
    actions   = ["s3:PutObject"]
    resources = ["${aws_s3_bucket.account["bundles"].arn}/*"]
  }

  statement {
    sid       = "Version"
    actions   = ["elasticbeanstalk:CreateApplicationVersion", "elasticbeanstalk:DescribeApplicationVersions"]
    resources = ["arn:${local.partition}:elasticbeanstalk:${var.region}:${local.account_id}:applicationversion/${var.application_name}/*"]
  }

  # Elastic Beanstalk reads the bundle, and keeps its list of versions, with the rights of whoever calls it.
  statement {
    sid       = "ReadBundle"
    actions   = ["s3:GetObject", "s3:GetObjectAcl", "s3:GetBucketLocation", "s3:ListBucket"]
    resources = [aws_s3_bucket.account["bundles"].arn, "${aws_s3_bucket.account["bundles"].arn}/*"]
  }

  statement {
    sid       = "Key"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [aws_kms_key.account.arn]
  }
}

# deploy: another version of the program, in one stage

resource "aws_iam_role_policy" "deploy" {
  for_each = var.stages

  name   = "deploy"
  role   = aws_iam_role.github["deploy-${each.key}"].id
  policy = data.aws_iam_policy_document.deploy[each.key].json
}

data "aws_iam_policy_document" "deploy" {
  for_each = var.stages

  #checkov:skip=CKV_AWS_111:the wildcards are in CloudFormation's hand, or look only; see the statements
  #checkov:skip=CKV_AWS_356:the wildcards are in CloudFormation's hand, or look only; see the statements
  #checkov:skip=CKV_AWS_109:ELB's SetSecurityGroups, in CloudFormation's hand
  statement {
    sid     = "WebTier"
    actions = ["elasticbeanstalk:UpdateEnvironment", "elasticbeanstalk:DescribeEnvironmentHealth", "elasticbeanstalk:DescribeInstancesHealth"]
    resources = [
      "arn:${local.partition}:elasticbeanstalk:${var.region}:${local.account_id}:environment/${var.application_name}/${var.application_name}-${each.key}",
      "arn:${local.partition}:elasticbeanstalk:${var.region}:${local.account_id}:applicationversion/${var.application_name}/*",
      "arn:${local.partition}:elasticbeanstalk:${var.region}:${local.account_id}:application/${var.application_name}",
      "arn:${local.partition}:elasticbeanstalk:${var.region}::solutionstack/*"
    ]
  }

  # Elastic Beanstalk works with the rights of whoever calls it: it looks around, and has CloudFormation make the change.
  statement {
    sid = "Look"
    actions = [
      "autoscaling:Describe*", "cloudformation:Describe*", "cloudformation:Get*", "cloudformation:List*", "cloudwatch:DescribeAlarms",
      "ec2:Describe*", "elasticbeanstalk:Describe*", "elasticbeanstalk:List*", "elasticloadbalancing:Describe*", "logs:DescribeLogGroups"
    ]
    resources = ["*"]
  }

  statement {
    sid       = "Stack"
    actions   = ["cloudformation:UpdateStack", "cloudformation:CancelUpdateStack"]
    resources = ["arn:${local.partition}:cloudformation:${var.region}:${local.account_id}:stack/awseb-e-*"]
  }

  statement {
    sid = "ByCloudFormation"
    actions = [
      "autoscaling:*", "cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms", "ec2:*LaunchTemplate*", "ec2:RunInstances", "ec2:CreateTags",
      "elasticloadbalancing:*", "logs:PutRetentionPolicy", "logs:CreateLogGroup"
    ]
    resources = ["*"]

    condition {
      test     = "ForAnyValue:StringEquals"
      variable = "aws:CalledVia"
      values   = ["cloudformation.amazonaws.com"]
    }
  }

  # A batch leaves the balancer, is replaced, and comes back.
  statement {
    sid = "Batches"
    actions = [
      "autoscaling:DetachInstances", "autoscaling:PutScheduledUpdateGroupAction", "autoscaling:ResumeProcesses", "autoscaling:SetDesiredCapacity",
      "autoscaling:SuspendProcesses", "autoscaling:TerminateInstanceInAutoScalingGroup", "autoscaling:UpdateAutoScalingGroup"
    ]
    resources = ["arn:${local.partition}:autoscaling:${var.region}:${local.account_id}:autoScalingGroup:*:autoScalingGroupName/awseb-e-*"]
  }

  statement {
    sid       = "Targets"
    actions   = ["elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:RegisterTargets"]
    resources = ["arn:${local.partition}:elasticloadbalancing:${var.region}:${local.account_id}:targetgroup/awseb-*"]
  }

  statement {
    sid     = "Bundles"
    actions = ["s3:GetObject", "s3:GetObjectAcl", "s3:PutObject", "s3:PutObjectAcl", "s3:DeleteObject", "s3:ListBucket", "s3:GetBucketLocation", "s3:GetBucketPolicy"]
    resources = [
      "arn:${local.partition}:s3:::elasticbeanstalk-${var.region}-${local.account_id}",
      "arn:${local.partition}:s3:::elasticbeanstalk-${var.region}-${local.account_id}/*"
    ]
  }

  statement {
    sid       = "ReadBundles"
    actions   = ["s3:GetObject", "s3:ListBucket", "s3:GetBucketLocation"]
    resources = [aws_s3_bucket.account["bundles"].arn, "${aws_s3_bucket.account["bundles"].arn}/*"]
  }

  statement {
    sid       = "Workers"
    actions   = ["ecs:UpdateService", "ecs:DescribeServices"]
    resources = ["arn:${local.partition}:ecs:${var.region}:${local.account_id}:service/${var.application_name}-${each.key}/worker"]
  }

  statement {
    sid     = "WorkerRevision"
    actions = ["ecs:RegisterTaskDefinition", "ecs:DescribeTaskDefinition", "ecs:TagResource"]
    # AWS knows no narrower resource for the first two; which roles a task may have is in the next statement.
    resources = ["*"]
  }

  statement {
    sid     = "PassRole"
    actions = ["iam:PassRole"]
    resources = [
      for role in ["web", "worker", "worker-start", "beanstalk"] :
      "arn:${local.partition}:iam::${local.account_id}:role/${var.application_name}-${each.key}-${role}"
    ]
  }

  # The new model's revision, so that the edge forgets what the old one said.
  statement {
    sid       = "EdgeRevision"
    actions   = ["cloudfront-keyvaluestore:DescribeKeyValueStore", "cloudfront-keyvaluestore:ListKeys", "cloudfront-keyvaluestore:GetKey", "cloudfront-keyvaluestore:UpdateKeys"]
    resources = ["arn:${local.partition}:cloudfront::${local.account_id}:key-value-store/*"]
  }

  statement {
    sid       = "Key"
    actions   = ["kms:Decrypt"]
    resources = [aws_kms_key.account.arn]
  }
}

# plan: looks at everything but data

resource "aws_iam_role_policy_attachment" "plan" {
  role       = aws_iam_role.github["plan"].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/ReadOnlyAccess"
}

resource "aws_iam_role_policy" "plan" {
  name   = "no-data"
  role   = aws_iam_role.github["plan"].id
  policy = data.aws_iam_policy_document.plan.json
}

data "aws_iam_policy_document" "plan" {
  statement {
    sid    = "NoData"
    effect = "Deny"
    actions = [
      "dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PartiQLSelect", "dynamodb:Query", "dynamodb:Scan",
      "logs:FilterLogEvents", "logs:GetLogEvents", "logs:StartQuery",
      "secretsmanager:GetSecretValue", "sqs:ReceiveMessage", "ssm:GetParameter*"
    ]
    resources = ["*"]
  }

  statement {
    sid           = "NoObjects"
    effect        = "Deny"
    actions       = ["s3:GetObject*"]
    not_resources = ["${local.state_arn}/*"]
  }

  statement {
    sid       = "DecryptState"
    actions   = ["kms:Decrypt"]
    resources = [aws_kms_key.account.arn]
  }
}

# apply: terraform itself. It makes and destroys most of what there is, so it is held by what it may not do: touch what is not
# this service's, read data, or give itself more.

resource "aws_iam_role_policy_attachment" "apply" {
  for_each = var.stages

  role       = aws_iam_role.github["apply-${each.key}"].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/PowerUserAccess"
}

resource "aws_iam_role_policy" "apply" {
  for_each = var.stages

  name   = "roles-of-the-stage"
  role   = aws_iam_role.github["apply-${each.key}"].id
  policy = data.aws_iam_policy_document.apply[each.key].json
}

data "aws_iam_policy_document" "apply" {
  for_each = var.stages

  statement {
    sid = "Roles"
    actions = [
      "iam:AddRoleToInstanceProfile", "iam:AttachRolePolicy", "iam:CreateInstanceProfile", "iam:CreateRole", "iam:DeleteInstanceProfile", "iam:DeleteRole",
      "iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:GetInstanceProfile", "iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies",
      "iam:ListInstanceProfilesForRole", "iam:ListRolePolicies", "iam:PassRole", "iam:PutRolePolicy", "iam:RemoveRoleFromInstanceProfile",
      "iam:TagInstanceProfile", "iam:TagRole", "iam:UpdateAssumeRolePolicy"
    ]
    resources = [
      "arn:${local.partition}:iam::${local.account_id}:role/${var.application_name}-${each.key}-*",
      "arn:${local.partition}:iam::${local.account_id}:instance-profile/${var.application_name}-${each.key}-*"
    ]
  }

  statement {
    sid    = "NoData"
    effect = "Deny"
    actions = [
      "dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan",
      "secretsmanager:GetSecretValue", "sqs:ReceiveMessage", "sts:AssumeRole"
    ]
    resources = ["*"]
  }

  # Objects of the state bucket but its own; those of other buckets are no business of terraform's either.
  statement {
    sid           = "NoObjects"
    effect        = "Deny"
    actions       = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:DeleteObject"]
    not_resources = ["${local.state_arn}/${each.key}/*", "${local.state_arn}/endpoints/*", "arn:${local.partition}:s3:::${var.application_name}-${each.key}-errors-*"]
  }
}
