import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { SETTING_NAMES } from '../src/config/settings';

const ROOT = join(__dirname, '..');
const FOLDER = join(ROOT, 'ops/kubernetes');

interface Probe {
  httpGet: { path: string; port: string };
}

interface Container {
  command?: string[];
  env: { name: string; valueFrom?: { secretKeyRef: { name: string; key: string } } }[];
  envFrom?: { secretRef: { name: string } }[];
  ports?: { name: string; containerPort: number }[];
  startupProbe?: Probe;
  readinessProbe?: Probe;
  livenessProbe?: Probe;
  securityContext: object;
}

interface Manifest {
  kind: string;
  metadata: { name: string };
  spec: {
    selector?: Record<string, unknown>;
    ports?: { targetPort: string }[];
    template?: { metadata: { labels: { app: string } }; spec: { containers: [Container] } };
  };
}

const manifests = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.yaml'))
  .flatMap((file) => loadAll(readFileSync(join(FOLDER, file), 'utf8')) as Manifest[]);

/** Deployments and jobs. */
const workloads = manifests.flatMap(({ kind, spec: { template } }) =>
  template ? [{ kind, app: template.metadata.labels.app, container: template.spec.containers[0] }] : [],
);

describe('the manifests for Kubernetes', () => {
  it('are an API, a worker and a migration', () => {
    expect(workloads.map(({ app }) => app).sort()).toEqual([
      'tixxety-api',
      'tixxety-migrate',
      'tixxety-worker',
    ]);
  });

  it('name settings that exist, and secrets by reference', () => {
    const names = workloads.flatMap(({ container }) => container.env);
    expect(names.length).toBeGreaterThan(4);
    for (const { name, valueFrom } of names) {
      expect(SETTING_NAMES).toContain(name);
      if (/URL|SECRET|TOKEN|PASSWORD/.test(name))
        expect(valueFrom?.secretKeyRef).toMatchObject({ name: 'tixxety', key: name });
    }
  });

  it('give workers what sends refunds and closes payments, as Compose does', () => {
    const worker = workloads.find(({ app }) => app === 'tixxety-worker');
    expect(worker?.container.env.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'PAYMENT_PROVIDER',
        'STRIPE_SECRET_KEY',
        'STRIPE_WEBHOOK_SECRET',
        'PUBLIC_URL',
      ]),
    );
  });

  it('probe what the processes answer, on the port they are given', () => {
    for (const { app, container } of workloads.filter(({ kind }) => kind === 'Deployment')) {
      const { startupProbe, readinessProbe = startupProbe, livenessProbe, ports } = container;
      expect([app, startupProbe?.httpGet, readinessProbe?.httpGet, livenessProbe?.httpGet]).toEqual([
        app,
        { path: '/health/ready', port: 'http' },
        { path: '/health/ready', port: 'http' },
        { path: '/health/live', port: 'http' },
      ]);
      const given = container.env.find(({ name }) => name === 'WORKER_PORT') as
        { value?: string } | undefined;
      expect(ports).toEqual([{ name: 'http', containerPort: Number(given?.value ?? 8000) }]);
    }
  });

  it('select pods that there are', () => {
    const apps = workloads.map(({ app }) => app);
    const selectors = manifests.flatMap(({ spec: { selector } }) => selector ?? []);
    expect(selectors.length).toBe(5);
    for (const { app, matchLabels = { app } } of selectors as {
      app?: string;
      matchLabels?: { app?: string };
    }[])
      expect(apps).toContain(matchLabels.app);
  });

  it('give the containers no rights', () => {
    for (const { container } of workloads)
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
  });
});

describe('the devcontainer', () => {
  it('installs what the tests start and read with, as .ci/run does', () => {
    const textOf = (file: string) => readFileSync(join(ROOT, file), 'utf8');
    const wanted = [...textOf('.ci/run').matchAll(/\|\| echo ([\w-]+)/g)].map(([, name]) => name);
    expect(wanted.length).toBeGreaterThan(5);
    const [, installed = ''] = /apt-get install (.*)"/.exec(textOf('.devcontainer/devcontainer.json')) ?? [];
    for (const name of wanted) if (name !== 'curl') expect(installed.split(' ')).toContain(name); // it has curl
  });
});
