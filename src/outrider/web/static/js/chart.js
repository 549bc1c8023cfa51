// A stacked chart of units per job over time (uPlot): history from the server, then one point per live message.
const LONGEST = 4000;
const MEASURES = ["quota", "granted", "in_use"];

export class StackedChart {
  constructor(element, options = {}) {
    this.element = element;
    this.measure = "quota";
    this.seconds = 15 * 60;
    this.times = [];
    this.series = new Map();
    this.key = options.key ?? "job";
    this.plot = null;
    this.drawn = "";
    new ResizeObserver(() => this.resize()).observe(element);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw(true));
  }

  load({ times, series }) {
    const live = this.times.map((time, index) => [time, index]).filter(([time]) => time > (times.at(-1) ?? 0));
    const before = this.series;
    this.series = new Map();
    for (const each of series) {
      this.series.set(String(each[this.key]), { name: each.name, job: each.job, quota: [...each.quota], granted: [...each.granted], in_use: [...each.in_use] });
    }
    this.times = [...times];
    for (const [time, index] of live) {
      const units = {};
      for (const [id, one] of before) units[id] = [one.name, one.quota[index], one.granted[index], one.in_use[index]];
      this.push(time, units);
    }
    this.draw(true);
  }

  // units: id -> [name, quota, granted, in use]
  push(time, units) {
    const last = this.times.at(-1) ?? 0;
    if (time < last) return;
    // Two looks in one moment: the later one counts.
    if (time === last) {
      this.times.pop();
      for (const one of this.series.values()) for (const measure of MEASURES) one[measure].pop();
    }
    this.times.push(time);
    for (const [id, [name]] of Object.entries(units)) {
      if (!this.series.has(id)) {
        const none = () => new Array(this.times.length - 1).fill(null);
        this.series.set(id, { name, job: Number(id), quota: none(), granted: none(), in_use: none() });
      }
    }
    for (const [id, one] of this.series) {
      const [, quota, granted, inUse] = units[id] ?? [null, null, null, null];
      one.quota.push(quota);
      one.granted.push(granted);
      one.in_use.push(inUse);
    }
    if (this.times.length > LONGEST) {
      this.times.shift();
      for (const one of this.series.values()) for (const measure of MEASURES) one[measure].shift();
    }
  }

  draw(anew = false) {
    if (typeof uPlot === "undefined" || !this.element.clientWidth) return;
    const ids = [...this.series.keys()].filter((id) => this.series.get(id)[this.measure].some((value) => value));
    if (!ids.length && !this.plot) {
      this.element.replaceChildren(Object.assign(document.createElement("p"), { className: "chart__empty", textContent: "Nothing to draw yet." }));
      return;
    }
    if (!this.plot) this.element.replaceChildren();
    const signature = ids.join() + this.measure;
    const data = this.stacked(ids);
    if (!anew && this.plot && signature === this.drawn) {
      this.plot.setData(data, false);
      this.plot.setScale("x", this.range());
      // Without a pointer on the chart, the legend shows the newest numbers.
      if (this.plot.cursor.idx == null) this.plot.setLegend({ idx: this.times.length - 1 }, false);
      return;
    }
    this.drawn = signature;
    this.plot?.destroy();
    this.plot = new uPlot(this.options(ids), data, this.element);
  }

  resize() {
    if (!this.plot) this.draw();
    else if (this.element.clientWidth) this.plot.setSize({ width: this.element.clientWidth, height: this.height() });
  }

  height() {
    return this.element.clientWidth < 520 ? 200 : 240;
  }

  range() {
    const end = this.times.at(-1) ?? 1;
    // Not emptier than needed: a young system shows its own life.
    const begin = Math.max(end - this.seconds, Math.min(this.times[0] ?? 0, end - 30));
    return { min: begin, max: end };
  }

  // The first series is the sum of all, the last the first job alone: each covers what is below it.
  stacked(ids) {
    const sums = [];
    let below = new Array(this.times.length).fill(0);
    for (const id of ids) {
      below = this.series.get(id)[this.measure].map((value, index) => (value ?? 0) + below[index]);
      sums.unshift(below);
    }
    return [this.times, ...sums];
  }

  options(ids) {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const upward = [...ids].reverse();
    const grid = { stroke: colour("--border"), width: 1 };
    const axis = { stroke: colour("--text-muted"), grid, ticks: { ...grid, size: 4 }, font: `12px ${colour("--font")}` };
    return {
      width: this.element.clientWidth,
      height: this.height(),
      padding: [12, 16, 0, 0],
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
      legend: { live: true },
      scales: { x: { time: true, range: () => { const { min, max } = this.range(); return [min, max]; } }, y: { range: (_, __, top) => [0, Math.max(4, Math.ceil((top || 0) * 1.08))] } },
      axes: [{ ...axis, space: 64, values: (_, splits, __, ___, step) => splits.map((seconds) => clock(seconds, step)) }, { ...axis, size: 44, space: 34, incrs: [1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2500, 5000] }],
      series: [
        { label: "Time (UTC)", value: (_, seconds) => (seconds ? new Date(seconds * 1000).toISOString().slice(11, 19) : "–") },
        ...upward.map((id) => {
          const one = this.series.get(id);
          const stroke = colour(`--series-${((this.key === "job" ? one.job - 1 : one.job - 1 + ids.indexOf(id)) % 8) + 1}`);
          return {
            label: one.name,
            stroke,
            fill: fade(stroke),
            width: 1.5,
            points: { show: false },
            paths: uPlot.paths.stepped({ align: 1 }),
            value: (_, __, ___, index) => (index === null ? one[this.measure].at(-1) : one[this.measure][index]) ?? "–",
          };
        }),
      ],
      bands: upward.slice(0, -1).map((_, index) => ({ series: [index + 1, index + 2] })),
    };
  }
}

// The time of day in UTC, with the date at midnight.
function clock(seconds, step) {
  const text = new Date(seconds * 1000).toISOString();
  if (seconds % 86400 === 0) return text.slice(5, 10);
  return text.slice(11, step < 60 ? 19 : 16);
}

function fade(hex) {
  return `${hex}59`;
}
