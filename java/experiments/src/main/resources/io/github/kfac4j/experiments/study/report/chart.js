// Draws every panel; a name in the legend hides and shows its curve, a point says its values.
for (const place of document.querySelectorAll("[data-panel]")) {
  const panel = JSON.parse(place.dataset.panel);
  const hidden = new Set();
  const W = 560, H = 400, L = 68, R = 14, T = 26, B = 46;
  const tag = (name, attributes, text) => {
    const e = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const key in attributes) e.setAttribute(key, attributes[key]);
    if (text !== undefined) e.textContent = text;
    return e;
  };
  const scale = (axis, values, from, to) => {
    const at = v => (axis.log ? Math.log2(v) : v);
    const known = values.map(at).filter(Number.isFinite);
    let low = Math.min(...known), high = Math.max(...known);
    if (!(high > low)) { low -= 0.5; high += 0.5; }
    const place = v => from + (to - from) * (at(v) - low) / (high - low);
    const ticks = [];
    const steps = axis.log ? [1, 2, 5, 10] : [1, 2, 5].flatMap(d => [-5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5]
      .map(e => d * 10 ** e)).sort((a, b) => a - b);
    const step = steps.find(s => (high - low) / s <= 7) || (high - low) / 5;
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) {
      ticks.push(axis.log ? 2 ** (i * step) : i * step);
    }
    return { place, ticks };
  };
  const words = v => (Math.abs(v) >= 1e-3 && Math.abs(v) < 1e6 || v === 0 ? String(+v.toPrecision(4)) : v.toExponential(1));
  const draw = () => {
    place.textContent = "";
    const shown = panel.curves.filter(c => !hidden.has(c.color + c.name) && !(c.name === null && hidden.has("ideal" + c.color)));
    const points = (shown.length ? shown : panel.curves).flatMap(c => c.points);
    const x = scale(panel.x, points.map(p => p[0]), L, W - R);
    const y = scale(panel.y, points.map(p => p[1]), H - B, T);
    const svg = tag("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": panel.title });
    svg.append(tag("text", { x: W / 2, y: 16, "text-anchor": "middle" }, panel.title));
    for (const t of x.ticks) {
      svg.append(tag("line", { x1: x.place(t), x2: x.place(t), y1: T, y2: H - B, stroke: "#e5e7eb" }));
      svg.append(tag("text", { x: x.place(t), y: H - B + 16, "text-anchor": "middle" }, words(t)));
    }
    for (const t of y.ticks) {
      svg.append(tag("line", { x1: L, x2: W - R, y1: y.place(t), y2: y.place(t), stroke: "#e5e7eb" }));
      svg.append(tag("text", { x: L - 6, y: y.place(t) + 4, "text-anchor": "end" }, words(t)));
    }
    svg.append(tag("text", { x: (L + W - R) / 2, y: H - 10, "text-anchor": "middle" }, panel.x.label));
    svg.append(tag("text", { transform: `translate(14 ${(T + H - B) / 2}) rotate(-90)`, "text-anchor": "middle" }, panel.y.label));
    for (const c of shown) {
      const path = c.points.map((p, i) => `${i ? "L" : "M"}${x.place(p[0])} ${y.place(p[1])}`).join("");
      svg.append(tag("path", { d: path, fill: "none", stroke: c.color, "stroke-width": 2,
        "stroke-opacity": c.name === null ? 0.45 : 1, "stroke-dasharray": c.dashed ? "7 5" : "none" }));
      if (c.name === null) continue;
      for (const p of c.points) {
        const dot = tag("circle", { cx: x.place(p[0]), cy: y.place(p[1]), r: c.markers ? 4 : 2, fill: c.color });
        dot.append(tag("title", {}, `${c.name}: ${panel.x.label} ${words(p[0])}, ${panel.y.label} ${words(p[1])}`));
        svg.append(dot);
      }
    }
    place.append(svg);
    const legend = document.createElement("div");
    legend.className = "legend";
    for (const c of panel.curves.filter(one => one.name !== null)) {
      const button = document.createElement("button");
      button.textContent = c.name;
      button.style.color = c.color;
      button.setAttribute("aria-pressed", !hidden.has(c.color + c.name));
      button.onclick = () => {
        for (const key of [c.color + c.name, "ideal" + c.color]) {
          if (!hidden.delete(key)) hidden.add(key);
        }
        draw();
      };
      legend.append(button);
    }
    place.append(legend);
  };
  draw();
}
