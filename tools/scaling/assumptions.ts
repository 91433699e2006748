/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/*
 * Assumptions of the model. The first part is set by terraform/, which a test compares; the second part are delays of
 * AWS, which only measurements in an account can confirm.
 */

/** How the web tier scales: `web_scaling` of terraform/variables.tf, and `web_instances` of prod. */
export const WEB_SCALING = {
  requestsPerTargetPerMinute: 6000,
  cpuPercent: 60,
  outAfterMinutes: 2,
  outCooldownSeconds: 180,
  growthPercent: 50,
  minInstances: 2,
  maxInstances: 12
} as const

/** How workers scale: `worker_scaling` of terraform/variables.tf, and `worker_tasks` of prod. */
export const WORKER_SCALING = { backlogPerTask: 20, outCooldownSeconds: 60, minTasks: 1, maxTasks: 20 } as const

/** Delays of AWS. */
export const DELAYS = {
  /** Until a minute's metrics are there. */
  metricSeconds: 60,
  /** From the launch of an instance to its first request: system, image, model, two health checks. */
  instanceStartSeconds: 180,
  /** The same of a Fargate task. */
  taskStartSeconds: 90,
  /** Minutes for which the metric must be above the target before target tracking acts. */
  trackingMinutes: 3
} as const

/** The spike of the old service's load test: its users and the requests a second that they made together. */
export const SPIKE = { users: 40, requestsPerSecond: 48 } as const

/** Sentences of a job. */
export const JOB_SENTENCES = 1000
/** Share of the capacity that a tier is run at. */
export const UTILISATION = 0.6
