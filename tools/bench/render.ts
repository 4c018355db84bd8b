// Turns charts into SVG with ECharts, on the server. Knows ECharts; does not know what is shown.

import { type Chart, HEIGHT, WIDTH } from './chart-shapes.js';

/** The part of the package that is used here; it is not one of our dependencies, so it has no types here. */
export interface Echarts {
  init(element: null, theme: null, options: object): Instance;
}

interface Instance {
  setOption(option: object): void;
  renderToSVGString(): string;
  dispose(): void;
}

export function renderChart(echarts: Echarts, { option, about }: Chart): string {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height: HEIGHT });
  try {
    chart.setOption(option);
    return withTitle(withStableNames(chart.renderToSVGString()), about);
  } finally {
    chart.dispose();
  }
}

/** For those who cannot see the chart. */
function withTitle(svg: string, title: string): string {
  const escaped = title.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return svg.replace(/<svg[^>]*>/, (start) => `${start}\n<title>${escaped}</title>`);
}

/**
 * Names in the text count all charts that the process has drawn; numbered from 0, the same figures make the same file.
 */
function withStableNames(svg: string): string {
  return svg.replace(/\bzr\d+-/g, 'zr0-');
}
