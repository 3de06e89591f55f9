// Charts of a module's runs: seconds and rows over time. The pointer shows a run, a click opens it.
import uPlot from "../build/uplot.js";

const HEIGHT = 136;
const DAY_S = 86_400;
// Times come as the installation's wall clock showed them: nothing here may move them into the browser's zone.
const ZONE = "UTC";
const PX_A_CHARACTER = 7;

function loadStyles() {
  if (document.querySelector("link[data-uplot]")) return;
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = new URL("../build/uplot.css", import.meta.url).href;
  link.dataset.uplot = "1";
  document.head.append(link);
}

/** The columns of the data, in the order of time. */
function sortByTime(data) {
  const order = data.at.map((_, place) => place).sort((a, b) => data.at[a] - data.at[b]);
  return Object.fromEntries(Object.entries(data).map(([name, column]) => [name, order.map((place) => column[place])]));
}

function formatTicks(ticks) {
  const isLong = ticks.length > 1 && ticks[ticks.length - 1] - ticks[0] > DAY_S;
  const options = isLong ? { day: "numeric", month: "short" } : { hour: "2-digit", minute: "2-digit", hour12: false };
  const format = new Intl.DateTimeFormat(undefined, { ...options, timeZone: ZONE });
  return ticks.map((tick) => format.format(new Date(tick * 1000)));
}

const formatCount = (number) => (number === null ? "-" : number.toLocaleString("en").replaceAll(",", "\u202f"));

/** What the lines are, each in its colour, and what is cut. */
function explain(caption, data, usual) {
  caption.replaceChildren();
  const part = (mark, name, words) => {
    const span = document.createElement("span");
    span.className = `mark-${name}`;
    span.textContent = mark;
    caption.append(span, ` ${words}   `);
  };
  part("—", "seconds", data.words[0]);
  if (data.rows.some((rows) => rows)) part("- -", "rows", data.words[1]);
  if (data.status.includes("error")) part("●", "failed", "failed");
  if (usual) part("▒", "rows", "usual rows");
  if (data.tops.some((top) => top !== null)) caption.append("higher ones are cut");
}

function describe(data, place) {
  const when = new Date(data.at[place] * 1000).toISOString().slice(0, 19).replace("T", " ");
  return `${when}: ${data.status[place]}, ${data.seconds[place] ?? "-"} ${data.unit}, ${formatCount(data.rows[place])} rows`;
}

/** How wide an axis must be for its longest label. */
function measure(u, labels) {
  return 18 + PX_A_CHARACTER * Math.max(3, ...(labels ?? []).map((label) => String(label).length));
}

/** A band behind the lines: how many rows a run usually reads. */
function drawBand(u, usual, colour) {
  const { left, top, width, height } = u.bbox;
  const [low, high] = usual.map((rows) => u.valToPos(rows, "rows", true));
  const from = Math.max(high, top);
  u.ctx.save();
  u.ctx.globalAlpha = 0.16;
  u.ctx.fillStyle = colour;
  u.ctx.fillRect(left, from, width, Math.min(low, top + height) - from);
  u.ctx.restore();
}

function buildOptions(width, caption, data, usual) {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const axis = {
    stroke: colour("--muted"), font: "12px system-ui", ticks: { show: false }, grid: { stroke: colour("--line"), width: 1 },
  };
  return {
    width,
    height: HEIGHT,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), ZONE),
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, y: false },
    scales: { x: { time: true }, y: { range: (u, low, high) => [0, data.tops[0] ?? (high || 1)] }, rows: { range: (u, low, high) => [0, Math.max(data.tops[1] ?? (high || 1), usual ? usual[1] : 0)] } },
    axes: [
      { ...axis, size: 24, values: (u, ticks) => formatTicks(ticks) },
      { ...axis, size: measure, values: (u, ticks) => ticks.map((tick) => `${tick} ${data.unit}`) },
      { ...axis, show: data.rows.some((rows) => rows), side: 1, size: measure, scale: "rows", grid: { show: false }, values: (u, ticks) => ticks.map(formatCount) },
    ],
    series: [
      {},
      { stroke: colour("--accent"), width: 1.5, points: { show: data.at.length < 20, size: 5 } },
      { stroke: colour("--bad"), paths: () => null, points: { show: true, size: 8, fill: colour("--bad") } },
      { scale: "rows", stroke: colour("--good"), width: 1, dash: [4, 3], points: { show: false } },
    ],
    hooks: {
      drawClear: usual ? [(u) => drawBand(u, usual, colour("--good"))] : [],
      setCursor: [(u) => (u.cursor.idx === null || u.cursor.idx === undefined ? explain(caption, data, usual) : (caption.textContent = describe(data, u.cursor.idx)))],
    },
  };
}

function draw(box) {
  const { tops, words, unit, ...columns } = JSON.parse(box.dataset.chart);
  const data = { ...sortByTime(columns), tops, words, unit };
  if (data.at.length < 2) return;
  const usual = box.dataset.usual ? JSON.parse(box.dataset.usual) : null;
  const failed = data.seconds.map((seconds, place) => (data.status[place] === "error" ? seconds : null));
  const caption = document.createElement("p");
  caption.className = "help";
  explain(caption, data, usual);
  box.replaceChildren(caption);
  const options = buildOptions(box.clientWidth, caption, data, usual);
  const plot = new uPlot(options, [data.at, data.seconds, failed, data.rows], box);
  box.append(caption);
  plot.over.addEventListener("click", () => {
    const href = data.href[plot.cursor.idx];
    if (href) location.assign(href);
  });
  new ResizeObserver(() => plot.setSize({ width: box.clientWidth, height: HEIGHT })).observe(box);
}

export function enhanceCharts(root) {
  loadStyles();
  for (const box of root.querySelectorAll("[data-chart]")) {
    if (box.dataset.ready) continue;
    box.dataset.ready = "1";
    draw(box);
  }
}
