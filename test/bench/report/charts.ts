import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
// Draws SVG without a browser, depends on two packages, and the Apache foundation looks after it.
import { init, type EChartsOption } from 'echarts';
import type { Summary } from '../measure';
import { captionOf, isOurs } from './captions';
import type { Results } from './results';

type Named = [name: string, summary: Summary][];

interface Chart {
  file: string;
  title: string;
  measured: Named;
  kind: 'rates' | 'times';
}

/** Readable with any colour blindness, on GitHub's white and its black. */
const THEMES = {
  '': {
    paper: '#ffffff',
    ink: '#1f2328',
    grid: '#d1d9e0',
    ours: ['#0969da', '#a8cdf8'],
    others: ['#818b98', '#d3d7dc'],
  },
  '-dark': {
    paper: '#0d1117',
    ink: '#e6edf3',
    grid: '#3d444d',
    ours: ['#4493f8', '#1f4270'],
    others: ['#848d97', '#3a4048'],
  },
} as const;
type Theme = (typeof THEMES)[keyof typeof THEMES];

const WIDTH = 800;
const BAR_HEIGHT = 34;
const FONT = { fontFamily: 'system-ui, sans-serif', fontSize: 13 };

/** Draws what the results hold, for white and for black paper; a picture whose parts were not measured is left out. */
export async function drawCharts(folder: string, results: Results): Promise<void> {
  for (const [file, svg] of Object.entries(charts(results))) await writeFile(join(folder, file), svg);
}

/** The pictures as SVG, by their file's name. */
export function charts({ machine, parts }: Results): Record<string, string> {
  const throughput = ranked(latestOf(parts, ['hot', 'spread', 'pay']));
  const asked = `64 customers at once; program, database and customers share ${machine.cores} processor cores`;
  const all: Chart[] = [
    { file: 'throughput', title: 'Tickets a second', measured: throughput, kind: 'rates' },
    { file: 'latency', title: 'How long a buyer waits', measured: throughput, kind: 'times' },
    {
      file: 'nearby',
      title: 'How long it takes to find 50 events nearby',
      measured: measurementsOf(parts, 'nearby'),
      kind: 'times',
    },
    {
      file: 'paging',
      title: 'How long a page of 50 takes, however far down the list',
      measured: byName(measurementsOf(parts, 'paging')),
      kind: 'times',
    },
  ];
  return Object.fromEntries(
    all
      .filter(({ measured }) => measured.length > 0)
      .flatMap((chart) =>
        Object.entries(THEMES).map(([suffix, theme]) => [
          `${chart.file}${suffix}.svg`,
          draw(chart, asked, theme),
        ]),
      ),
  );
}

/** At most five steps of 1, 2 or 5 and noughts. */
function roundAxis(values: number[]): { max: number; interval: number } {
  const highest = Math.max(...values);
  const power = 10 ** Math.floor(Math.log10(highest / 5));
  const interval = [1, 2, 5, 10].map((digit) => digit * power).find((step) => step * 5 >= highest) ?? highest;
  return { interval, max: Math.ceil(highest / interval) * interval };
}

function draw(chart: Chart, subtitle: string, theme: Theme): string {
  const height = 144 + BAR_HEIGHT * chart.measured.length;
  const canvas = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  try {
    canvas.setOption({ animation: false, ...bars(chart, subtitle, theme) });
    return `${withoutHover(canvas.renderToSVGString())}\n`;
  } finally {
    canvas.dispose();
  }
}

/** A picture in a page has no mouse over it; and the numbers of these classes depend on what was drawn before. */
const withoutHover = (svg: string) =>
  svg.replaceAll(/ (?:class|ecmeta_\w+)="[^"]*"/g, '').replaceAll(/<style.*?<\/style>\s*/gs, '');

function bars({ title, measured, kind }: Chart, subtitle: string, theme: Theme): EChartsOption {
  const { paper, ink, grid } = theme;
  const text = { ...FONT, color: ink };
  return {
    backgroundColor: paper,
    textStyle: text,
    title: {
      text: title,
      subtext: `${subtitle}\n${legendOf(measured)}`,
      left: 'center',
      textStyle: { ...text, fontSize: 17 },
      subtextStyle: { ...text, lineHeight: 19 },
    },
    grid: { left: 285, right: kind === 'rates' ? 70 : 240, top: 94, bottom: 45 },
    xAxis: {
      type: 'value',
      name: kind === 'rates' ? 'a second' : 'milliseconds',
      nameLocation: 'middle',
      nameGap: 28,
      nameTextStyle: text,
      ...roundAxis(measured.map(([, { perSecond, p99 }]) => (kind === 'rates' ? perSecond : p99))),
      splitLine: { lineStyle: { color: grid } },
      axisLabel: { ...text, formatter: (value: number) => value.toLocaleString('en') },
    },
    yAxis: {
      type: 'category',
      inverse: true,
      axisLine: { lineStyle: { color: grid } },
      axisTick: { show: false },
      axisLabel: text,
      data: measured.map(([name]) => captionOf(name)),
    },
    series: kind === 'rates' ? rates(measured, theme) : times(measured, theme),
  };
}

const rates = (measured: Named, theme: Theme) => [
  series(measured, ([name, { perSecond }]) => ({
    ...bar(perSecond, colorsOf(name, theme)[0]),
    label: labelOf(Number(perSecond.toPrecision(3)).toLocaleString('en'), theme),
  })),
];

/** The time of 99 answers of 100 in a pale colour, and over it that of half of them. */
const times = (measured: Named, theme: Theme) => [
  series(measured, ([name, { p50, p99 }]) => ({
    ...bar(p99, colorsOf(name, theme)[1]),
    label: labelOf(`half within ${rounded(p50)}, 99 % within ${rounded(p99)} ms`, theme),
  })),
  { ...series(measured, ([name, { p50 }]) => bar(p50, colorsOf(name, theme)[0])), barGap: '-100%' },
];

const series = <Bar>(measured: Named, barOf: (measurement: Named[number]) => Bar) => ({
  type: 'bar' as const,
  barWidth: '60%',
  data: measured.map(barOf),
});

const bar = (value: number, color: string) => ({ value, itemStyle: { color } });

const labelOf = (formatter: string, { ink, paper }: Theme) => ({
  ...FONT,
  show: true,
  position: 'right' as const,
  formatter,
  color: ink,
  backgroundColor: paper,
  padding: [2, 3],
});

const legendOf = (measured: Named) =>
  measured.every(([name]) => isOurs(name)) ? 'Tixxety in blue' : 'Tixxety in blue, for comparison in grey';

const colorsOf = (name: string, { ours, others }: Theme) => (isOurs(name) ? ours : others);

const measurementsOf = (parts: Results['parts'], part: string): Named =>
  Object.entries(parts[part]?.measurements ?? {});

/** Parts that were measured together share some measurements; of those that were not, the later one counts. */
const latestOf = (parts: Results['parts'], names: string[]): Named => {
  const byTime = names.toSorted((a, b) => (parts[a]?.at ?? '').localeCompare(parts[b]?.at ?? ''));
  return [...new Map(byTime.flatMap((name) => measurementsOf(parts, name)))];
};
const ranked = (measured: Named): Named => measured.toSorted(([, a], [, b]) => b.perSecond - a.perSecond);
/** Each list's pages beside each other; the sort keeps their order. */
const byName = (measured: Named): Named =>
  measured.toSorted(([a], [b]) => listOf(a).localeCompare(listOf(b)));
const listOf = (name: string) => name.split(' at ', 1)[0] ?? '';
/** Two digits are as much as a measurement tells. */
const rounded = (value: number) => Number(value.toPrecision(2));
