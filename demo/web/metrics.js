// The cloud's load: small charts of what /metrics counts, while somebody looks.

import { el, setText, show } from "./dom.js";

const EVERY = 2000; // ms
const POINTS = 60;
const WIDTH = 240;
const HEIGHT = 48;
const SVG = "http://www.w3.org/2000/svg";

const SEND = "kiicloud_push_send_seconds";

/** Three digits that count, and no more. */
const number = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const say = (n) => number.format(n);

// What is drawn, where the cloud counts it: value is of a sample, the one before and the seconds between.
// With RabbitMQ, which delivers by itself, it does not count all of it.
const CHARTS = [
  { id: "connections", name: "Connections", ...level("kiicloud_mqtt_connections") },
  { id: "accepted", name: "Accepted", ...rate("kiicloud_pushes_accepted_total") },
  { id: "delivered", name: "Delivered", ...rate("kiicloud_pushes_delivered_total") },
  { id: "waiting", name: "Waiting", ...level("kiicloud_pushes_waiting") },
  { id: "latency", name: "Half of them sent within", metric: `${SEND}_count`, value: median, say: duration },
];

function level(metric) {
  return { metric, value: (now) => now.get(metric), say };
}

function rate(metric) {
  return {
    metric,
    value: (now, before, seconds) => Math.max(0, now.get(metric) - (before.get(metric) ?? 0)) / seconds,
    say: (n) => `${say(n)}/s`,
  };
}

function duration(ms) {
  if (ms === Infinity) return "over 1 h";
  return ms < 1000 ? `${say(ms)} ms` : `${say(ms / 1000)} s`;
}

/** The bound in ms within which half of the interval's pushes were sent; undefined without any. */
function median(now, before) {
  const bounds = [];
  for (const [key, value] of now) {
    const bound = key.startsWith(`${SEND}_bucket`) && /le="([^"]+)"/.exec(key);
    if (bound) bounds.push([Number(bound[1].replace("+Inf", "Infinity")), value - (before.get(key) ?? 0)]);
  }
  bounds.sort((a, b) => a[0] - b[0]);
  const all = bounds.at(-1)?.[1] ?? 0;
  if (all <= 0) return undefined;
  return bounds.find(([, count]) => count >= all / 2)[0] * 1000;
}

/** Reads Prometheus' text format: the names with their labels, and their values. */
export function parse(text) {
  const samples = new Map();
  for (const line of text.split("\n")) {
    const cut = line.lastIndexOf(" ");
    if (line.startsWith("#") || cut < 0) continue;
    samples.set(line.slice(0, cut), Number(line.slice(cut + 1)));
  }
  return samples;
}

/** The next of 1, 2, 5, 10, 20, …: what the top of a chart stands for. */
function above(most) {
  const ten = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].find((n) => n * ten >= most) * ten;
}

/** The line through what is known; it has gaps where nothing is. */
function path(points, top) {
  let line = "";
  let pen = "M";
  points.forEach((p, i) => {
    if (p === undefined) {
      pen = "M";
      return;
    }
    const x = (WIDTH * (POINTS - points.length + i)) / (POINTS - 1);
    const y = HEIGHT - 1 - ((HEIGHT - 2) * Math.min(p, top)) / top;
    line += `${pen}${x.toFixed(1)} ${y.toFixed(1)}${pen === "M" ? "h0" : ""}`; // h0: a point alone is a dot
    pen = "L";
  });
  return line;
}

function chart(list, { id, name, metric, value, say }) {
  const text = el("strong", { id: `load-${id}`, class: "load-value" }, "–");
  const scale = el("span", { id: `load-${id}-top`, class: "load-top", "aria-hidden": "true" });
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(SVG, "path");
  svg.append(line);
  const item = el(
    "li",
    { class: "load-chart", hidden: "" },
    el("span", { class: "load-name" }, name),
    text,
    el("div", { class: "load-plot" }, scale, svg),
  );
  list.append(item);
  const points = [];
  return (now, before, seconds) => {
    const v = now?.has(metric) ? value(now, before, seconds) : undefined;
    points.push(v);
    if (points.length > POINTS) points.shift();
    setText(text, v === undefined ? "–" : say(v));
    if (now) show(item, now.has(metric));
    const top = above(Math.max(1, ...points.filter(Number.isFinite)));
    setText(scale, say(top));
    line.setAttribute("d", path(points, top));
  };
}

/** Draws the load for as long as the page is open and visible. Where metrics cannot be read, nothing is shown. */
export function watchLoad($) {
  const draw = CHARTS.map((c) => chart($("load-charts"), c));
  let before = null;
  let then = 0;
  const gap = () => {
    if (before) for (const step of draw) step(null);
    before = null;
  };
  const look = async () => {
    if (document.hidden) {
      gap();
      return;
    }
    const response = await fetch("/metrics", { cache: "no-store" });
    if (response.status === 403 || response.status === 404) {
      clearInterval(timer);
      show($("load"), false);
      return;
    }
    if (!response.ok) throw new Error(response.status);
    const now = parse(await response.text());
    const at = performance.now();
    if (before) for (const step of draw) step(now, before, (at - then) / 1000);
    before = now;
    then = at;
    show($("load"), true);
  };
  let looking = false;
  const quietly = () => {
    if (looking) return; // the answer before is still to come
    looking = true;
    look().catch(gap).finally(() => (looking = false)); // the cloud may be starting again
  };
  const timer = setInterval(quietly, EVERY);
  quietly();
}
