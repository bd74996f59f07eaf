// The cloud's load: small charts of what /metrics counts, while somebody looks.

import { el, setText, show } from "./dom.js";

const EVERY = 2000; // ms
const POINTS = 60;
const WIDTH = 240;
const HEIGHT = 48;
const SVG = "http://www.w3.org/2000/svg";

const SEND = "kiicloud_push_send_seconds_bucket";

// What is drawn, from a sample, the one before and the seconds between.
const CHARTS = [
  { id: "connections", name: "Connections", value: (now) => now.get("kiicloud_mqtt_connections") },
  { id: "accepted", name: "Accepted per second", value: rate("kiicloud_pushes_accepted_total") },
  { id: "delivered", name: "Delivered per second", value: rate("kiicloud_pushes_delivered_total") },
  { id: "waiting", name: "Waiting", value: (now) => now.get("kiicloud_pushes_waiting") },
  { id: "latency", name: "Sent within (median, ms)", value: median },
];

function rate(name) {
  return (now, before, seconds) => Math.max(0, now.get(name) - before.get(name)) / seconds;
}

/** The bound in ms within which half of the interval's pushes were sent; undefined without any. */
function median(now, before) {
  const bounds = [];
  for (const [key, value] of now) {
    const bound = key.startsWith(SEND) && /le="([^"]+)"/.exec(key);
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

function chart(list, { id, name, value }) {
  const text = el("strong", { id: `load-${id}`, class: "load-value" }, "–");
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(SVG, "polyline");
  svg.append(line);
  list.append(el("li", { class: "load-chart" }, el("span", { class: "load-name" }, name), text, svg));
  const points = [];
  return (now, before, seconds) => {
    const v = value(now, before, seconds);
    points.push(v);
    if (points.length > POINTS) points.shift();
    setText(text, v === undefined ? "–" : v === Infinity ? "long" : String(Math.round(v * 10) / 10));
    const most = Math.max(1, ...points.filter(Number.isFinite));
    const at = (p, i) => `${(WIDTH * (POINTS - points.length + i)) / (POINTS - 1)},${HEIGHT - 2 - ((HEIGHT - 4) * Math.min(p, most)) / most}`;
    line.setAttribute("points", points.map((p, i) => (p === undefined ? "" : at(p, i))).join(" "));
  };
}

/** Draws the load for as long as the page is open and visible. Where metrics cannot be read, nothing is shown. */
export function watchLoad($) {
  const draw = CHARTS.map((c) => chart($("load-charts"), c));
  let before = null;
  let then = 0;
  const look = async () => {
    if (document.hidden) {
      before = null;
      return;
    }
    const response = await fetch("/metrics", { cache: "no-store" });
    if (response.status === 403 || response.status === 404) {
      clearInterval(timer);
      show($("load"), false);
      return;
    }
    if (!response.ok) return;
    const now = parse(await response.text());
    const at = performance.now();
    if (before) for (const step of draw) step(now, before, (at - then) / 1000);
    before = now;
    then = at;
    show($("load"), true);
  };
  const quietly = () => look().catch(() => (before = null)); // the cloud may be starting again
  const timer = setInterval(quietly, EVERY);
  quietly();
}
