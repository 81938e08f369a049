import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { seedVariable } from '../../contracts/nats-roles.ts';
import { SETTING_NAMES } from '../../contracts/settings.ts';
import { SERVICES, STREAMS } from '../../contracts/subjects.ts';
import { SUPPLIERS } from '../../contracts/vocabulary.ts';
import { newNatsKeys, publicKeys } from '../../deploy/local/nats-keys.ts';
import { durableOf } from '../../services/bus/streams.ts';
import { composeContainers, PROJECT } from '../fixtures/compose-file.ts';
import {
  hasKubectl,
  type Manifest,
  manifestsOf,
  modelsOf,
  workloadsOf,
} from '../fixtures/kubernetes-manifests.ts';

const OURS = ['orders', 'suppliers', 'shopify', 'notifier', 'gateway'] as const;
const OVERLAYS = ['overlays/trial', 'overlays/cluster'];
const withKubectl = test.skipIf(!hasKubectl);

const Model = z.custom<new (data: unknown) => { validate(): void }>((model) => typeof model === 'function');

withKubectl.each(OVERLAYS)('every manifest of %s keeps to the schema of its kind', async (overlay) => {
  const wrong: string[] = [];
  for (const manifest of manifestsOf(overlay)) {
    const models: unknown = await import(modelsOf(manifest.apiVersion));
    const ofKind = Model.parse(z.record(z.string(), z.unknown()).parse(models)[manifest.kind]);
    try {
      new ofKind(manifest).validate();
    } catch (error) {
      wrong.push(`${manifest.kind} ${manifest.metadata.name}: ${error}`);
    }
  }
  expect(wrong).toEqual([]);
});

/** A module that only type-checks when each manifest has no field that its kind does not know, at any depth. */
const typedModule = (manifests: readonly Manifest[]): string =>
  manifests
    .map(({ apiVersion, kind, ...rest }, index) => {
      const type = `import('${modelsOf(apiVersion)}').I${kind}`;
      return `export const manifest${index}: ${type} = ${JSON.stringify({ apiVersion, kind, ...rest })};`;
    })
    .join('\n');

/** What the compiler says to it; empty when nothing. */
function complaintsAbout(manifests: readonly Manifest[]): string {
  // Inside of the project, so that the compiler finds the packages.
  mkdirSync(join(PROJECT, '.cache'), { recursive: true });
  const folder = mkdtempSync(join(PROJECT, '.cache/kubernetes-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'manifests.ts');
  writeFileSync(file, typedModule(manifests));
  const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2024'];
  const compiler = join(PROJECT, 'node_modules/.bin/tsc');
  try {
    execFileSync(compiler, ['--ignoreConfig', ...options, '--types', '', file], {
      cwd: folder,
      stdio: 'pipe',
      encoding: 'utf8',
    });
    return '';
  } catch (error) {
    return z.object({ stdout: z.string() }).parse(error).stdout;
  }
}

withKubectl('no manifest has a field that its kind does not know', () => {
  const manifests = OVERLAYS.flatMap(manifestsOf);
  expect(complaintsAbout(manifests)).toBe('');
  const [first] = manifests;
  expect(complaintsAbout([{ ...first!, metadata: { ...first!.metadata, lables: {} } }])).toContain('lables');
});

const named = (manifests: readonly Manifest[], kind: string): string[] =>
  manifests.filter((each) => each.kind === kind).map(({ metadata }) => metadata.name);

withKubectl.each(OVERLAYS)('in %s every pod is locked down, probed and bounded', (overlay) => {
  for (const { kind, metadata, spec } of workloadsOf(manifestsOf(overlay))) {
    const { template } = spec;
    const pod = template.spec;
    expect([metadata.name, pod]).toEqual([
      metadata.name,
      expect.objectContaining({ automountServiceAccountToken: false, enableServiceLinks: false }),
    ]);
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    for (const container of [...pod.initContainers, ...pod.containers]) {
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(container.resources.limits.memory).toBeDefined();
    }
    if (kind === 'Job') continue;
    for (const { startupProbe, livenessProbe, readinessProbe } of pod.containers)
      expect([startupProbe, livenessProbe, readinessProbe]).not.toContain(undefined);
  }
});

withKubectl('every service has a budget and a scale, and the queue it scales by is its own', () => {
  const manifests = manifestsOf('base');
  expect(named(manifests, 'Deployment').sort()).toEqual([...OURS].sort());
  expect(named(manifests, 'PodDisruptionBudget').sort()).toEqual([...OURS].sort());
  expect(named(manifests, 'ScaledObject').sort()).toEqual([...OURS].sort());
  const Scaled = z.object({
    spec: z.object({ triggers: z.array(z.object({ metadata: z.record(z.string(), z.string()) })) }),
  });
  for (const service of SERVICES) {
    const scaled = manifests.find(
      ({ kind, metadata }) => kind === 'ScaledObject' && metadata.name === service,
    );
    const lanes = service === 'suppliers' ? [service, ...SUPPLIERS] : [service];
    expect(Scaled.parse(scaled).spec.triggers.map(({ metadata }) => metadata)).toMatchObject(
      lanes.map((lane) => ({ account: 'OMS', stream: STREAMS.commands, consumer: durableOf(lane) })),
    );
  }
  const figures = readFileSync(join(PROJECT, 'services/orders/partition-figures.ts'), 'utf8');
  expect(figures).toContain("name: 'partition_lag_events'");
  expect(JSON.stringify(manifests)).toContain('order_manager_partition_lag_events');
});

withKubectl('the trial’s PostgreSQL is set as that of Compose, with room for every copy that may run', () => {
  const manifests = manifestsOf('overlays/trial');
  const Scaled = z.object({ spec: z.object({ maxReplicaCount: z.number() }) });
  let most = 0;
  let oneMoreOfEach = 0;
  for (const service of OURS) {
    const main = service === 'gateway' ? 'gateway/main.ts' : `services/${service}/main.ts`;
    const [, pool] = /runService\('\w+', (\d+),/.exec(readFileSync(join(PROJECT, main), 'utf8')) ?? [];
    const scaled = manifests.find(
      ({ kind, metadata }) => kind === 'ScaledObject' && metadata.name === service,
    );
    most += Number(pool) * Scaled.parse(scaled).spec.maxReplicaCount;
    oneMoreOfEach += Number(pool);
  }
  const db = workloadsOf(manifests).find(({ metadata }) => metadata.name === 'db');
  const args = db?.spec.template.spec.containers[0]?.args ?? [];
  const compose = composeContainers({ DB_CONNECTION_STRING: 'x', NATS_NKEY_SETUP: 'x' });
  expect(args).toEqual(expect.arrayContaining(compose.db?.command ?? []));
  const [, room] = /max_connections=(\d+)/.exec(args.join()) ?? [];
  expect(Number(room)).toBeGreaterThan(most + oneMoreOfEach);
  const guide = readFileSync(join(PROJECT, 'deploy/guide/kubernetes.md'), 'utf8');
  expect(guide).toContain(`${most} connections to PostgreSQL, and ${oneMoreOfEach} more while`);
});

withKubectl(
  'each pod of ours runs a command of the image with the login of its own role, from a secret',
  () => {
    const { version } = z
      .object({ version: z.string() })
      .parse(JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')));
    for (const { metadata, spec } of workloadsOf(manifestsOf('base'))) {
      const [container] = spec.template.spec.containers;
      expect(container?.image).toBe(`order-manager:${version}`);
      expect([container?.command, existsSync(join(PROJECT, container?.command?.[1] ?? ''))]).toEqual([
        container?.command,
        true,
      ]);
      const role = [...OURS, 'setup' as const].find((each) => each === metadata.name);
      const env = container?.env ?? [];
      const seeds = env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef ?? []);
      expect(seeds).toEqual([{ name: 'order-manager-nats-seeds', key: seedVariable(role!) }]);
      // Kubernetes puts in only what stands before.
      expect(env.map(({ name }) => name)).toEqual(['NATS_SERVERS', 'NATS_SEED', 'NATS_URL']);
    }
  },
);

withKubectl.each(OVERLAYS)(
  'in %s every value that is no secret is a setting, and no secret is written down',
  (overlay) => {
    const manifests = manifestsOf(overlay);
    expect(named(manifests, 'Secret')).toEqual([]);
    const config = manifests.find(({ kind }) => kind === 'ConfigMap');
    const { data } = z.object({ data: z.record(z.string(), z.string()) }).parse(config);
    const names = Object.keys(data);
    // What a .env says for one machine must not make a pod write where it may not.
    expect(data).toMatchObject({ ORDER_MANAGER_LOG_DIR: '' });
    expect(names.filter((name) => name !== 'NATS_SERVERS' && !SETTING_NAMES.includes(name))).toEqual([]);
  },
);

withKubectl.each(OVERLAYS)('in %s NATS has every variable that its configuration names', (overlay) => {
  const nats = workloadsOf(manifestsOf(overlay)).find(({ metadata }) => metadata.name === 'nats');
  const [container] = nats?.spec.template.spec.containers ?? [];
  const config = container?.command?.at(-1)?.replace('/configuration/', '') ?? '';
  const folder = config.slice(0, config.lastIndexOf('/') + 1);
  const read = (path: string): string => readFileSync(join(PROJECT, path), 'utf8').replaceAll(/#.*/g, '');
  const included = [...read(config).matchAll(/include "([^"]+)"/g)].map(([, path]) =>
    join(folder, path ?? ''),
  );
  const wanted = [config, ...included].flatMap((path) =>
    [...read(path).matchAll(/: \$([A-Z_]+)/g)].map(([, name]) => name),
  );
  const set = [...(container?.env ?? []).map(({ name }) => name), ...Object.keys(publicKeys(newNatsKeys()))];
  expect(wanted).toContain('NATS_NKEY_ORDERS');
  expect(wanted.filter((name) => !set.includes(name ?? ''))).toEqual([]);
});

const Scrape = z.object({
  scrape_configs: z.tuple([
    z.object({
      relabel_configs: z.array(
        z.object({
          source_labels: z.tuple([z.string()]),
          regex: z.string().default('.*'),
          action: z.enum(['keep', 'drop', 'replace']).default('replace'),
          target_label: z.string().optional(),
        }),
      ),
    }),
  ]),
});

withKubectl(
  'Prometheus reads each service at its one port for figures, as the job that the alerts know',
  () => {
    const read = (file: string): string => readFileSync(join(PROJECT, 'deploy/prometheus', file), 'utf8');
    const [{ relabel_configs: rules }] = Scrape.parse(parse(read('kubernetes.yml'))).scrape_configs;
    const targets = workloadsOf(manifestsOf('overlays/trial')).flatMap(({ spec }) =>
      spec.template.spec.containers.flatMap(({ ports }) =>
        ports.map(({ name }) => ({
          __meta_kubernetes_namespace: 'order-manager',
          __meta_kubernetes_pod_name: 'a-pod',
          __meta_kubernetes_pod_phase: 'Running',
          __meta_kubernetes_pod_container_port_name: name,
          __meta_kubernetes_pod_label_app_kubernetes_io_name:
            spec.template.metadata.labels['app.kubernetes.io/name'] ?? '',
        })),
      ),
    );
    const jobs = targets.flatMap((target) => {
      const labels: Record<string, string> = { ...target };
      for (const {
        source_labels: [source],
        regex,
        action,
        target_label: label,
      } of rules) {
        const isMatch = new RegExp(`^(?:${regex})$`).test(labels[source] ?? '');
        if ((action === 'keep' && !isMatch) || (action === 'drop' && isMatch)) return [];
        if (action === 'replace' && label !== undefined) labels[label] = labels[source] ?? '';
      }
      return [labels.job];
    });
    expect(jobs.toSorted()).toEqual([...OURS].sort());
    const known = [...read('alerts.yml').matchAll(/absent\(up\{job="(\w+)"\}\)/g)].map(([, job]) => job);
    expect(known.toSorted()).toEqual([...OURS].sort());
  },
);

const hasJq = spawnSync('jq', ['--version']).status === 0;

test.skipIf(!hasKubectl || !hasJq)(
  'what runs as the set-up step is its Job with another command',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'order-manager-kubectl-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const setup = manifestsOf('base').find(({ metadata }) => metadata.name === 'setup');
    const [before] = workloadsOf([setup!]);
    const { labels } = before!.spec.template.metadata;
    expect(labels).toHaveProperty(['app.kubernetes.io/part-of']);
    // Kubernetes adds to a Job that runs what no other Job may say of itself.
    const running = JSON.stringify({ ...setup, status: { succeeded: 1 } }, (key, value) =>
      key === 'labels' ? { ...value, 'batch.kubernetes.io/controller-uid': 'its own' } : value,
    );
    writeFileSync(join(folder, 'setup.json'), running);
    const kubectl = `#!/usr/bin/env bash
if [[ "$*" == *' get job setup '* ]]; then cat ${folder}/setup.json
else cat > ${folder}/created.json; echo job.batch/republish-x; fi
`;
    writeFileSync(join(folder, 'kubectl'), kubectl, { mode: 0o755 });
    const script = join(PROJECT, 'deploy/kubernetes/as-setup.sh');
    const said = execFileSync('bash', [script, 'deploy/republish.ts', '--since', '2026-11-27T08:00:00Z'], {
      env: { PATH: `${folder}:${process.env.PATH}` },
      encoding: 'utf8',
    });
    expect(said).toContain('logs -f job.batch/republish-x');
    const created: unknown = JSON.parse(readFileSync(join(folder, 'created.json'), 'utf8'));
    const { image, env, resources } = before!.spec.template.spec.containers[0]!;
    expect(created).toHaveProperty(['spec', 'template', 'metadata', 'labels'], labels);
    expect(created).toMatchObject({
      kind: 'Job',
      metadata: { generateName: 'republish-' },
      spec: {
        template: {
          spec: {
            restartPolicy: 'Never',
            containers: [
              {
                image,
                env,
                resources,
                command: ['node', 'deploy/republish.ts', '--since', '2026-11-27T08:00:00Z'],
              },
            ],
          },
        },
      },
    });
  },
);

const Policy = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    podSelector: z.object({
      matchLabels: z.record(z.string(), z.string()).default({}),
      matchExpressions: z.array(z.object({ key: z.string(), values: z.array(z.string()) })).default([]),
    }),
    ingress: z
      .array(z.object({ ports: z.array(z.object({ port: z.union([z.string(), z.number()]) })).default([]) }))
      .default([]),
  }),
});

withKubectl.each(OVERLAYS)(
  'in %s every policy of the network means pods and ports that are there',
  (overlay) => {
    const manifests = manifestsOf(overlay);
    const pods = workloadsOf(manifests).map(({ spec }) => spec.template);
    for (const manifest of manifests.filter(({ kind }) => kind === 'NetworkPolicy')) {
      const { metadata, spec } = Policy.parse(manifest);
      const { matchLabels, matchExpressions } = spec.podSelector;
      const wanted = [
        ...Object.entries(matchLabels).map(([key, value]) => [key, [value]] as const),
        ...matchExpressions.map(({ key, values }) => [key, values] as const),
      ];
      const chosen = pods.filter((pod) =>
        wanted.every(([key, values]) => values.includes(pod.metadata.labels[key] ?? '')),
      );
      expect([metadata.name, chosen.length > 0]).toEqual([metadata.name, true]);
      for (const [key, values] of wanted)
        for (const value of values)
          expect([value, pods.some((pod) => pod.metadata.labels[key] === value)]).toEqual([value, true]);
      for (const { port } of spec.ingress.flatMap(({ ports }) => ports)) {
        // The port for routes is there in a cluster only.
        if (port === 6222) continue;
        const open = chosen.flatMap((pod) => pod.spec.containers.flatMap(({ ports }) => ports));
        expect([metadata.name, port, open.some(({ name }) => name === port)]).toEqual([
          metadata.name,
          port,
          true,
        ]);
      }
    }
  },
);
