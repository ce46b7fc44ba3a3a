"use strict";
// The pictures are complete without this. It adds a shared cursor, zoom, hiding of lines, sorting and copying.
(() => {
  const root = document.documentElement;
  let failures = 0;
  root.dataset.errors = "0";
  window.addEventListener("error", () => { root.dataset.errors = String(++failures); });
  root.classList.add("js");

  const WIDTH = 20000;
  const data = JSON.parse(document.getElementById("data").textContent);
  const whole = { from: data.from, to: data.to };
  let view = { ...whole };

  // Numbers for people, the same way the rest of the page writes them.
  const number = (value) => {
    const size = Math.abs(value);
    const digits = Number.isInteger(value) || size >= 1000 ? 0 : size >= 10 ? 1 : 3;
    return value.toLocaleString("en-US", { maximumFractionDigits: digits });
  };
  const seconds = (value) => {
    if (value === 0) return "0s";
    if (value < 0.001) return `${Math.round(value * 1e6)}µs`;
    if (value < 0.01) return `${(value * 1e3).toFixed(1)}ms`;
    if (value < 1) return `${Math.round(value * 1e3)}ms`;
    if (value < 60) return `${number(Number(value.toFixed(value < 10 ? 2 : 1)))}s`;
    const total = Math.round(value);
    const two = (part) => String(part).padStart(2, "0");
    return total < 3600 ? `${Math.floor(total / 60)}m${two(total % 60)}s` : `${Math.floor(total / 3600)}h${two(Math.floor((total % 3600) / 60))}m`;
  };
  const bytes = (value) => {
    const names = ["B", "KB", "MB", "GB", "TB"];
    let index = 0;
    while (Math.abs(value) >= 1024 && index + 1 < names.length) { value /= 1024; index += 1; }
    return `${number(Math.round(value * 10) / 10)} ${names[index]}`;
  };
  const writers = { number, seconds, bytes, percent: (value) => `${number(Math.round(value * 10) / 10)}%` };
  const iso = (at) => new Date(at * 1000).toISOString();
  const clock = (at) => iso(at).slice(11, 19);
  const day = (at) => new Date(at * 1000).toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
  const moment = (at) => (whole.to - whole.from > 72000 ? `${day(at)} ` : "") + `${clock(at)} UTC`;

  const make = (tag, name, text) => {
    const node = document.createElement(tag);
    if (name) node.className = name;
    if (text !== undefined) node.textContent = text;
    return node;
  };

  class Chart {
    constructor(meta, figure) {
      this.meta = meta;
      this.figure = figure;
      this.plot = figure.querySelector(".plot");
      this.svg = this.plot.querySelector("svg");
      this.paths = [...this.svg.querySelectorAll("path.line")];
      this.keys = [...figure.querySelectorAll(".key")];
      this.values = this.keys.map((key) => key.querySelector(".value"));
      this.texts = this.values.map((value) => value.textContent);
      this.cursor = make("div", "cursor");
      this.cursor.hidden = true;
      this.plot.append(this.cursor);
    }
    // The numbers are in the page already, as the CSV that people see; they are read when they are first needed.
    rows() {
      if (!this.cache) {
        const pre = this.figure.querySelector(".data pre");
        const lines = pre ? pre.textContent.split("\n").slice(1) : [];
        const fields = lines.map((line) => line.split(","));
        this.cache = { at: fields.map((row) => Date.parse(row[0]) / 1000), fields };
      }
      return this.cache;
    }
    // The row that began last at or before a moment.
    row(at) {
      const times = this.rows().at;
      let low = 0;
      let high = times.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (times[middle] <= at) low = middle + 1; else high = middle;
      }
      return low - 1;
    }
    read(at) {
      const { at: times, fields } = this.rows();
      const last = this.row(at);
      let column = 0;
      return this.meta.lines.map((line) => {
        if (line.level !== undefined) return line.level;
        column += 1;
        for (let row = last; row >= 0 && at - times[row] < line.period; row -= 1) {
          if (fields[row][column] !== "") return Number(fields[row][column]);
        }
        return null;
      });
    }
    write(value) { return value === null || value === undefined ? "–" : writers[this.meta.unit](value); }
    visible() {
      const box = this.plot.getBoundingClientRect();
      return box.width > 0 && box.bottom > 0 && box.top < window.innerHeight;
    }
    point(at) {
      const share = (at - view.from) / (view.to - view.from);
      this.cursor.hidden = share < 0 || share > 1;
      this.cursor.style.left = `${share * 100}%`;
      if (!this.visible()) return;
      const values = this.read(at);
      this.figure.classList.add("at");
      this.values.forEach((value, index) => { value.textContent = this.write(values[index]); });
    }
    unpoint() {
      this.cursor.hidden = true;
      this.figure.classList.remove("at");
      this.values.forEach((value, index) => { value.textContent = this.texts[index]; });
    }
  }

  const charts = [];
  for (const meta of data.charts) {
    const figure = document.getElementById(`chart-${meta.id}`);
    if (figure && figure.querySelector(".plot")) charts.push(new Chart(meta, figure));
  }

  // Cursor and tooltip.
  const tip = make("div", "tip");
  tip.hidden = true;
  tip.setAttribute("role", "status");
  document.body.append(tip);
  let at = null;

  const nearby = (chart, moment) => {
    const reach = ((view.to - view.from) * 7) / Math.max(chart.plot.clientWidth, 1);
    return data.marks.filter((mark) => Math.abs(mark.at - moment) <= reach);
  };
  const showTip = (chart, x, y) => {
    const values = chart.read(at);
    tip.replaceChildren(make("b", "", moment(at)));
    values.forEach((value, index) => {
      if (chart.keys[index].getAttribute("aria-pressed") === "false") return;
      const row = make("div");
      row.append(make("span", "", chart.meta.lines[index].label), make("span", "", chart.write(value)));
      tip.append(row);
    });
    for (const mark of nearby(chart, at)) tip.append(make("i", "", `${mark.label} ${mark.text}`));
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    const left = x + 16 + box.width > window.innerWidth ? x - 16 - box.width : x + 16;
    tip.style.left = `${Math.max(4, left)}px`;
    tip.style.top = `${Math.max(4, Math.min(y + 12, window.innerHeight - box.height - 8))}px`;
  };
  let queued = false;
  const point = (chart, moment, x, y) => {
    at = moment;
    if (queued) return;
    queued = true;
    requestAnimationFrame(() => {
      queued = false;
      if (at === null) return;
      for (const other of charts) other.point(at);
      showTip(chart, x, y);
    });
  };
  const unpoint = () => {
    at = null;
    tip.hidden = true;
    for (const chart of charts) chart.unpoint();
  };

  // Zoom: all pictures show the same stretch, so only their windows and the labels change.
  const steps = [1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 14400, 21600, 43200, 86400];
  const ticks = () => {
    const span = view.to - view.from;
    const step = steps.find((candidate) => span / candidate <= 8) || Math.ceil(span / 86400 / 8) * 86400;
    const found = [];
    for (let moment = Math.ceil(view.from / step) * step; moment <= view.to; moment += step) {
      const midnight = span > 72000 && clock(moment) === "00:00:00";
      found.push({ share: (moment - view.from) / span, x: ((moment - whole.from) / (whole.to - whole.from)) * WIDTH, label: step < 60 ? clock(moment) : midnight ? day(moment) : clock(moment).slice(0, 5) });
    }
    return found;
  };
  const unzoom = document.getElementById("unzoom");
  const zoom = (from, to) => {
    const least = Math.min(10, whole.to - whole.from);
    const middle = (from + to) / 2;
    const half = Math.max(to - from, least) / 2;
    view = { from: Math.max(whole.from, middle - half), to: Math.min(whole.to, middle + half) };
    const zoomed = view.from > whole.from || view.to < whole.to;
    const span = whole.to - whole.from;
    const left = (view.from - whole.from) / span;
    const width = (view.to - view.from) / span;
    const labels = ticks();
    for (const chart of charts) {
      chart.svg.setAttribute("viewBox", `${left * WIDTH} 0 ${width * WIDTH} 1000`);
      chart.svg.querySelector(".tgrid").setAttribute("d", labels.map((tick) => `M${tick.x} 0V1000`).join(""));
      chart.figure.querySelector(".times").replaceChildren(...labels.map((tick, index) => {
        const label = make("span", index % 2 ? "odd" : "", tick.label);
        label.style.left = `${tick.share * 100}%`;
        return label;
      }));
    }
    for (const placed of document.querySelectorAll(".over > span")) {
      const start = Number(placed.dataset.from) / 100;
      const share = (start - left) / width;
      placed.style.left = `${Math.max(share, 0) * 100}%`;
      placed.hidden = share < 0 || share > 1;
      if (placed.dataset.to) {
        const end = Number(placed.dataset.to) / 100;
        placed.style.width = `${Math.max(0, (Math.min(end, left + width) - Math.max(start, left)) / width) * 100}%`;
        placed.hidden = end <= left || start >= left + width;
      }
    }
    unzoom.hidden = !zoomed;
  };
  unzoom.addEventListener("click", () => zoom(whole.from, whole.to));

  // A finger leaves as soon as it has tapped; what it showed stays until the next tap elsewhere.
  document.addEventListener("pointerdown", (event) => { if (!event.target.closest(".plot")) unpoint(); });

  for (const chart of charts) {
    let start = null;
    const brush = make("div", "brush");
    brush.hidden = true;
    chart.plot.append(brush);
    const share = (event) => {
      const box = chart.plot.getBoundingClientRect();
      return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    };
    const when = (part) => view.from + part * (view.to - view.from);
    chart.plot.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      start = share(event);
      chart.plot.setPointerCapture(event.pointerId);
    });
    chart.plot.addEventListener("pointermove", (event) => {
      const now = share(event);
      point(chart, when(now), event.clientX, event.clientY);
      if (start === null) return;
      brush.hidden = false;
      brush.style.left = `${Math.min(start, now) * 100}%`;
      brush.style.width = `${Math.abs(now - start) * 100}%`;
    });
    const end = (event) => {
      const now = share(event);
      const begun = start;
      start = null;
      brush.hidden = true;
      if (event.type === "pointerup" && begun !== null && Math.abs(now - begun) * chart.plot.clientWidth > 8) {
        zoom(when(Math.min(begun, now)), when(Math.max(begun, now)));
      }
    };
    chart.plot.addEventListener("pointerup", end);
    chart.plot.addEventListener("pointercancel", end);
    chart.plot.addEventListener("pointerleave", (event) => { if (start === null && event.pointerType === "mouse") unpoint(); });
    chart.plot.addEventListener("dblclick", () => zoom(whole.from, whole.to));
    chart.plot.addEventListener("blur", unpoint);
    chart.plot.addEventListener("keydown", (event) => {
      const span = view.to - view.from;
      const now = at === null || at < view.from || at > view.to ? (view.from + view.to) / 2 : at;
      const moves = { ArrowLeft: now - span / 100, ArrowRight: now + span / 100, Home: view.from, End: view.to };
      if (event.key in moves) {
        const moved = Math.min(view.to, Math.max(view.from, moves[event.key]));
        const box = chart.plot.getBoundingClientRect();
        point(chart, moved, box.left + ((moved - view.from) / span) * box.width, box.top + box.height / 2);
      } else if (event.key === "+") zoom(now - span / 4, now + span / 4);
      else if (event.key === "-") zoom(now - span, now + span);
      else if (event.key === "Escape") { unpoint(); zoom(whole.from, whole.to); }
      else return;
      event.preventDefault();
    });
    chart.keys.forEach((key, index) => {
      key.disabled = false;
      key.addEventListener("click", () => {
        const shown = key.getAttribute("aria-pressed") === "true";
        key.setAttribute("aria-pressed", String(!shown));
        chart.paths[index].classList.toggle("off", shown);
      });
    });
  }

  // Sorting.
  for (const table of document.querySelectorAll("table.sorts")) {
    const body = table.tBodies[0];
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = make("button", "", head.textContent || "Result");
      button.type = "button";
      head.replaceChildren(button);
      head.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => {
        const first = head.classList.contains("number") ? "descending" : "ascending";
        const other = first === "ascending" ? "descending" : "ascending";
        const order = head.getAttribute("aria-sort") === first ? other : first;
        for (const each of heads) each.setAttribute("aria-sort", "none");
        head.setAttribute("aria-sort", order);
        const sign = order === "ascending" ? 1 : -1;
        const compare = (one, two) => {
          const a = one.cells[column];
          const b = two.cells[column];
          const numeric = a.dataset.v !== undefined || b.dataset.v !== undefined;
          if (!numeric) return sign * a.textContent.localeCompare(b.textContent, "en", { numeric: true });
          // What has no number comes last either way.
          if (a.dataset.v === undefined || b.dataset.v === undefined) return (a.dataset.v === undefined) - (b.dataset.v === undefined);
          return sign * (Number(a.dataset.v) - Number(b.dataset.v));
        };
        body.append(...[...body.rows].sort(compare));
      });
    });
  }

  // Copying.
  for (const details of document.querySelectorAll("details.data")) {
    details.addEventListener("toggle", () => {
      if (!details.open || details.querySelector(".copy")) return;
      const pre = details.querySelector("pre");
      const button = make("button", "copy", "Copy CSV");
      button.type = "button";
      button.addEventListener("click", () => {
        const done = () => { button.textContent = "Copied"; };
        const select = () => {
          getSelection().selectAllChildren(pre);
          button.textContent = document.execCommand("copy") ? "Copied" : "Selected: press Ctrl+C";
        };
        if (navigator.clipboard) navigator.clipboard.writeText(pre.textContent).then(done, select); else select();
      });
      pre.before(button);
    });
  }

  root.dataset.chartsDrawn = String(charts.length);
  root.dataset.linesDrawn = String(charts.reduce((sum, chart) => sum + chart.paths.filter((path) => path.getAttribute("d")).length, 0));
})();
