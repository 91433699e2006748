# This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
# Released under the MIT licence, which is in the file LICENSE.

# Workers: the image's target worker, on Fargate.

resource "aws_ecs_cluster" "main" {
  name = local.name

  # RunningTaskCount, by which the workers scale, comes from here.
  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_cloudwatch_log_group" "worker" {
  name              = "/${local.name}/worker"
  retention_in_days = var.log_retention_days
  kms_key_id        = aws_kms_key.main.arn
}

resource "aws_security_group" "worker" {
  name        = "${local.name}-worker"
  description = "Workers: nothing comes in"
  vpc_id      = local.network.vpc_id
}

resource "aws_vpc_security_group_egress_rule" "worker" {
  description       = "AWS and callbacks, over TLS"
  security_group_id = aws_security_group.worker.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

locals {
  worker_port         = 8081
  worker_stop_seconds = 120

  worker_container = {
    name                   = "worker"
    image                  = var.image
    essential              = true
    readonlyRootFilesystem = true
    # As long as Fargate waits: whoever scales in or deploys ends tasks with jobs in flight, and most are done in that time. What is not
    # done at the task's own deadline, a little earlier, is given back to others.
    stopTimeout = local.worker_stop_seconds

    linuxParameters = {
      # ECS answers with the empty list too: without it every plan would replace the definition.
      capabilities       = { add = [], drop = ["ALL"] }
      initProcessEnabled = true
    }

    environment = [
      for name, value in merge(local.settings, {
        HOST                      = "127.0.0.1"
        WORKER_PORT               = tostring(local.worker_port)
        SHUTDOWN_DEADLINE_SECONDS = tostring(local.worker_stop_seconds - 10)
      }, var.settings) :
      { name = name, value = value }
    ]
    secrets = [for name, secret in aws_secretsmanager_secret.setting : { name = name, valueFrom = secret.arn }]

    # The only folder that may be written. The image says that it is a volume, and whose: Fargate follows that.
    mountPoints = [{ sourceVolume = "data", containerPath = "/data", readOnly = false }]

    healthCheck = {
      command = [
        "CMD", "node", "-e",
        "fetch('http://127.0.0.1:${local.worker_port}/health/live').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"
      ]
      interval    = 15
      timeout     = 5
      retries     = 3
      startPeriod = 60
    }

    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.worker.name
        awslogs-region        = var.region
        awslogs-stream-prefix = "worker"
      }
    }
  }
}

resource "aws_ecs_task_definition" "worker" {
  family                   = "${local.name}-worker"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.worker_size.cpu
  memory                   = var.worker_size.memory_mebibytes
  task_role_arn            = aws_iam_role.worker.arn
  execution_role_arn       = aws_iam_role.worker_start.arn
  container_definitions    = jsonencode([local.worker_container])
  # A roll back needs the revision before.
  skip_destroy = true

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.worker_cpu_architecture
  }

  volume {
    name = "data"
  }
}

resource "aws_ecs_service" "worker" {
  name                   = "worker"
  cluster                = aws_ecs_cluster.main.id
  task_definition        = aws_ecs_task_definition.worker.arn
  launch_type            = "FARGATE"
  platform_version       = "LATEST"
  desired_count          = var.worker_tasks.min
  propagate_tags         = "SERVICE"
  enable_execute_command = false

  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = local.network.private_subnet_ids
    security_groups  = [aws_security_group.worker.id]
    assign_public_ip = false
  }

  lifecycle {
    # Scaling owns the count, the deploy workflow the revision.
    ignore_changes = [desired_count, task_definition]
  }

  depends_on = [aws_iam_role_policy.worker, aws_iam_role_policy.worker_start]
}
