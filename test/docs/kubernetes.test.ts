/**
 * @file The manifest of the guide to Kubernetes, against the fields that a Job of batch/v1 documents: a field that is
 * spelt wrong would be refused by a cluster, and there is none here to ask.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { commands } from "../../src/cli/commands/index.ts";
import { root } from "../house/rooms.ts";

/** RFC 1123, as names of objects have to be. */
const name = z.string().regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
const count = z.number().int().positive();
const quantity = z.string().regex(/^\d+(\.\d+)?(m|[KMGT]i?)?$/);
const resources = z.strictObject({ cpu: quantity, memory: quantity });

const container = z.strictObject({
  name,
  image: z.string().regex(/^[\w.-]+\/[\w.-]+:[\w.-]+$/),
  command: z.array(z.string()).min(1),
  env: z.array(
    z.union([
      z.strictObject({ name: z.string().regex(/^[A-Z_]+$/), value: z.string() }),
      z.strictObject({
        name: z.string().regex(/^[A-Z_]+$/),
        valueFrom: z.strictObject({ secretKeyRef: z.strictObject({ name, key: z.string() }) }),
      }),
    ]),
  ),
  resources: z.strictObject({ requests: resources, limits: resources }),
  volumeMounts: z.array(z.strictObject({ name, mountPath: z.string().startsWith("/") })),
});

const job = z.strictObject({
  apiVersion: z.literal("batch/v1"),
  kind: z.literal("Job"),
  metadata: z.strictObject({ name }),
  spec: z.strictObject({
    completionMode: z.literal("Indexed"),
    completions: count,
    parallelism: count,
    backoffLimitPerIndex: count,
    podFailurePolicy: z.strictObject({
      rules: z.array(
        z.strictObject({
          action: z.enum(["Ignore", "Count", "FailJob", "FailIndex"]),
          onPodConditions: z.array(
            z.strictObject({ type: z.enum(["DisruptionTarget", "Ready", "ContainersReady"]) }),
          ),
        }),
      ),
    }),
    template: z.strictObject({
      metadata: z.strictObject({ labels: z.record(z.string(), z.string()) }),
      spec: z.strictObject({
        // A pod failure policy is taken with no other.
        restartPolicy: z.literal("Never"),
        terminationGracePeriodSeconds: count,
        nodeSelector: z.record(z.string(), z.string()),
        containers: z.array(container).length(1),
        volumes: z.array(z.strictObject({ name, emptyDir: z.strictObject({}) })),
      }),
    }),
  }),
});

const page = readFileSync(join(root, "docs/guide/kubernetes.md"), "utf8");
const manifest = /```yaml\n(.*?)```/s.exec(page)?.[1] ?? "";

test("the Job has the fields of batch/v1, and runs a command that there is", () => {
  const { spec } = job.parse(parse(manifest));
  const { containers, volumes } = spec.template.spec;
  const [worker] = containers;
  expect(worker?.command.slice(0, 2)).toEqual(["lrscope", "worker"]);
  expect(commands.map(({ name }) => name)).toContain(worker?.command[1]);
  const variables = worker?.env.map(({ name }) => name) ?? [];
  for (const [, variable = ""] of worker?.command.join(" ").matchAll(/\$\((\w+)\)/g) ?? [])
    expect(variables).toContain(variable);
  expect(worker?.volumeMounts.map(({ name }) => name)).toEqual(volumes.map(({ name }) => name));
  expect(worker?.resources.requests).toEqual(worker?.resources.limits);
});

test("the schema refuses a field that is spelt wrong, or not there", () => {
  for (const wrong of [
    manifest.replace("backoffLimitPerIndex", "backOffLimitPerIndex"),
    manifest.replace("  completionMode: Indexed\n", ""),
    manifest.replace("restartPolicy: Never", "restartPolicy: Always"),
    manifest.replace("memory: 4Gi", "memory: 4 GiB"),
  ]) {
    expect(wrong).not.toBe(manifest);
    expect(job.safeParse(parse(wrong)).success).toBe(false);
  }
});
