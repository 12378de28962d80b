// Draws the report's charts from the data that the page carries. Nothing is fetched.
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const svgSpace = "http://www.w3.org/2000/svg";

// ---- Elements

function make(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

function draw(name, attributes = {}, ...children) {
  return fill(document.createElementNS(svgSpace, name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// The bound, where it is a line of its own, is drawn like no policy.
const colour = (place) => (place < 0 ? "var(--ink)" : `var(--c${place % 8})`);
const dashes = (place) => (place < 0 ? "2 3" : place < 8 ? "none" : "6 3");

// ---- Numbers

function figure(value, decimals = 1) {
  if (value === null || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  const digits = size >= 1000 ? 0 : size >= 100 ? Math.min(decimals, 1) : decimals;
  return value.toLocaleString("en", { maximumFractionDigits: digits });
}

function span(seconds) {
  if (seconds >= 172800) return `${figure(seconds / 86400)} d`;
  if (seconds >= 3600) return `${figure(seconds / 3600)} h`;
  return seconds >= 120 ? `${figure(seconds / 60)} min` : `${figure(seconds)} s`;
}

function steps(low, high, count) {
  const raw = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((part) => part * power).find((part) => part >= raw);
  const ticks = [];
  for (let place = Math.ceil(low / step - 1e-9); place * step <= high * (1 + 1e-9) + 1e-12; place++) {
    // Adding 0 makes 0 of -0.
    ticks.push(place * step + 0);
  }
  return ticks;
}

function timeSteps(end) {
  const hour = 3600;
  const nice = [60, 300, 600, 1800, hour, 2 * hour, 3 * hour, 6 * hour, 12 * hour, 24 * hour,
    48 * hour, 168 * hour, 336 * hour, 720 * hour, 2160 * hour, 8760 * hour];
  const step = nice.find((one) => end / one <= 8) || end / 6;
  const ticks = [];
  for (let at = 0; at <= end * 1.0001; at += step) ticks.push(at);
  return ticks;
}

const least = (values) => values.reduce((a, b) => Math.min(a, b), Infinity);
const most = (values) => values.reduce((a, b) => Math.max(a, b), -Infinity);

// ---- A chart of lines: { label, unit, series: [{ name, place, xs, ys }], xTicks, xText, xScale, decimals, isStepped }

const frame = { width: 620, height: 270, left: 56, right: 14, top: 12, bottom: 30 };

function lineChart(id, chart) {
  const { width, height, left, right, top, bottom } = frame;
  const xMin = chart.xMin ?? 0;
  const xMax = most(chart.series.map((one) => most(one.xs))) || 1;
  const highest = most(chart.series.map((one) => most(one.ys)));
  const ticks = steps(0, highest > 0 ? highest * 1.04 : 1, 5);
  const yMax = most([ticks[ticks.length - 1], highest]) || 1;
  const toX = chart.xScale
    ? (x) => left + (chart.xScale(x) - chart.xScale(xMin)) / (chart.xScale(xMax) - chart.xScale(xMin) || 1) * (width - left - right)
    : (x) => left + (x - xMin) / (xMax - xMin || 1) * (width - left - right);
  const toY = (y) => height - bottom - y / yMax * (height - top - bottom);
  const svg = draw("svg", {
    viewBox: `0 0 ${width} ${height}`, role: "img", tabindex: 0, "data-chart": id,
    "aria-label": spoken(chart),
  });
  for (const tick of ticks) {
    svg.append(
      draw("line", { class: "gridline", x1: left, x2: width - right, y1: toY(tick), y2: toY(tick) }),
      draw("text", { x: left - 8, y: toY(tick) + 4, "text-anchor": "end" }, figure(tick, 2)));
  }
  for (const tick of chart.xTicks(xMax)) {
    svg.append(draw("text", { x: toX(tick), y: height - 8, "text-anchor": "middle" }, chart.xText(tick)));
  }
  for (const one of chart.series) svg.append(path(one, chart, toX, toY));
  const plot = make("div", { class: "plot" }, svg);
  addCursor(plot, svg, chart, toX, xMin, xMax);
  return plot;
}

function path(one, chart, toX, toY) {
  let text = "";
  one.xs.forEach((x, place) => {
    const [px, py] = [toX(x).toFixed(1), toY(one.ys[place]).toFixed(1)];
    text += place === 0 ? `M${px} ${py}` : chart.isStepped ? `H${px}V${py}` : `L${px} ${py}`;
  });
  return draw("path", {
    class: "series", d: text, stroke: colour(one.place), "stroke-dasharray": dashes(one.place),
    "data-policy": one.name, "data-points": one.xs.length, "data-max": most(one.ys),
    "data-last": one.ys[one.ys.length - 1],
  });
}

function spoken(chart) {
  const parts = chart.series.map((one) =>
    `${one.name}: ${figure(least(one.ys), chart.decimals)} to ${figure(most(one.ys), chart.decimals)} ${chart.unit}`);
  return `${chart.label}. ${parts.join("; ")}`;
}

function addCursor(plot, svg, chart, toX, xMin, xMax) {
  const line = draw("line", { class: "cursor", y1: frame.top, y2: frame.height - frame.bottom, visibility: "hidden" });
  const tip = make("div", { class: "tip", hidden: "" });
  svg.append(line);
  plot.append(tip);
  svg.addEventListener("pointerleave", () => {
    tip.hidden = true;
    line.setAttribute("visibility", "hidden");
  });
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const at = (event.clientX - box.left) / box.width * frame.width;
    const near = chart.series.map((one) => ({ one, place: nearest(one.xs.map(toX), at) }));
    if (near.length === 0) return;
    const x = near[0].one.xs[near[0].place];
    line.setAttribute("x1", toX(x));
    line.setAttribute("x2", toX(x));
    line.setAttribute("visibility", "visible");
    tip.replaceChildren(
      make("strong", {}, chart.xText(x)),
      ...near.map(({ one, place }) => make("div", {}, swatch(one.place), ` ${one.name}: ${figure(one.ys[place], 2)} ${chart.unit}`)));
    tip.hidden = false;
    tip.style.top = "8px";
    const isRight = at > frame.width / 2;
    tip.style.left = isRight ? "" : `${toX(x) / frame.width * box.width + 12}px`;
    tip.style.right = isRight ? `${(1 - toX(x) / frame.width) * box.width + 12}px` : "";
  });
}

function nearest(xs, at) {
  let [low, high] = [0, xs.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (xs[middle] < at) low = middle; else high = middle;
  }
  return at - xs[low] < xs[high] - at ? low : high;
}

// ---- Keys and cards

function swatch(place) {
  return draw("svg", { viewBox: "0 0 22 10", width: 22, height: 10, "aria-hidden": "true" },
    draw("line", { x1: 1, x2: 21, y1: 5, y2: 5, stroke: colour(place), "stroke-width": 3, "stroke-dasharray": dashes(place) }));
}

function key(series) {
  return make("ul", { class: "key" }, ...series.map((one) =>
    make("li", {}, swatch(one.place), one.name + (one.remark ? ` (${one.remark})` : ""))));
}

function card(title, about, body, series, control) {
  const head = make("div", { class: "bar" }, make("h3", {}, title), ...(control ? [control] : []));
  return make("div", { class: "chart" }, head, make("p", { class: "about" }, about), body,
    ...(series ? [key(series)] : []));
}

/** A card whose chart is chosen from a list: [{ name, about, chart }]. */
function choiceCard(title, choices) {
  const select = make("select", { "aria-label": `${title}: what is shown` },
    ...choices.map((one, place) => make("option", { value: place }, one.name)));
  const about = make("p", { class: "about" });
  const body = make("div");
  const show = () => {
    const chosen = choices[Number(select.value)];
    about.textContent = chosen.about;
    body.replaceChildren(lineChart(chosen.id, chosen.chart), key(chosen.chart.series));
  };
  select.addEventListener("change", show);
  show();
  return make("div", { class: "chart" }, make("div", { class: "bar" }, make("h3", {}, title), select), about, body);
}

// ---- What is drawn

function overTime(policies, column, label, unit, { scale = 1, isStepped = false, others = [] }) {
  return {
    label: `${label} over time`, unit, decimals: 1, isStepped, xTicks: timeSteps, xText: span,
    series: [...others, ...policies.map((policy, place) => ({
      name: policy.name, place, xs: policy.course.seconds,
      ys: policy.course[column].map((value) => value * scale),
    })).filter((one) => one.xs.length > 0)],
  };
}

/** The course of the lowest bound: of all policies, since those that refuse fewer VMs have more to place. */
function boundOverTime(policies) {
  const courses = policies.map((policy) => policy.course).filter((course) => course.seconds.length > 0);
  if (courses.length === 0 || most(courses[0].hostsInUseBound) <= 0) return [];
  const xs = courses[0].seconds;
  const ys = xs.map((_, place) => least(courses.map((course) => course.hostsInUseBound[place] ?? Infinity)));
  return [{ name: "bound: no policy needs fewer", place: -1, xs, ys }];
}

function loadCard(policies) {
  const choices = [
    ["cpuUsed", "CPU in use", "CPU in use, share of what hosts that are awake have", "%", 100],
    ["cpuUsedMax", "Busiest host", "CPU in use on the busiest host", "%", 100],
    ["cpuPromised", "CPU promised", "CPU promised to VMs, share of what hosts that are awake have", "%", 100],
    ["memoryPromised", "Memory promised", "Memory promised to VMs, share of what hosts that are awake have", "%", 100],
    ["imbalance", "Imbalance", "The controller's figure of imbalance", "", 1],
    ["watts", "Power", "What all hosts draw", "kW", 0.001],
    ["vms", "VMs", "VMs that run", "VMs", 1],
  ];
  return choiceCard("Load", choices.map(([id, name, about, unit, scale]) => ({
    id, name, about: `${about}${unit ? `, ${unit}` : ""}; first seed.`, chart: overTime(policies, id, name, unit, { scale }),
  })));
}

function hostsCard(policies) {
  const bound = boundOverTime(policies);
  return choiceCard("Hosts", [
    { id: "hostsInUse", name: "In use", about: "Hosts with VMs; first seed.", chart: overTime(policies, "hostsInUse", "Hosts in use", "hosts", { isStepped: true, others: bound }) },
    { id: "hostsAwake", name: "Awake", about: "Hosts that are not asleep; first seed.", chart: overTime(policies, "hostsAwake", "Hosts awake", "hosts", { isStepped: true, others: bound }) },
  ]);
}

function movesCard(policies) {
  return choiceCard("Moves and refusals", [
    { id: "migrations", name: "Migrations", about: "Live migrations since the run began; first seed.", chart: overTime(policies, "migrations", "Migrations", "migrations", { isStepped: true }) },
    { id: "refused", name: "Refused VMs", about: "VMs that were refused since the run began; first seed.", chart: overTime(policies, "refused", "Refused VMs", "VMs", { isStepped: true }) },
  ]);
}

function downtimeCard(policies) {
  const moved = policies.map((policy, place) => ({ policy, place })).filter(({ policy }) => policy.downtimeMs.count > 0);
  const title = "Downtime of VMs";
  if (moved.length === 0) return card(title, "No policy moved a VM: there was no downtime.", make("div", { "data-chart": "downtime" }));
  const series = moved.map(({ policy, place }) => {
    const { edges, counts, count, min, p50, p99, max } = policy.downtimeMs;
    let sum = 0;
    // A bin's edge may lie beyond the longest pause that there was.
    const ends = counts.map((one, bin) => [Math.min(edges[bin] ?? max, max), (sum += one) / count * 100]);
    const points = [[min, 0], ...ends.filter(([x]) => x >= min)];
    return {
      name: policy.name, place, xs: points.map(([x]) => x), ys: points.map(([, y]) => y),
      remark: `median ${figure(p50)} ms, 99th percentile ${figure(p99)} ms, longest ${figure(max)} ms`,
    };
  });
  const low = least(series.map((one) => one.xs[0]));
  const chart = {
    label: "Share of migrations that paused their VM for at most so long", unit: "%", decimals: 1, isStepped: true,
    series, xMin: low, xScale: (x) => Math.log10(Math.max(x, 1e-3)), xText: (x) => (x >= 1000 ? `${figure(x / 1000)} s` : `${figure(x)} ms`),
    xTicks: (high) => [0.01, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 1e5]
      .filter((x) => x >= low * 0.999 && x <= high * 1.001),
  };
  return card(title, "Migrations that paused their VM for at most so long, in % of all; first seed.", lineChart("downtime", chart), series);
}

// ---- Figures at a glance: bars with the bound and the spread

function bars(policies, about) {
  const rows = policies.map((policy, place) => ({ policy, place, ...policy.figures[about.key] })).filter((row) => row.mean !== null);
  const highest = most(rows.map((row) => Math.max(row.max, row.bound ?? 0)));
  if (rows.length === 0 || !(highest > 0)) return null;
  const [width, step] = [300, 40];
  const toX = (value) => value / highest * (width - 2);
  const svg = draw("svg", {
    viewBox: `0 0 ${width} ${rows.length * step}`, role: "img", tabindex: 0, "data-chart": `glance-${about.key}`,
    "aria-label": `${about.title}. ` + rows.map((row) =>
      `${row.policy.name}: ${figure(row.mean, about.decimals)}${row.bound === null ? "" : `, bound ${figure(row.bound, about.decimals)}`}`).join("; "),
  });
  rows.forEach((row, place) => {
    const top = place * step;
    svg.append(
      draw("text", { class: "strong", x: 0, y: top + 13 }, row.policy.name),
      draw("text", { class: "strong", x: width, y: top + 13, "text-anchor": "end" }, figure(row.mean, about.decimals)),
      draw("rect", { x: 0, y: top + 19, width: toX(row.mean), height: 11, rx: 2, fill: colour(row.place), "data-policy": row.policy.name, "data-value": row.mean }));
    if (row.max > row.min) svg.append(draw("line", { class: "whisker", x1: toX(row.min), x2: toX(row.max), y1: top + 24.5, y2: top + 24.5 }));
    if (row.bound !== null) svg.append(draw("line", { class: "bound", "data-bound": row.bound, x1: toX(row.bound), x2: toX(row.bound), y1: top + 16, y2: top + 33 }));
  });
  return make("div", { class: "plot" }, svg);
}

const atAGlance = ["hostsInUseMean", "energyKWh", "refused", "migrations", "cpuStrandedPercent", "overloadedPercent"];

function glance(policies, wanted = atAGlance) {
  return wanted.flatMap((name) => {
    const about = data.figures.find((one) => one.key === name);
    const body = bars(policies, about);
    return body ? [card(about.title + (about.title.toLowerCase().includes(about.unit.toLowerCase()) ? "" : `, ${about.unit}`), about.meaning, body)] : [];
  }).slice(0, 4);
}

// ---- Heat maps

function ramp(percent) {
  // Dark blue over green to yellow: lightness rises all the way, so that it reads without colours too.
  const stops = [[38, 50, 110], [33, 113, 150], [40, 160, 120], [160, 205, 60], [253, 231, 60]];
  const at = Math.min(Math.max(percent / 100, 0), 1) * (stops.length - 1);
  const below = Math.min(Math.floor(at), stops.length - 2);
  return stops[below].map((from, part) => Math.round(from + (stops[below + 1][part] - from) * (at - below)));
}

function heatCanvas(rows) {
  const canvas = make("canvas", { role: "img" });
  canvas.width = most(rows.map((row) => row.length));
  canvas.height = rows.length;
  const pen = canvas.getContext("2d");
  const asleep = getComputedStyle(document.documentElement).getPropertyValue("--asleep");
  rows.forEach((row, y) => row.forEach((percent, x) => {
    pen.fillStyle = percent < 0 ? asleep : `rgb(${ramp(percent).join(" ")})`;
    pen.fillRect(x, y, 1, 1);
  }));
  return canvas;
}

function heatCard(policy) {
  const { percent, hostsPerRow, secondsPerColumn } = policy.heat;
  if (percent.length === 0) return card(policy.name, "No heat map.", make("div"));
  const canvas = heatCanvas(percent);
  const cells = percent.flat();
  const peak = most(cells);
  const awake = cells.filter((one) => one >= 0);
  const mean = awake.reduce((a, b) => a + b, 0) / (awake.length || 1);
  // The last column may reach beyond the end.
  const length = span(Math.min(policy.seconds, canvas.width * secondsPerColumn));
  canvas.setAttribute("data-chart", "heat");
  canvas.setAttribute("data-policy", policy.name);
  canvas.setAttribute("data-max", peak);
  canvas.setAttribute("aria-label",
    `CPU in use of ${policy.hosts} hosts over ${length} with ${policy.name}: mean ${figure(mean)} %, highest ${figure(peak)} %`);
  canvas.addEventListener("pointermove", (event) => {
    const box = canvas.getBoundingClientRect();
    const x = Math.min(canvas.width - 1, Math.max(0, Math.floor((event.clientX - box.left) / box.width * canvas.width)));
    const y = Math.min(canvas.height - 1, Math.max(0, Math.floor((event.clientY - box.top) / box.height * canvas.height)));
    const value = percent[y][x];
    canvas.title = `host ${y * hostsPerRow}${hostsPerRow > 1 ? ` to ${Math.min(policy.hosts, (y + 1) * hostsPerRow) - 1}` : ""}, ${span(x * secondsPerColumn)}: ${value < 0 ? "asleep" : `${value} %`}`;
  });
  const axis = make("div", { class: "axis", "aria-hidden": "true" }, make("span", {}, "0"),
    make("span", {}, `${policy.hosts} hosts, ${hostsPerRow === 1 ? "one" : hostsPerRow} in a row`),
    make("span", {}, length));
  const element = card(policy.name, `Mean ${figure(mean)} %, highest ${figure(peak)} % of a host's cores.`, canvas);
  element.classList.add("heat");
  element.append(axis);
  return element;
}

function heatScale() {
  const scale = heatCanvas([Array.from({ length: 101 }, (_, percent) => percent)]);
  scale.setAttribute("aria-label", "Scale from 0 to 100 percent of a host's cores in use");
  return make("div", { class: "ramp" }, "0 %", scale, "100 % of a host's cores in use", make("i"), "asleep");
}

// ---- The page

function show(variant) {
  const policies = data.variants[variant].policies;
  document.getElementById("glance").replaceChildren(...glance(policies));
  document.getElementById("charts").replaceChildren(
    hostsCard(policies), loadCard(policies), movesCard(policies), downtimeCard(policies));
  document.getElementById("heat-scale").replaceChildren(heatScale());
  document.getElementById("heat").replaceChildren(...policies.map(heatCard));
}

/** The published experiment: a bar for each policy in each mode. */
function showExperiment() {
  const runs = data.runs.map((run) => ({
    name: `${run.policy}, ${run.mode}`,
    figures: Object.fromEntries(Object.entries(run.figures).map(([name, { value, bound }]) =>
      [name, { mean: value, min: value, max: value, bound }])),
  }));
  const wanted = ["energyKWh", "migrations", "slaViolationPercent", "hostsInUseMean"];
  document.getElementById("glance").replaceChildren(...glance(runs, wanted));
}

const chooser = document.getElementById("variant");
const redraw = () => (data.format === "ferry-planetlab" ? showExperiment() : show(Number(chooser?.value ?? 0)));
chooser?.addEventListener("change", redraw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
redraw();
document.documentElement.setAttribute("data-drawn", "true");
