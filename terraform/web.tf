# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# The web tier: an Elastic Beanstalk environment with an internal load balancer.

data "aws_elastic_beanstalk_solution_stack" "docker" {
  most_recent = true
  name_regex  = "^64bit Amazon Linux 2023 v[0-9]+\\..* running Docker$"
}

# Its rules are made in module edge, once CloudFront has its own group.
resource "aws_security_group" "balancer" {
  name        = "${local.name}-balancer"
  description = "The load balancer: CloudFront may come in, and it may go to the instances"
  vpc_id      = local.network.vpc_id
}

resource "aws_vpc_security_group_egress_rule" "balancer" {
  description                  = "To the instances"
  security_group_id            = aws_security_group.balancer.id
  referenced_security_group_id = aws_security_group.web.id
  ip_protocol                  = "tcp"
  from_port                    = 80
  to_port                      = 80
}

resource "aws_security_group" "web" {
  name        = "${local.name}-web"
  description = "Instances of the web tier"
  vpc_id      = local.network.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "web" {
  description                  = "From the load balancer"
  security_group_id            = aws_security_group.web.id
  referenced_security_group_id = aws_security_group.balancer.id
  ip_protocol                  = "tcp"
  from_port                    = 80
  to_port                      = 80
}

resource "aws_vpc_security_group_egress_rule" "web" {
  description       = "AWS and callbacks, over TLS"
  security_group_id = aws_security_group.web.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

locals {
  subnet_list = join(",", sort(local.network.private_subnet_ids))

  # Graviton has a g after the generation: c7g.large, t4g.medium, but not g4dn.xlarge.
  arm_type   = "^(a1|[a-z]+[0-9]+[a-z]*g[a-z]*)[.]"
  web_is_arm = can(regex(local.arm_type, var.web_instance_types[0]))

  # Elastic Beanstalk makes a pair of alarms for one measure, without a cool-down for each direction. They are set to what
  # never happens, and scaling.tf has those that count.
  trigger = {
    MeasureName               = "CPUUtilization"
    Statistic                 = "Average"
    Unit                      = "Percent"
    Period                    = "1"
    EvaluationPeriods         = tostring(var.web_scaling.out_after_minutes)
    BreachDuration            = tostring(var.web_scaling.out_after_minutes)
    UpperThreshold            = "100"
    UpperBreachScaleIncrement = "1"
    LowerThreshold            = "0"
    LowerBreachScaleIncrement = "-1"
  }

  listener_options = var.domain == null ? {
    "aws:elbv2:listener:default" = { ListenerEnabled = "true", Protocol = "HTTP" }
    } : {
    "aws:elbv2:listener:default" = { ListenerEnabled = "false" }
    "aws:elbv2:listener:443" = {
      ListenerEnabled    = "true"
      Protocol           = "HTTPS"
      SSLCertificateArns = aws_acm_certificate_validation.balancer[0].certificate_arn
      SSLPolicy          = "ELBSecurityPolicy-TLS13-1-2-2021-06"
    }
  }

  web_options = merge(local.listener_options, {
    "aws:ec2:vpc" = {
      VPCId                    = local.network.vpc_id
      Subnets                  = local.subnet_list
      ELBSubnets               = local.subnet_list
      ELBScheme                = "internal"
      AssociatePublicIpAddress = "false"
    }
    # Elastic Beanstalk takes types of x86 unless told otherwise, and an environment keeps what it was made with.
    "aws:ec2:instances" = merge({
      InstanceTypes = join(",", var.web_instance_types)
    }, local.web_is_arm ? { SupportedArchitectures = "arm64" } : {})
    "aws:autoscaling:launchconfiguration" = {
      IamInstanceProfile = aws_iam_instance_profile.web.name
      SecurityGroups     = aws_security_group.web.id
      DisableIMDSv1      = "true"
      # CPU each minute, as the alarms look at it; else it comes every five.
      MonitoringInterval = "${local.load_period_seconds / 60} minute"
      RootVolumeType     = "gp3"
      RootVolumeSize     = "20"
    }
    "aws:autoscaling:asg" = {
      MinSize  = tostring(var.web_instances.min)
      MaxSize  = tostring(var.web_instances.max)
      Cooldown = tostring(var.web_scaling.out_cooldown_seconds)
    }
    "aws:autoscaling:trigger" = local.trigger
    "aws:autoscaling:updatepolicy:rollingupdate" = {
      RollingUpdateEnabled = "true"
      RollingUpdateType    = "Health"
      MaxBatchSize         = "1"
      # CloudFormation wants it below the most there may be: where fewest and most are the same, one goes at a time.
      MinInstancesInService = tostring(min(var.web_instances.min, var.web_instances.max - 1))
    }
    "aws:elasticbeanstalk:environment" = {
      EnvironmentType  = "LoadBalanced"
      LoadBalancerType = "application"
      ServiceRole      = aws_iam_role.beanstalk.arn
    }
    "aws:elasticbeanstalk:command" = {
      DeploymentPolicy = "RollingWithAdditionalBatch"
      BatchSizeType    = "Percentage"
      BatchSize        = "25"
      Timeout          = "900"
    }
    "aws:elasticbeanstalk:environment:process:default" = {
      Protocol            = "HTTP"
      Port                = "80"
      HealthCheckPath     = "/health/ready"
      MatcherHTTPCode     = "200"
      HealthCheckInterval = "10"
      HealthCheckTimeout  = "5"
      # Longer than the service's SHUTDOWN_DEADLINE_SECONDS.
      DeregistrationDelay = "30"
    }
    "aws:elbv2:loadbalancer" = {
      SecurityGroups       = aws_security_group.balancer.id
      ManagedSecurityGroup = aws_security_group.balancer.id
      # Shorter than nginx keeps an idle connection, which the balancer else would use as it is closed.
      IdleTimeout = "55"
    }
    "aws:elasticbeanstalk:healthreporting:system" = {
      SystemType = "enhanced"
    }
    "aws:elasticbeanstalk:cloudwatch:logs" = {
      StreamLogs        = "true"
      DeleteOnTerminate = "false"
      RetentionInDays   = tostring(var.log_retention_days)
    }
    "aws:elasticbeanstalk:managedactions" = {
      ManagedActionsEnabled        = "true"
      PreferredStartTime           = "Tue:09:00"
      ServiceRoleForManagedUpdates = aws_iam_role.beanstalk.arn
    }
    "aws:elasticbeanstalk:managedactions:platformupdate" = {
      UpdateLevel = "minor"
    }
    # Jobs are the workers'.
    "aws:elasticbeanstalk:application:environment"        = merge({ JOBS_CONCURRENCY = "0" }, local.settings, local.caller_settings)
    "aws:elasticbeanstalk:application:environmentsecrets" = { for name, secret in aws_secretsmanager_secret.setting : name => secret.arn }
  })

  # Elastic Beanstalk knows a desired count only as part of a scheduled action.
  web_schedule = length(var.web_schedule) > 0 || var.web_instances.desired == null ? var.web_schedule : {
    desired = {
      recurrence = var.web_instances.desired_at
      min        = var.web_instances.min
      desired    = var.web_instances.desired
      max        = var.web_instances.max
    }
  }

  scheduled_options = merge([
    for name, at in local.web_schedule : {
      for option, value in {
        Recurrence      = at.recurrence
        MinSize         = tostring(at.min)
        MaxSize         = tostring(at.max)
        DesiredCapacity = tostring(at.desired)
        } : "${name}/${option}" => {
        action = name
        name   = option
        value  = value
      }
    }
  ]...)
}

resource "aws_elastic_beanstalk_environment" "web" {
  #checkov:skip=CKV_AWS_312:enhanced health is on, by a dynamic setting that checkov does not see
  #checkov:skip=CKV_AWS_340:managed updates are on, by a dynamic setting that checkov does not see
  name                   = local.name
  application            = var.application_name
  description            = "Web tier of sbert-service, stage ${var.stage}"
  tier                   = "WebServer"
  solution_stack_name    = data.aws_elastic_beanstalk_solution_stack.docker.name
  version_label          = var.version_label
  wait_for_ready_timeout = "30m"

  dynamic "setting" {
    for_each = merge([
      for namespace, options in local.web_options : {
        for name, value in options : "${namespace}/${name}" => { namespace = namespace, name = name, value = value }
      }
    ]...)

    content {
      namespace = setting.value.namespace
      name      = setting.value.name
      value     = setting.value.value
    }
  }

  dynamic "setting" {
    for_each = local.scheduled_options

    content {
      namespace = "aws:autoscaling:scheduledaction"
      resource  = setting.value.action
      name      = setting.value.name
      value     = setting.value.value
    }
  }

  lifecycle {
    # The deploy workflow owns the version, managed updates own the platform.
    ignore_changes = [version_label, solution_stack_name]
  }

  depends_on = [
    aws_iam_role_policy.web,
    aws_iam_role_policy_attachment.beanstalk,
    aws_vpc_security_group_ingress_rule.web,
    aws_vpc_security_group_egress_rule.web,
    aws_vpc_security_group_egress_rule.balancer
  ]
}

# What Elastic Beanstalk made, by the names that CloudWatch knows it by.

data "aws_lb" "web" {
  arn = aws_elastic_beanstalk_environment.web.load_balancers[0]
}

data "aws_autoscaling_group" "web" {
  name = aws_elastic_beanstalk_environment.web.autoscaling_groups[0]
}

locals {
  balancer_dimensions = { LoadBalancer = data.aws_lb.web.arn_suffix }
  target_dimensions = merge(local.balancer_dimensions, {
    TargetGroup = regex("targetgroup/.*$", sort(data.aws_autoscaling_group.web.target_group_arns)[0])
  })
  group_dimensions = { AutoScalingGroupName = aws_elastic_beanstalk_environment.web.autoscaling_groups[0] }
}

# The balancer's own certificate: CloudFront passes the caller's Host on, and expects it there.

resource "aws_acm_certificate" "balancer" {
  count = var.domain == null ? 0 : 1

  domain_name       = var.domain.name
  validation_method = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

# It proves the edge's certificate of the same name too: ACM asks for one record a name and account.
resource "aws_route53_record" "proof" {
  count = var.domain == null ? 0 : 1

  zone_id         = var.domain.zone_id
  name            = one(aws_acm_certificate.balancer[0].domain_validation_options).resource_record_name
  type            = one(aws_acm_certificate.balancer[0].domain_validation_options).resource_record_type
  records         = [one(aws_acm_certificate.balancer[0].domain_validation_options).resource_record_value]
  ttl             = 300
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "balancer" {
  count = var.domain == null ? 0 : 1

  certificate_arn         = aws_acm_certificate.balancer[0].arn
  validation_record_fqdns = [aws_route53_record.proof[0].fqdn]
}
