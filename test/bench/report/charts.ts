import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
// Draws SVG without a browser, depends on two packages, and the Apache foundation looks after it.
import { init, type EChartsOption } from 'echarts';
import type { Summary } from '../measure';
import type { Results } from './results';

type Named = [name: string, summary: Summary][];

const WIDTH = 760;
/** Readable with red-green blindness, and on white and black paper. */
const COLORS = ['#0072b2', '#e69f00', '#009e73', '#cc79a7'];

/** Draws what the results hold; a picture whose parts have not been measured is left out. */
export async function drawCharts(folder: string, { parts }: Results): Promise<void> {
  const throughput = ranked(['hot', 'spread', 'pay'].flatMap((part) => measurementsOf(parts, part)));
  const nearby = measurementsOf(parts, 'nearby');
  const paging = measurementsOf(parts, 'paging');
  const charts: [file: string, of: Named, option: () => EChartsOption][] = [
    ['throughput.svg', throughput, () => rates(throughput)],
    ['latency.svg', throughput, () => times('Answer time, 64 connections (direct: 32)', throughput)],
    ['nearby.svg', nearby, () => times('Events near a user, 64 connections', nearby)],
    ['paging.svg', paging, () => depths(paging)],
  ];
  for (const [file, of, option] of charts) {
    if (of.length > 0) await writeFile(join(folder, file), draw(option(), 110 + 44 * of.length));
  }
}

function draw(option: EChartsOption, height: number): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  try {
    chart.setOption({ animation: false, backgroundColor: '#fff', color: COLORS, ...option });
    return `${chart.renderToSVGString()}\n`;
  } finally {
    chart.dispose();
  }
}

const rates = (measured: Named): EChartsOption => ({
  ...bars('Requests per second', measured),
  series: [series('requests/s', measured, ({ perSecond }) => Math.round(perSecond))],
});

const times = (title: string, measured: Named): EChartsOption => ({
  ...bars(title, measured),
  legend: { bottom: 0, data: ['p50 ms', 'p99 ms'] },
  series: [
    series('p50 ms', measured, ({ p50 }) => rounded(p50)),
    series('p99 ms', measured, ({ p99 }) => rounded(p99)),
  ],
});

function bars(title: string, measured: Named): EChartsOption {
  return {
    title: { text: title, left: 'center' },
    grid: { left: 240, right: 60, top: 45, bottom: 45 },
    xAxis: { type: 'value' },
    yAxis: { type: 'category', inverse: true, data: measured.map(([name]) => name) },
  };
}

const series = (name: string, measured: Named, of: (summary: Summary) => number) => ({
  name,
  type: 'bar' as const,
  data: measured.map(([, summary]) => of(summary)),
  label: { show: true, position: 'right' as const },
});

/** A line per list: the median time of a page over how far down it is. */
function depths(measured: Named): EChartsOption {
  const points = measured.map(([name, { p50 }]) => {
    const [list = '', depth = ''] = name.split(' at ');
    return { list, depth, p50: rounded(p50) };
  });
  return {
    title: { text: 'Median time of a page of 50 by its depth, 64 connections', left: 'center' },
    legend: { bottom: 0 },
    grid: { left: 70, right: 60, top: 60, bottom: 75 },
    xAxis: {
      type: 'category',
      name: 'rows before the page',
      nameLocation: 'middle',
      nameGap: 30,
      data: unique(points.map(({ depth }) => depth)),
    },
    yAxis: { type: 'value', name: 'ms', min: 0 },
    series: unique(points.map(({ list }) => list)).map((list) => ({
      name: list,
      type: 'line',
      data: points.filter((point) => point.list === list).map(({ depth, p50 }) => [depth, p50]),
      label: { show: true },
    })),
  };
}

const measurementsOf = (parts: Results['parts'], part: string): Named =>
  Object.entries(parts[part]?.measurements ?? {});

/** Fastest first; parts that were measured together share some measurements. */
const ranked = (measured: Named): Named =>
  [...new Map(measured)].sort(([, a], [, b]) => b.perSecond - a.perSecond);
const unique = <Value>(values: Value[]): Value[] => [...new Set(values)];
const rounded = (value: number) => Number(value.toPrecision(3));
