// SPDX-License-Identifier: BSD-2-Clause
// What a page of figures does: filters, sorts, hides, and draws any two figures of its rows.
"use strict";
(() => {
  const sheet = JSON.parse(document.getElementById("sheet").textContent);
  const get = (id) => document.getElementById(id);
  const columns = new Map(sheet.columns.map((column) => [column.name, column]));
  const numeric = (column) => column.kind === "int" || column.kind === "float";
  const value = (row, name) => (row[name] === undefined ? null : row[name]);
  const figures = sheet.columns.filter(
    (column) => numeric(column) && sheet.rows.some((row) => value(row, column.name) !== null));
  const targets = [...new Set(sheet.rows.map((row) => row.target))];
  const formats = [...new Set(sheet.rows.map((row) => row.format))];
  const state = {
    shown: new Set(sheet.shown), without: new Set(), away: new Set(), words: "",
    sort: null, down: false, x: sheet.axes[0], y: sheet.axes[1], beside: sheet.beside || "",
    names: true, share: "cost", dark: matchMedia("(prefers-color-scheme: dark)").matches,
  };
  const views = [];

  function made(tag, text, more = {}) {
    const element = Object.assign(document.createElement(tag), more);
    if (text !== undefined) element.textContent = text;
    return element;
  }

  // Text of values, and units, which may be in columns of their own.
  function told(number) {
    if (typeof number === "boolean") return number ? "yes" : "no";
    if (typeof number !== "number") return number === null ? "" : String(number);
    if (Number.isInteger(number)) return number.toLocaleString("en");
    if (Math.abs(number) >= 1000) return number.toLocaleString("en", { maximumFractionDigits: 0 });
    return String(Number(number.toPrecision(4)));
  }
  const unitIn = (column, row) =>
    column.unit.split("/").map((part) => (columns.has(part) ? value(row, part) || "" : part))
      .filter((part) => part).join("/").replace("/1/", "·");
  const unitOf = (column) =>
    column.unit.split("/").some((part) => columns.has(part)) ? "" : column.unit;
  const titled = (column, row) => {
    const unit = unitIn(column, row);
    return unit ? `${column.head}, ${unit}` : column.head;
  };

  function visible() {
    const words = state.words.toLowerCase().split(/[\s,]+/).filter((word) => word);
    return sheet.rows.map((row, index) => index).filter((index) => {
      const row = sheet.rows[index];
      const name = row.format.toLowerCase();
      return !state.without.has(row.format) && !state.away.has(row.target)
        && (words.length === 0 || words.some((word) => name.includes(word)));
    });
  }

  // The rows that no other beats, as macaw.synth.page.pareto has it: less is better in both.
  function front(points) {
    const known = points.filter((point) => point.first !== null && point.last !== null)
      .sort((a, b) => a.first - b.first || a.last - b.last);
    const found = new Set();
    let least = null;
    for (const point of known) {
      if (least === null || point.last < least.last
          || (point.first === least.first && point.last === least.last)) {
        found.add(point.row);
        least = point;
      }
    }
    return found;
  }
  const sign = (column) => ({ less: 1, more: -1 })[column.better] || 0;
  function best(indices, x, y) {
    if (!sign(x) || !sign(y)) return new Set();
    const signed = (column, row) => {
      const number = value(sheet.rows[row], column.name);
      return number === null ? null : sign(column) * number;
    };
    return front(indices.map((row) => ({ row, first: signed(x, row), last: signed(y, row) })));
  }

  // Whether an axis is logarithmic by itself, as macaw.synth.page.charts has it.
  function spread(column) {
    const values = sheet.rows.map((row) => value(row, column.name)).filter((v) => v !== null);
    return column.unit !== "dB" && values.length > 0 && Math.min(...values) > 0
      && Math.max(...values) >= 10 * Math.min(...values);
  }

  function compare(a, b, name, down) {
    const [one, other] = [value(sheet.rows[a], name), value(sheet.rows[b], name)];
    if (one === null || other === null) return (one === null) - (other === null) || a - b;
    const order = typeof one === "string"
      ? one.localeCompare(other, "en", { numeric: true }) : one - other;
    return (down ? -order : order) || a - b;
  }

  function drawTable(indices) {
    const seen = sheet.columns.filter((column) => state.shown.has(column.name));
    const head = made("tr");
    for (const column of seen) {
      const cell = made("th", undefined, { title: column.meaning, scope: "col" });
      cell.dataset.column = column.name;
      if (!numeric(column)) cell.className = "text";
      if (state.sort === column.name) {
        cell.setAttribute("aria-sort", state.down ? "descending" : "ascending");
      }
      const button = made("button", column.head, { type: "button" });
      button.addEventListener("click", () => {
        state.down = state.sort === column.name ? !state.down : false;
        state.sort = column.name;
        drawTable(visible());
      });
      cell.append(button);
      const units = new Set(indices.filter((index) => value(sheet.rows[index], column.name) !== null)
        .map((index) => unitIn(column, sheet.rows[index])).filter((unit) => unit));
      if (units.size) cell.append(made("small", [...units].join("; ")));
      head.append(cell);
    }
    const order = [...indices];
    if (state.sort) order.sort((a, b) => compare(a, b, state.sort, state.down));
    const body = order.map((index) => {
      const row = sheet.rows[index];
      const line = made("tr", undefined, {
        className: row.format === sheet.reference ? "reference" : "" });
      line.dataset.row = index;
      for (const column of seen) {
        const found = value(row, column.name);
        const kind = column.name === "error" ? "text error" : numeric(column) ? "" : "text";
        line.append(made("td", told(found), {
          className: kind,
          title: typeof found === "number" ? `${found} ${unitIn(column, row)}`.trim() : "" }));
      }
      return line;
    });
    get("rows").tHead.replaceChildren(head);
    get("rows").tBodies[0].replaceChildren(...body);
  }

  // Plots.
  const config = () => sheet.ground[state.dark ? "dark" : "light"];
  const clone = (spec) => JSON.parse(JSON.stringify(spec));

  function values(indices, x, y, beside, labels) {
    const on = best(indices, x, y);
    const logs = { x: get("x-log").checked, y: get("y-log").checked };
    const missing = (number, log) => number === null || (log && number <= 0);
    return indices.map((index) => {
      const row = sheet.rows[index];
      const other = beside ? value(row, beside.name) : null;
      return {
        row: index, x: value(row, x.name), y: value(row, y.name),
        second: missing(other, logs.y) ? null : other,
        best: on.has(index), faint: on.size > 0 && !on.has(index),
        text: row.format, name: labels[index] || row.format,
        kind: y.head, other: beside ? beside.head : " ",
      };
    }).filter((point) => !missing(point.x, logs.x) && !missing(point.y, logs.y));
  }

  function plot(indices, target) {
    const [x, y, beside] = [state.x, state.y, state.beside].map((name) => columns.get(name));
    const points = values(indices, x, y, beside, sheet.labels);
    const spec = clone(sheet.plot);
    const first = points.length ? sheet.rows[points[0].row] : { target };
    const unit = unitIn(y, first);
    const heads = beside ? [...new Set([y, beside].map((c) => c.head.split(", ")[0]))] : [y.head];
    const titles = {
      x: titled(x, first), y: heads.join("; ") + (unit ? `, ${unit}` : ""),
    };
    const scale = (axis) => ({
      ...(get(`${axis}-log`).checked ? { type: "log" } : { type: "linear", zero: false }),
      nice: false, padding: axis === "x" ? 24 : 18,
    });
    const marks = beside ? [y.head, beside.head] : [y.head, " "];
    if (!points.some((point) => point.best)) {
      spec.layer = spec.layer.filter((layer) => !/^front/.test(layer.name));
    }
    if (!points.some((point) => point.second !== null)) {
      spec.layer = spec.layer.filter((layer) => !/^(spans|seconds)/.test(layer.name));
    }
    for (const layer of spec.layer) {
      delete layer.data;
      for (const axis of ["x", "y"]) {
        Object.assign(layer.encoding[axis], { title: titles[axis], scale: scale(axis),
          axis: get(`${axis}-log`).checked ? { tickCount: 6 } : {} });
      }
      const colour = layer.encoding.color;
      if (colour) {
        Object.assign(colour.scale, { domain: marks, range: [config().first, config().second] });
        if (colour.condition) colour.condition.value = config().faint;
        colour.legend = beside ? {} : null;
      }
      if (layer.mark.type === "line") {
        layer.mark.color = config().first;
        layer.mark.interpolate = x.better === "more" ? "step-before" : "step-after";
      }
    }
    spec.data = { values: points };
    spec.title = target;
    const alone = targets.filter((name) => !state.away.has(name)).length === 1;
    spec.width = Math.min(sheet.width * (alone ? 1.6 : 1), document.body.clientWidth - 90);
    spec.height *= alone ? 1.3 : 1;
    return { spec, points };
  }

  // Names beside points, where they cover nothing: Vega has that, Vega-Lite has not.
  function named(vega, points) {
    const crowded = points.length > sheet.named;
    const marks = vega.marks.find((mark) => (mark.name || "").startsWith("points"));
    const others = vega.marks.filter((mark) => (mark.name || "").startsWith("seconds"));
    vega.marks.push({
      type: "text", from: { data: marks.name }, interactive: false,
      encode: { enter: {
        text: { signal: crowded ? "datum.datum.best ? datum.datum.name : ''" : "datum.datum.name" },
        fill: { value: config().name }, fontSize: { value: 12 }, fontWeight: { value: "bold" },
      } },
      transform: [{
        type: "label", size: [{ signal: "width" }, { signal: "height" }], offset: [4],
        anchor: ["top-right", "right", "bottom-right", "left", "top-left", "bottom-left", "top",
          "bottom"],
        avoidMarks: others.map((mark) => mark.name),
      }],
    });
    return vega;
  }

  function tip(event, pairs) {
    const box = get("tip");
    const rows = pairs.map(([name, text]) => {
      const line = made("tr");
      line.append(made("td", name, { className: "text" }), made("td", text, { className: "text" }));
      return line;
    });
    const body = made("table");
    body.append(...rows);
    box.replaceChildren(body);
    box.hidden = false;
    const [wide, high] = [box.offsetWidth, box.offsetHeight];
    box.style.left = `${Math.max(4, Math.min(event.clientX + 14, innerWidth - wide - 8))}px`;
    box.style.top = `${Math.max(4, Math.min(event.clientY + 14, innerHeight - high - 8))}px`;
  }
  function light(row) {
    document.querySelectorAll("tr.lit").forEach((line) => line.classList.remove("lit"));
    const line = row === null ? null : document.querySelector(`#rows tr[data-row="${row}"]`);
    if (line) line.classList.add("lit");
    return line;
  }
  function rowTold(index) {
    const row = sheet.rows[index];
    const wanted = new Set([...state.shown, state.x, state.y, state.beside]);
    return sheet.columns
      .filter((column) => wanted.has(column.name) && value(row, column.name) !== null)
      .map((column) => [column.head, `${told(row[column.name])} ${unitIn(column, row)}`.trim()]);
  }

  function save(name, url) {
    const link = made("a", undefined, { href: url, download: name });
    document.body.append(link);
    link.click();
    link.remove();
  }
  const text = (content, kind) => URL.createObjectURL(new Blob([content], { type: kind }));

  // A plot in a figure of its own, with what saves it; ``over`` is told of what is pointed at.
  function show(place, name, spec, over, { patch, many = false, clicked } = {}) {
    const figure = made("figure");
    const holder = made("div");
    const tools = made("p", undefined, { className: "tools" });
    figure.append(holder, tools);
    place.append(figure);
    const drawn = window.vegaEmbed(holder, spec, {
      mode: "vega-lite", config: config().config, actions: false, tooltip: false,
      renderer: many ? "canvas" : "svg", patch,
    }).then((result) => {
      const { view } = result;
      const datum = (item) => item && item.datum && (item.datum.datum || item.datum);
      view.addEventListener("mousemove", (event, item) => datum(item) && over(event, datum(item)));
      view.addEventListener("mouseout", () => {
        get("tip").hidden = true;
        light(null);
      });
      if (clicked) {
        view.addEventListener("click", (event, item) => datum(item) && clicked(datum(item)));
      }
      for (const [kind, make] of [
        ["SVG", () => view.toSVG().then((found) => text(found, "image/svg+xml"))],
        ["PNG", () => view.toImageURL("png", 2)],
      ]) {
        const button = made("button", kind, { type: "button", className: "tool",
          title: `Save this plot as ${kind}` });
        button.addEventListener("click", () => make().then(
          (url) => save(`${name.replace(/[^\w]+/g, "-")}.${kind.toLowerCase()}`, url)));
        tools.append(button);
      }
      return result;
    });
    views.push(drawn);
  }

  function drawPlots(indices) {
    const place = get("plots");
    place.replaceChildren();
    let left = 0;
    for (const target of targets.filter((name) => !state.away.has(name))) {
      const here = indices.filter((index) => sheet.rows[index].target === target);
      const { spec, points } = plot(here, target);
      left += here.length - points.length;
      if (points.length === 0) {
        const figure = made("figure");
        figure.append(made("strong", target), made("p", "No row has both figures.",
          { className: "note" }));
        place.append(figure);
        continue;
      }
      show(place, `${target} ${state.y} by ${state.x}`, spec, (event, found) => {
        if (found.row === undefined) return;
        tip(event, rowTold(found.row));
        light(found.row);
      }, {
        patch: state.names ? (vega) => named(vega, points) : undefined,
        many: points.length > 1000,
        clicked: (found) => {
          const line = found.row !== undefined && light(found.row);
          if (line) line.scrollIntoView({ block: "center" });
        },
      });
    }
    const [x, y] = [columns.get(state.x), columns.get(state.y)];
    const undirected = [x, y].filter((column) => !sign(column)).map((column) => column.head);
    const drawn = undirected.length
      ? `No Pareto front: of ${undirected.join(" and ")} neither less nor more is better.`
      : "Strong points, joined by the line, are the Pareto front of the rows shown: no other row of the"
        + ` target is better in one figure and no worse in the other (${x.head}: ${x.better};`
        + ` ${y.head}: ${y.better}).`;
    get("about-front").textContent = drawn
      + (left ? ` Without one of the figures, and so not drawn: ${left} of the rows.` : "");
  }

  // Bars of parts.
  const SHARES = { cost: ["area", "cost_unit"], delay: ["slowest path", "delay_unit"],
    ffs: ["flip-flops", ""], dsps: ["DSPs", ""] };
  const withParts = Object.keys(sheet.breakdowns).map(Number);

  // All names once, what is new to a list behind what stands before it there.
  function merged(lists) {
    const order = [];
    for (const names of lists) {
      let at = 0;
      for (const name of names) {
        if (!order.includes(name)) order.splice(at, 0, name);
        at = order.indexOf(name) + 1;
      }
    }
    return order;
  }
  const stages = (row) => `${row.stages} stage${row.stages === 1 ? "" : "s"}`;

  function drawBars(indices) {
    const shown = indices.filter((index) => withParts.includes(index));
    get("bars").replaceChildren();
    get("part-tables").replaceChildren();
    for (const target of targets) {
      const here = shown.filter((index) => sheet.rows[index].target === target);
      const share = (found) => found[state.share];
      const rows = here.filter(
        (index) => sheet.breakdowns[index].shares.some((part) => share(part) !== null));
      if (rows.length === 0) continue;
      const [name, unit] = SHARES[state.share];
      const spec = clone(sheet.bars);
      const order = merged(rows.map((index) => sheet.breakdowns[index].shares
        .filter(share).map((part) => part.part)));
      const bars = new Map(rows.map((index) => [index, sheet.labels[index]
        || sheet.rows[index].format]));
      if (new Set(bars.values()).size < bars.size) {
        for (const index of rows) bars.set(index, `${bars.get(index)}, ${sheet.rows[index].unit},`
          + ` ${stages(sheet.rows[index])}`);
      }
      if (new Set(bars.values()).size < bars.size) {
        for (const index of rows) bars.set(index, `${bars.get(index)} (${index + 1})`);
      }
      spec.data = { values: rows.flatMap((index) => sheet.breakdowns[index].shares.filter(share).map(
        (part) => ({
        row: index, bar: bars.get(index), part: part.part, value: share(part),
          order: order.indexOf(part.part),
          share: share(part) / (share(sheet.breakdowns[index].whole) || 1),
        }))) };
      const first = sheet.breakdowns[rows[0]];
      spec.title = `${target}: ${name}`;
      spec.height = sheet.bar * rows.length;
      spec.width = Math.min(sheet.width, document.body.clientWidth - 240);
      spec.encoding.x.title = unit ? `${name}, ${first[unit]}` : name;
      spec.encoding.y.sort = [...bars.values()];
      spec.encoding.color.sort = order;
      show(get("bars"), `${target} parts ${state.share}`, spec, (event, found) => {
        const { part, value: much, share: of, bar } = found;
        if (part === undefined || bar === undefined) return;
        tip(event, [["format", bar], ["part", part],
          [name, `${told(much)} ${unit ? first[unit] : ""}`], ["share", `${(100 * of).toFixed(1)} %`]]);
      });
    }
    for (const index of shown) get("part-tables").append(partTable(index));
  }

  function partTable(index) {
    const found = sheet.breakdowns[index];
    const row = sheet.rows[index];
    const box = made("details");
    box.append(made("summary", `${row.format} on ${row.target}: ${row.unit}, ${stages(row)}`));
    const kinds = Object.keys(SHARES).filter((kind) => found.whole[kind] !== null);
    const table = made("table");
    const head = made("tr");
    head.append(made("th", "part", { className: "text" }));
    for (const kind of kinds) {
      const unit = SHARES[kind][1];
      head.append(made("th", SHARES[kind][0] + (unit ? `, ${found[unit]}` : "")), made("th", "%"));
    }
    table.append(head);
    for (const part of [...found.shares, found.whole]) {
      const line = made("tr", undefined, { className: part === found.whole ? "reference" : "" });
      const name = part.copies > 1 ? `${part.part} (x${part.copies})` : part.part;
      line.append(made("td", name, { className: "text" }));
      for (const kind of kinds) {
        const whole = found.whole[kind];
        line.append(made("td", told(part[kind])),
          made("td", whole ? (100 * (part[kind] || 0) / whole).toFixed(1) : "-"));
      }
      table.append(line);
    }
    box.append(table);
    return box;
  }

  function draw(what = { table: true, plots: true, bars: true }) {
    document.documentElement.dataset.theme = state.dark ? "dark" : "light";
    const indices = visible();
    get("count").textContent = indices.length === 0
      ? "No row passes the filters." : `${indices.length} of ${sheet.rows.length} rows`;
    for (const each of views) each.then((result) => result.finalize());
    views.length = 0;
    get("tip").hidden = true;
    if (what.table) drawTable(indices);
    drawPlots(indices);
    if (withParts.length) drawBars(indices);
  }

  // Controls.
  function list(place, names, off, told_) {
    const all = made("p", undefined, { className: "all" });
    const boxes = names.map((name) => {
      const box = made("input", undefined, { type: "checkbox", checked: !off(name), value: name });
      box.addEventListener("change", () => { told_(name, box.checked); draw(); });
      const label = made("label");
      const column = columns.get(name);
      label.append(box, place.parentNode.id === "columns" ? column.head : name);
      if (column && place.parentNode.id === "columns") {
        label.title = column.meaning;
        if (unitOf(column)) label.append(made("small", unitOf(column)));
      }
      return [box, label];
    });
    for (const [word, on] of [["all", true], ["none", false]]) {
      const button = made("button", word, { type: "button", className: "tool" });
      button.addEventListener("click", () => {
        for (const [box] of boxes) { box.checked = on; told_(box.value, on); }
        draw();
      });
      all.append(button, " ");
    }
    place.replaceChildren(all, ...boxes.map(([, label]) => label));
  }
  const put = (set, name, inside) => (inside ? set.add(name) : set.delete(name));
  list(document.querySelector("#formats .list"), formats, () => false,
    (name, on) => put(state.without, name, !on));
  list(document.querySelector("#columns .list"), sheet.columns.map((column) => column.name),
    (name) => !state.shown.has(name), (name, on) => put(state.shown, name, on));
  if (targets.length > 1) {
    for (const name of targets) {
      const box = made("input", undefined, { type: "checkbox", checked: true, value: name });
      box.addEventListener("change", () => { put(state.away, name, !box.checked); draw(); });
      const label = made("label");
      label.append(box, name);
      get("targets").append(label, " ");
    }
  }
  get("words").addEventListener("input", () => { state.words = get("words").value; draw(); });
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll(".menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });

  for (const [id, axis] of [["x", "x"], ["y", "y"], ["beside", "y"]]) {
    const options = figures.map((column) => {
      const unit = unitOf(column);
      return made("option", unit ? `${column.head}, ${unit}` : column.head, { value: column.name });
    });
    if (id === "beside") options.unshift(made("option", "nothing else", { value: "" }));
    get(id).append(...options);
    get(id).value = state[id];
    get(id).addEventListener("change", () => {
      state[id] = get(id).value;
      if (id !== "beside") get(`${axis}-log`).checked = spread(columns.get(state[id]));
      if (id === "y") get("beside").value = state.beside = "";
      draw({ table: false });
    });
  }
  for (const axis of ["x", "y"]) {
    get(`${axis}-log`).checked = columns.has(state[axis]) && spread(columns.get(state[axis]));
    get(`${axis}-log`).addEventListener("change", () => draw({ table: false }));
  }
  get("names").addEventListener("change", () => {
    state.names = get("names").checked;
    draw({ table: false });
  });
  get("parts").hidden = withParts.length === 0;
  get("share").append(...Object.keys(SHARES)
    .filter((kind) => withParts.some((index) => sheet.breakdowns[index].whole[kind]))
    .map((kind) => made("option", SHARES[kind][0], { value: kind })));
  get("share").addEventListener("change", () => {
    state.share = get("share").value;
    draw({ table: false });
  });
  get("theme").addEventListener("click", () => { state.dark = !state.dark; draw(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => {
    state.dark = event.matches;
    draw();
  });
  // On paper it is light.
  let before = null;
  addEventListener("beforeprint", () => { before = state.dark; state.dark = false; draw(); });
  addEventListener("afterprint", () => { state.dark = before; draw(); });

  get("save-json").addEventListener("click", () => save("figures.json",
    text(get("data").textContent, "application/json")));
  get("save-csv").addEventListener("click", () => {
    const seen = sheet.columns.filter((column) => state.shown.has(column.name));
    const quoted = (cell) => (/[",\n\r]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
    const order = [...document.querySelectorAll("#rows tbody tr")].map((tr) => Number(tr.dataset.row));
    const lines = order.map((index) => seen.map((column) => {
      const found = value(sheet.rows[index], column.name);
      return quoted(found === null ? "" : String(found));
    }).join(","));
    save("rows.csv", text([seen.map((column) => column.name).join(","), ...lines, ""].join("\n"),
      "text/csv"));
  });

  draw();
  // For who drives the page: when all is drawn; and the front of two figures.
  window.macaw = {
    drawn: () => Promise.all(views).then((all) => all.length),
    front: (x, y, indices) => [...best(indices, columns.get(x), columns.get(y))],
  };
})();
