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

  # Environments are what approvals hang on: only an approved run has such a token. A plan needs none. An environment alone is not
  # enough, since any branch's workflow may name it: the subject says the branch too, once GitHub was told to (docs/deploy.md).
  main = "ref:refs/heads/main"
  subjects = merge(
    { for stage in var.stages : "deploy-${stage}" => "repo:${var.repository}:environment:${stage}:${local.main}" },
    { for stage in var.stages : "apply-${stage}" => "repo:${var.repository}:environment:${stage}:${local.main}" },
    { plan = "repo:${var.repository}:pull_request:ref:refs/pull/*/merge", build = "repo:${var.repository}:${local.main}:${local.main}" }
  )

  regional   = "${var.region}:${local.account_id}"
  repository = "arn:${local.partition}:ecr:${local.regional}:repository/${var.application_name}"
  bundles    = "arn:${local.partition}:s3:::${local.buckets.bundles}"
  states     = "arn:${local.partition}:s3:::${local.buckets.state}"
  # Elastic Beanstalk's buckets: one of AWS with what every environment needs, one of the account.
  beanstalk_buckets = [
    "arn:${local.partition}:s3:::elasticbeanstalk-*env-resources-${var.region}",
    "arn:${local.partition}:s3:::elasticbeanstalk-${var.region}-${local.account_id}"
  ]
  names = { for stage in var.stages : stage => "${var.application_name}-${stage}" }
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
      # A pull request has a number; nothing else has a wildcard.
      test     = each.key == "plan" ? "StringLike" : "StringEquals"
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
    resources = [local.repository]
  }

  statement {
    sid       = "Bundle"
    actions   = ["s3:PutObject"]
    resources = ["${local.bundles}/*"]
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
    resources = [local.bundles, "${local.bundles}/*"]
  }

  statement {
    sid       = "Key"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [aws_kms_key.account.arn]
  }
}

# deploy: another version of the program, in one stage

resource "aws_iam_role_policy" "deploy" {
  for_each = toset(var.stages)

  name   = "deploy"
  role   = aws_iam_role.github["deploy-${each.key}"].id
  policy = data.aws_iam_policy_document.deploy[each.key].json
}

data "aws_iam_policy_document" "deploy" {
  for_each = toset(var.stages)

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
    resources = ["arn:${local.partition}:cloudformation:${local.regional}:stack/awseb-e-*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/elasticbeanstalk:environment-name"
      values   = [local.names[each.key]]
    }
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

    # What another environment has carries its name.
    condition {
      test     = "StringEqualsIfExists"
      variable = "aws:ResourceTag/elasticbeanstalk:environment-name"
      values   = [local.names[each.key]]
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

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/elasticbeanstalk:environment-name"
      values   = [local.names[each.key]]
    }
  }

  statement {
    sid       = "Targets"
    actions   = ["elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:RegisterTargets"]
    resources = ["arn:${local.partition}:elasticloadbalancing:${var.region}:${local.account_id}:targetgroup/awseb-*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/elasticbeanstalk:environment-name"
      values   = [local.names[each.key]]
    }
  }

  statement {
    sid       = "Bundles"
    actions   = ["s3:GetObject", "s3:GetObjectAcl", "s3:PutObject", "s3:PutObjectAcl", "s3:DeleteObject", "s3:ListBucket", "s3:GetBucketLocation", "s3:GetBucketPolicy"]
    resources = concat(local.beanstalk_buckets, [for arn in local.beanstalk_buckets : "${arn}/*"])
  }

  statement {
    sid       = "ReadBundles"
    actions   = ["s3:GetObject", "s3:ListBucket", "s3:GetBucketLocation"]
    resources = [local.bundles, "${local.bundles}/*"]
  }

  statement {
    sid       = "Workers"
    actions   = ["ecs:UpdateService", "ecs:DescribeServices"]
    resources = ["arn:${local.partition}:ecs:${var.region}:${local.account_id}:service/${var.application_name}-${each.key}/worker"]
  }

  statement {
    sid     = "WorkerRevision"
    actions = ["ecs:RegisterTaskDefinition", "ecs:DescribeTaskDefinition"]
    # AWS knows no narrower resource for them; which roles a task may have is in the next statement but one.
    resources = ["*"]
  }

  statement {
    sid       = "WorkerTags"
    actions   = ["ecs:TagResource"]
    resources = ["arn:${local.partition}:ecs:${local.regional}:task-definition/${local.names[each.key]}-worker:*"]
  }

  # The function, where the stage has one: another image, published, and the alias to it.
  statement {
    sid       = "Function"
    actions   = ["lambda:GetAlias", "lambda:GetFunctionConfiguration", "lambda:InvokeFunction", "lambda:UpdateAlias", "lambda:UpdateFunctionCode"]
    resources = [for suffix in ["", ":*"] : "arn:${local.partition}:lambda:${local.regional}:function:${local.names[each.key]}-function${suffix}"]
  }

  # A tag that keeps what this stage runs from being expired. Layers cannot be uploaded, so no other image can be made.
  statement {
    sid       = "KeepImage"
    actions   = ["ecr:BatchGetImage", "ecr:DescribeImages", "ecr:PutImage"]
    resources = [local.repository]
  }

  statement {
    sid     = "PassRole"
    actions = ["iam:PassRole"]
    resources = [
      for role in ["web", "worker", "worker-start", "beanstalk"] :
      "arn:${local.partition}:iam::${local.account_id}:role/${local.names[each.key]}-${role}"
    ]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ec2.amazonaws.com", "ecs-tasks.amazonaws.com", "elasticbeanstalk.amazonaws.com"]
    }
  }

  # What ran before, so that a deployment that was killed is known to the next: tools/deploy.
  statement {
    sid       = "Journal"
    actions   = ["ssm:GetParameters", "ssm:PutParameter"]
    resources = ["arn:${local.partition}:ssm:${local.regional}:parameter/${local.names[each.key]}/deploy"]
  }

  # The new model's revision, so that the edge forgets what the old one said; in this stage's own store.
  dynamic "statement" {
    for_each = contains(keys(var.edge_arns), each.key) ? [var.edge_arns[each.key].key_value_store] : []

    content {
      sid       = "EdgeRevision"
      actions   = ["cloudfront-keyvaluestore:DescribeKeyValueStore", "cloudfront-keyvaluestore:ListKeys", "cloudfront-keyvaluestore:GetKey", "cloudfront-keyvaluestore:UpdateKeys"]
      resources = [statement.value]
    }
  }

  statement {
    sid       = "Key"
    actions   = ["kms:Decrypt"]
    resources = [aws_kms_key.account.arn]
  }
}

