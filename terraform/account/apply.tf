# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# What terraform may do when GitHub's workflows run it. plan looks. apply changes one stage: by that stage's names and tags, so that it
# can neither touch another stage nor anything else of the account. Roles that it makes can do no more than the stage's boundary says.
# test/terraform/promises.ts asks these policies what they allow.

locals {
  # What neither plan nor apply needs to know: data, secrets, what callers asked.
  data_actions = [
    "dynamodb:BatchGetItem", "dynamodb:ExportTableToPointInTime", "dynamodb:GetItem", "dynamodb:GetRecords", "dynamodb:PartiQLSelect", "dynamodb:Query",
    "dynamodb:Scan", "ecs:ExecuteCommand", "logs:FilterLogEvents", "logs:GetLogEvents", "logs:GetLogObject", "logs:GetLogRecord", "logs:GetQueryResults", "logs:StartLiveTail",
    "logs:StartQuery", "logs:Unmask", "secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue", "sqs:ReceiveMessage",
    "ssm:GetParameter*", "sts:AssumeRole"
  ]
}

# plan

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
    sid       = "NoData"
    effect    = "Deny"
    actions   = local.data_actions
    resources = ["*"]
  }

  # States, the pages of errors, and what Elastic Beanstalk reads with its caller's rights when an environment is looked at.
  statement {
    sid     = "NoObjects"
    effect  = "Deny"
    actions = ["s3:GetObject*"]
    not_resources = concat(
      ["${local.states}/*"],
      [for name in values(local.names) : "arn:${local.partition}:s3:::${name}-errors-*/*"],
      [for arn in local.beanstalk_buckets : "${arn}/*"]
    )
  }

  statement {
    sid       = "DecryptState"
    actions   = ["kms:Decrypt"]
    resources = [aws_kms_key.account.arn]
  }
}

# apply: looks as plan does, and changes what is the stage's

resource "aws_iam_role_policy_attachment" "apply_looks" {
  for_each = toset(var.stages)

  role       = aws_iam_role.github["apply-${each.key}"].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/ReadOnlyAccess"
}

# A policy holds 6144 characters, so there are several.
resource "aws_iam_policy" "apply" {
  for_each = merge([
    for stage in var.stages : {
      "${stage}-guards"  = data.aws_iam_policy_document.apply_guards[stage].json
      "${stage}-names"   = data.aws_iam_policy_document.apply_names[stage].json
      "${stage}-tags"    = data.aws_iam_policy_document.apply_tags[stage].json
      "${stage}-edge"    = data.aws_iam_policy_document.apply_edge[stage].json
      "${stage}-compute" = data.aws_iam_policy_document.apply_compute[stage].json
    }
  ]...)

  #checkov:skip=CKV_AWS_287:secrets' values are denied, see guards
  #checkov:skip=CKV_AWS_288:data is denied, see guards
  #checkov:skip=CKV_AWS_289:names, tags and a boundary hold it; test/terraform/promises.ts
  #checkov:skip=CKV_AWS_290:names, tags and a boundary hold it; test/terraform/promises.ts
  #checkov:skip=CKV_AWS_355:see the statements
  name   = "${var.application_name}-github-apply-${each.key}"
  policy = each.value
}

resource "aws_iam_role_policy_attachment" "apply" {
  for_each = aws_iam_policy.apply

  role       = aws_iam_role.github["apply-${split("-", each.key)[0]}"].name
  policy_arn = each.value.arn
}

data "aws_iam_policy_document" "apply_guards" {
  for_each = toset(var.stages)

  statement {
    sid       = "NoData"
    effect    = "Deny"
    actions   = local.data_actions
    resources = ["*"]
  }

  statement {
    sid     = "NoObjects"
    effect  = "Deny"
    actions = ["s3:GetObject*", "s3:PutObject*", "s3:DeleteObject*"]
    not_resources = concat(
      ["${local.states}/${each.key}/*", "${local.bundles}/*", "arn:${local.partition}:s3:::${local.names[each.key]}-errors-*/*"],
      [for arn in local.beanstalk_buckets : "${arn}/*"]
    )
  }

  # The canary's role reads an API key: who could change its code would have the key. An administrator applies a change of it.
  statement {
    sid    = "NoCanary"
    effect = "Deny"
    actions = [
      "cloudformation:CreateChangeSet", "cloudformation:CreateStack", "cloudformation:DeleteStack", "cloudformation:ExecuteChangeSet",
      "cloudformation:UpdateStack", "iam:AttachRolePolicy", "iam:PassRole", "iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy", "lambda:CreateFunction",
      "lambda:InvokeFunction", "lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration"
    ]
    resources = [
      "arn:${local.partition}:cloudformation:${local.regional}:stack/${local.names[each.key]}-canary/*",
      "arn:${local.partition}:lambda:${local.regional}:function:${local.names[each.key]}-canary",
      "arn:${local.partition}:iam::${local.account_id}:role/${local.names[each.key]}-canary"
    ]
  }

  statement {
    sid       = "NoWayAroundTheBoundary"
    effect    = "Deny"
    actions   = ["iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeletePolicyVersion", "iam:DeleteRolePermissionsBoundary", "iam:PutRolePermissionsBoundary", "iam:SetDefaultPolicyVersion"]
    resources = ["*"]
  }
}

# By name

data "aws_iam_policy_document" "apply_names" {
  for_each = toset(var.stages)

  statement {
    sid     = "Data"
    actions = ["dynamodb:*", "events:*", "kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias", "lambda:*", "s3:*", "secretsmanager:*", "sns:*", "sqs:*"]
    resources = [
      "arn:${local.partition}:dynamodb:${local.regional}:table/${local.names[each.key]}-*",
      "arn:${local.partition}:events:${local.regional}:rule/${local.names[each.key]}-*",
      "arn:${local.partition}:kms:*:${local.account_id}:alias/${local.names[each.key]}",
      "arn:${local.partition}:kms:*:${local.account_id}:alias/${local.names[each.key]}-edge",
      "arn:${local.partition}:lambda:${local.regional}:function:${local.names[each.key]}-*",
      "arn:${local.partition}:s3:::${local.names[each.key]}-*",
      "arn:${local.partition}:secretsmanager:${local.regional}:secret:${local.names[each.key]}/*",
      "arn:${local.partition}:sns:*:${local.account_id}:${local.names[each.key]}-*",
      "arn:${local.partition}:sqs:${local.regional}:${local.names[each.key]}-*"
    ]
  }

  statement {
    sid       = "State"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    resources = ["${local.states}/${each.key}/*"]
  }

  statement {
    sid       = "AccountKey"
    actions   = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"]
    resources = [aws_kms_key.account.arn]
  }

  statement {
    sid     = "Watching"
    actions = ["budgets:*", "chatbot:*", "cloudwatch:*", "logs:*", "wafv2:*"]
    resources = [
      "arn:${local.partition}:budgets::${local.account_id}:budget/${local.names[each.key]}",
      "arn:${local.partition}:chatbot::${local.account_id}:chat-configuration/slack-channel/${local.names[each.key]}",
      "arn:${local.partition}:cloudwatch:*:${local.account_id}:alarm:${local.names[each.key]}-*",
      "arn:${local.partition}:cloudwatch::${local.account_id}:dashboard/${local.names[each.key]}",
      "arn:${local.partition}:logs:*:${local.account_id}:log-group:/${local.names[each.key]}/*",
      "arn:${local.partition}:logs:*:${local.account_id}:log-group:aws-waf-logs-${local.names[each.key]}*",
      "arn:${local.partition}:logs:*:${local.account_id}:log-group:/aws/elasticbeanstalk/${local.names[each.key]}/*",
      "arn:${local.partition}:wafv2:us-east-1:${local.account_id}:global/webacl/${local.names[each.key]}/*",
      "arn:${local.partition}:wafv2:us-east-1:${local.account_id}:global/managedruleset/*"
    ]
  }

  # AWS knows no narrower resource for these: they tie a firewall to its log, and CloudWatch to a log group.
  statement {
    sid       = "Delivery"
    actions   = ["logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:PutResourcePolicy", "logs:UpdateLogDelivery"]
    resources = ["*"]
  }

  statement {
    sid = "Roles"
    actions = [
      "iam:AddRoleToInstanceProfile", "iam:CreateInstanceProfile", "iam:DeleteInstanceProfile", "iam:DeleteRole", "iam:RemoveRoleFromInstanceProfile",
      "iam:TagInstanceProfile", "iam:TagRole", "iam:UntagRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole"
    ]
    resources = local.role_arns[each.key]
  }

  # No role without the boundary, so none that could do more than the stage's roles may.
  statement {
    sid       = "BoundedRoles"
    actions   = ["iam:CreateRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:PutRolePolicy"]
    resources = local.role_arns[each.key]

    condition {
      test     = "StringEquals"
      variable = "iam:PermissionsBoundary"
      values   = [local.boundary_arns[each.key]]
    }
  }

  statement {
    sid       = "ManagedPolicies"
    actions   = ["iam:AttachRolePolicy"]
    resources = local.role_arns[each.key]

    condition {
      test     = "StringEquals"
      variable = "iam:PermissionsBoundary"
      values   = [local.boundary_arns[each.key]]
    }

    condition {
      test     = "ArnEquals"
      variable = "iam:PolicyARN"
      values   = [for name in ["service-role/AWSElasticBeanstalkEnhancedHealth", "AWSElasticBeanstalkManagedUpdatesCustomerRolePolicy"] : "arn:${local.partition}:iam::aws:policy/${name}"]
    }
  }

  statement {
    sid       = "PassRole"
    actions   = ["iam:PassRole"]
    resources = local.role_arns[each.key]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["chatbot.amazonaws.com", "ec2.amazonaws.com", "ecs-tasks.amazonaws.com", "elasticbeanstalk.amazonaws.com", "lambda.amazonaws.com", "vpc-flow-logs.amazonaws.com"]
    }
  }

  # An account's first use of a service makes its role. What such a role may do is AWS's to say.
  statement {
    sid       = "ServiceRoles"
    actions   = ["iam:CreateServiceLinkedRole"]
    resources = ["arn:${local.partition}:iam::${local.account_id}:role/aws-service-role/*"]

    condition {
      test     = "StringEquals"
      variable = "iam:AWSServiceName"
      values = [
        "autoscaling.amazonaws.com", "ecs.amazonaws.com", "ecs.application-autoscaling.amazonaws.com", "elasticbeanstalk.amazonaws.com",
        "elasticloadbalancing.amazonaws.com", "management.chatbot.amazonaws.com", "vpcorigin.cloudfront.amazonaws.com", "wafv2.amazonaws.com"
      ]
    }
  }
}

locals {
  boundary_arns = { for stage in var.stages : stage => "arn:${local.partition}:iam::${local.account_id}:policy/${var.application_name}-boundary-${stage}" }

  role_arns = {
    for stage, name in local.names : stage => [
      "arn:${local.partition}:iam::${local.account_id}:role/${name}-*",
      "arn:${local.partition}:iam::${local.account_id}:instance-profile/${name}-*"
    ]
  }
}

# By tag: what AWS names by an id. All that a stage makes carries its name in the tag Stage.

data "aws_iam_policy_document" "apply_tags" {
  for_each = toset(var.stages)

  #checkov:skip=CKV_AWS_109:the tag Stage holds it
  #checkov:skip=CKV_AWS_111:the tag Stage holds it
  #checkov:skip=CKV_AWS_356:the tag Stage holds it
  statement {
    sid = "Make"
    actions = [
      "acm:RequestCertificate", "apigateway:POST", "application-autoscaling:RegisterScalableTarget", "ce:CreateAnomalyMonitor", "ce:CreateAnomalySubscription",
      "cloudfront:CreateDistribution*", "cloudfront:CreateVpcOrigin", "kms:CreateKey"
    ]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/Stage"
      values   = [each.key]
    }
  }

  statement {
    sid = "Change"
    actions = [
      "acm:*", "apigateway:*", "application-autoscaling:*", "ce:*Anomaly*", "ce:TagResource", "cloudfront:*Distribution*", "cloudfront:*VpcOrigin*", "cloudfront:TagResource",
      "cloudfront:UntagResource", "kms:*"
    ]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Stage"
      values   = [each.key]
    }
  }

  # The network. Parts of it begin without a tag, such as a VPC's own group; none of another stage's is without.
  statement {
    sid = "Network"
    actions = [
      "ec2:AllocateAddress", "ec2:AssociateRouteTable", "ec2:AttachInternetGateway", "ec2:AuthorizeSecurityGroup*", "ec2:CreateFlowLogs",
      "ec2:CreateInternetGateway", "ec2:CreateNatGateway", "ec2:CreateRoute", "ec2:CreateRouteTable", "ec2:CreateSecurityGroup", "ec2:CreateSubnet",
      "ec2:CreateTags", "ec2:CreateVpc", "ec2:CreateVpcEndpoint", "ec2:DeleteFlowLogs", "ec2:DeleteInternetGateway", "ec2:DeleteNatGateway",
      "ec2:DeleteRoute", "ec2:DeleteRouteTable", "ec2:DeleteSecurityGroup", "ec2:DeleteSubnet", "ec2:DeleteTags", "ec2:DeleteVpc",
      "ec2:DeleteVpcEndpoints", "ec2:DetachInternetGateway", "ec2:DisassociateAddress", "ec2:DisassociateRouteTable", "ec2:ModifySecurityGroupRules",
      "ec2:ModifySubnetAttribute", "ec2:ModifyVpcAttribute", "ec2:ModifyVpcEndpoint", "ec2:ReleaseAddress", "ec2:ReplaceRoute",
      "ec2:ReplaceRouteTableAssociation", "ec2:RevokeSecurityGroup*", "ec2:UpdateSecurityGroupRuleDescriptions*"
    ]
    resources = ["*"]

    condition {
      test     = "StringEqualsIfExists"
      variable = "aws:ResourceTag/Stage"
      values   = [each.key]
    }

    condition {
      test     = "StringEqualsIfExists"
      variable = "aws:RequestTag/Stage"
      values   = [each.key]
    }
  }
}

# CloudFront, and the name

data "aws_iam_policy_document" "apply_edge" {
  for_each = toset(var.stages)

  #checkov:skip=CKV_AWS_111:what makes something new touches nobody's
  #checkov:skip=CKV_AWS_356:AWS knows no narrower resource for what is not there yet

  statement {
    sid       = "Function"
    actions   = ["cloudfront:*Function*"]
    resources = ["arn:${local.partition}:cloudfront::${local.account_id}:function/${local.names[each.key]}-*"]
  }

  # These have ids alone, and no tags. Making one touches nobody's.
  statement {
    sid       = "Make"
    actions   = ["cloudfront:CreateCachePolicy", "cloudfront:CreateKeyValueStore", "cloudfront:CreateOriginAccessControl"]
    resources = ["*"]
  }

  dynamic "statement" {
    for_each = contains(keys(var.edge_arns), each.key) ? [values(var.edge_arns[each.key])] : []

    content {
      sid = "Change"
      actions = [
        "cloudfront:DeleteCachePolicy", "cloudfront:DeleteKeyValueStore", "cloudfront:DeleteOriginAccessControl", "cloudfront:UpdateCachePolicy",
        "cloudfront:UpdateKeyValueStore", "cloudfront:UpdateOriginAccessControl"
      ]
      resources = statement.value
    }
  }

  dynamic "statement" {
    for_each = contains(keys(var.domains), each.key) ? [var.domains[each.key]] : []

    content {
      sid       = "Name"
      actions   = ["route53:ChangeResourceRecordSets"]
      resources = ["arn:${local.partition}:route53:::hostedzone/${statement.value.zone_id}"]

      condition {
        test     = "ForAllValues:StringLike"
        variable = "route53:ChangeResourceRecordSetsNormalizedRecordNames"
        values   = [statement.value.name, "_*.${statement.value.name}"]
      }
    }
  }
}

# Web tier and workers

data "aws_iam_policy_document" "apply_compute" {
  for_each = toset(var.stages)

  #checkov:skip=CKV_AWS_109:in CloudFormation's hand
  #checkov:skip=CKV_AWS_111:in CloudFormation's hand
  #checkov:skip=CKV_AWS_356:in CloudFormation's hand
  statement {
    sid     = "WebTier"
    actions = ["elasticbeanstalk:*"]
    resources = [
      "arn:${local.partition}:elasticbeanstalk:${local.regional}:environment/${var.application_name}/${local.names[each.key]}",
      "arn:${local.partition}:elasticbeanstalk:${var.region}::solutionstack/*"
    ]
  }

  # To make an environment is to name its application and version; neither is changed by it.
  statement {
    sid     = "WebTierOf"
    actions = ["elasticbeanstalk:CreateEnvironment", "elasticbeanstalk:UpdateEnvironment", "elasticbeanstalk:ValidateConfigurationSettings"]
    resources = [
      "arn:${local.partition}:elasticbeanstalk:${local.regional}:application/${var.application_name}",
      "arn:${local.partition}:elasticbeanstalk:${local.regional}:applicationversion/${var.application_name}/*"
    ]
  }

  statement {
    sid       = "BeanstalkObjects"
    actions   = ["s3:CreateBucket", "s3:DeleteObject", "s3:PutBucketOwnershipControls", "s3:PutBucketPolicy", "s3:PutObject", "s3:PutObjectAcl"]
    resources = concat(slice(local.beanstalk_buckets, 1, 2), ["${local.beanstalk_buckets[1]}/*"])
  }

  statement {
    sid       = "Stacks"
    actions   = ["cloudformation:CancelUpdateStack", "cloudformation:CreateStack", "cloudformation:DeleteStack", "cloudformation:TagResource", "cloudformation:UpdateStack"]
    resources = ["arn:${local.partition}:cloudformation:${local.regional}:stack/awseb-e-*"]

    condition {
      test     = "StringEqualsIfExists"
      variable = "aws:ResourceTag/elasticbeanstalk:environment-name"
      values   = [local.names[each.key]]
    }
  }

  statement {
    sid = "ByCloudFormation"
    actions = [
      "autoscaling:*", "cloudwatch:DeleteAlarms", "cloudwatch:PutMetricAlarm", "ec2:*LaunchTemplate*", "ec2:*SecurityGroup*", "ec2:CreateTags",
      "ec2:RunInstances", "ec2:TerminateInstances", "elasticloadbalancing:*", "logs:CreateLogGroup", "logs:PutRetentionPolicy"
    ]
    resources = ["*"]

    condition {
      test     = "ForAnyValue:StringEquals"
      variable = "aws:CalledVia"
      values   = ["cloudformation.amazonaws.com"]
    }

    condition {
      test     = "StringEqualsIfExists"
      variable = "aws:ResourceTag/elasticbeanstalk:environment-name"
      values   = [local.names[each.key]]
    }
  }

  statement {
    sid       = "Scaling"
    actions   = ["autoscaling:*", "elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:RegisterTargets"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/elasticbeanstalk:environment-name"
      values   = [local.names[each.key]]
    }
  }

  statement {
    sid     = "Workers"
    actions = ["ecs:*"]
    resources = [
      "arn:${local.partition}:ecs:${local.regional}:cluster/${local.names[each.key]}",
      "arn:${local.partition}:ecs:${local.regional}:service/${local.names[each.key]}/*",
      "arn:${local.partition}:ecs:${local.regional}:task-definition/${local.names[each.key]}-*"
    ]
  }

  # AWS knows no narrower resource for it; which roles a task may have, PassRole says.
  statement {
    sid       = "WorkerRevision"
    actions   = ["ecs:RegisterTaskDefinition"]
    resources = ["*"]
  }
}

# The boundary: the most that any role of a stage may do. It gives nothing by itself.

resource "aws_iam_policy" "boundary" {
  for_each = toset(var.stages)

  #checkov:skip=CKV_AWS_287:a boundary gives nothing
  #checkov:skip=CKV_AWS_288:a boundary gives nothing
  #checkov:skip=CKV_AWS_289:a boundary gives nothing
  #checkov:skip=CKV_AWS_290:a boundary gives nothing
  #checkov:skip=CKV_AWS_355:a boundary gives nothing
  #checkov:skip=CKV_AWS_286:a boundary gives nothing
  name        = "${var.application_name}-boundary-${each.key}"
  description = "The most that a role of stage ${each.key} may do"
  policy      = data.aws_iam_policy_document.boundary[each.key].json
}

data "aws_iam_policy_document" "boundary" {
  for_each = toset(var.stages)

  #checkov:skip=CKV_AWS_108:a boundary gives nothing
  #checkov:skip=CKV_AWS_109:a boundary gives nothing
  #checkov:skip=CKV_AWS_111:a boundary gives nothing
  #checkov:skip=CKV_AWS_356:a boundary gives nothing
  statement {
    sid     = "Own"
    actions = ["dynamodb:*", "ecs:GetTaskProtection", "ecs:UpdateTaskProtection", "logs:*", "s3:*", "secretsmanager:GetSecretValue", "sqs:*"]
    resources = [
      "arn:${local.partition}:dynamodb:${local.regional}:table/${local.names[each.key]}-*",
      "arn:${local.partition}:ecs:${local.regional}:task/${local.names[each.key]}/*",
      "arn:${local.partition}:logs:${local.regional}:log-group:/${local.names[each.key]}/*",
      "arn:${local.partition}:logs:${local.regional}:log-group:/aws/elasticbeanstalk/${local.names[each.key]}/*",
      "arn:${local.partition}:s3:::${local.names[each.key]}-*",
      "arn:${local.partition}:secretsmanager:${local.regional}:secret:${local.names[each.key]}/*",
      "arn:${local.partition}:sqs:${local.regional}:${local.names[each.key]}-*"
    ]
  }

  statement {
    sid       = "OwnKeys"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Stage"
      values   = [each.key]
    }
  }

  statement {
    sid       = "Shared"
    actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "kms:Decrypt", "s3:GetObject"]
    resources = [local.repository, "${local.bundles}/*", aws_kms_key.account.arn]
  }

  statement {
    sid = "Look"
    actions = [
      "autoscaling:Describe*", "cloudformation:Describe*", "cloudformation:Get*", "cloudformation:List*", "cloudwatch:Describe*", "cloudwatch:Get*",
      "cloudwatch:List*", "ec2:Describe*", "ecr:GetAuthorizationToken", "elasticbeanstalk:Check*", "elasticbeanstalk:Describe*", "elasticbeanstalk:List*",
      "elasticloadbalancing:Describe*", "logs:Describe*", "sns:GetTopicAttributes", "sqs:GetQueueAttributes"
    ]
    resources = ["*"]
  }

  # Elastic Beanstalk, when it watches an environment's health and updates its platform.
  statement {
    sid     = "Beanstalk"
    actions = ["cloudformation:*", "elasticbeanstalk:*", "s3:*"]
    resources = concat(local.beanstalk_buckets, [for arn in local.beanstalk_buckets : "${arn}/*"], [
      "arn:${local.partition}:cloudformation:${local.regional}:stack/awseb-e-*",
      "arn:${local.partition}:elasticbeanstalk:${local.regional}:application/${var.application_name}",
      "arn:${local.partition}:elasticbeanstalk:${local.regional}:applicationversion/${var.application_name}/*",
      "arn:${local.partition}:elasticbeanstalk:${local.regional}:environment/${var.application_name}/${local.names[each.key]}",
      "arn:${local.partition}:elasticbeanstalk:${var.region}::*"
    ])

    condition {
      test     = "StringEqualsIfExists"
      variable = "aws:ResourceTag/elasticbeanstalk:environment-name"
      values   = [local.names[each.key]]
    }
  }

  statement {
    sid       = "Fleet"
    actions   = ["autoscaling:*", "cloudwatch:DeleteAlarms", "cloudwatch:PutMetricAlarm", "ec2:*LaunchTemplate*", "ec2:CreateTags", "ec2:RunInstances", "ec2:TerminateInstances", "elasticloadbalancing:*"]
    resources = ["*"]

    condition {
      test     = "StringEqualsIfExists"
      variable = "aws:ResourceTag/elasticbeanstalk:environment-name"
      values   = [local.names[each.key]]
    }
  }

  statement {
    sid       = "PassRole"
    actions   = ["iam:PassRole"]
    resources = [for role in ["web", "beanstalk"] : "arn:${local.partition}:iam::${local.account_id}:role/${local.names[each.key]}-${role}"]
  }
}
