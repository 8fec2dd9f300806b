/* What a plan's page can do beyond being read: histograms with values under the pointer, slices with sliders, spots layer by layer. */
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const json = (id) => ($(id) ? JSON.parse($(id).textContent) : null);
  const make = (tag, attributes, ...children) => {
    const element = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes || {})) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };
  const ink = () => getComputedStyle(document.body).color;
  const line = () => getComputedStyle(document.documentElement).getPropertyValue("--line");

  /* --- Histograms: uPlot in the place of the SVG ------------------------------------------------------------------ */
  const interpolate = (x, y, at) => {
    if (at > x[x.length - 1]) return 0;
    let low = 0, high = x.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (x[middle] <= at) low = middle;
      else high = middle;
    }
    const share = x[high] > x[low] ? (at - x[low]) / (x[high] - x[low]) : 0;
    return y[low] + share * (y[high] - y[low]);
  };
  const drawHistogram = (place) => {
    const data = json(place.dataset.of);
    const most = Math.max(...data.series.flatMap((s) => s.x.filter((_, i) => s.high[i] > 0.01)));
    const axis = Array.from({ length: 301 }, (_, i) => (most * 1.02 * i) / 300);
    const columns = [axis], series = [{ label: data.label, value: (_, v) => (v == null ? "" : v.toFixed(2)) }], bands = [];
    for (const s of data.series) {
      for (const key of ["y", "high", "low"]) columns.push(axis.map((at) => interpolate(s.x, s[key], at)));
      const at = series.length;
      series.push({ label: s.name, stroke: s.colour, width: 2, value: (u, v, k, i) => (v == null || i == null ? "" : `${v.toFixed(1)} % (${u.data[k + 2][i].toFixed(1)} – ${u.data[k + 1][i].toFixed(1)})`) });
      series.push({ stroke: s.colour + "00", width: 0, points: { show: false }, value: () => "" });
      series.push({ stroke: s.colour + "00", width: 0, points: { show: false }, value: () => "" });
      bands.push({ series: [at + 1, at + 2], fill: s.colour + "33" });
    }
    const style = { stroke: ink, grid: { stroke: line, width: 0.6 }, ticks: { stroke: line, width: 0.6 } };
    const holder = make("div", { class: "chart" });
    const width = Math.min(900, place.clientWidth || 760);
    const chart = new uPlot({
      width, height: Math.round(width * 0.5), series, bands, scales: { x: { time: false }, y: { range: [0, 100] } },
      axes: [{ ...style, label: data.label }, { ...style, label: "volume / %" }],
      legend: { show: false }, cursor: { points: { show: false } },
    }, columns, holder);
    const readout = make("table", { class: "readout" });
    const toggles = make("ul", { class: "legend" });
    data.series.forEach((s, k) => {
      const box = make("input", { type: "checkbox" });
      box.checked = true;
      const value = make("small", {});
      const swatch = make("span", { class: "swatch" });
      swatch.style.background = s.colour;
      toggles.append(make("li", {}, make("label", {}, box, " ", swatch, s.name + " ", value)));
      box.addEventListener("change", () => { for (let i = 0; i < 3; i++) chart.setSeries(1 + 3 * k + i, { show: box.checked }); });
      chart.hooks.setCursor = chart.hooks.setCursor || [];
      chart.hooks.setCursor.push((u) => {
        const i = u.cursor.idx;
        value.textContent = i == null ? "" : `${u.data[1 + 3 * k][i].toFixed(1)} % (${u.data[3 + 3 * k][i].toFixed(1)} – ${u.data[2 + 3 * k][i].toFixed(1)})`;
      });
    });
    const at = make("p", { class: "at", "aria-live": "off" });
    at.textContent = "Volumes in % under the pointer: nominal (lowest – highest of the scenarios).";
    chart.hooks.setCursor.push((u) => { at.textContent = u.cursor.idx == null ? at.textContent : `at ${u.data[0][u.cursor.idx].toFixed(2)}: volumes in %, nominal (lowest – highest of the scenarios)`; });
    const caption = place.querySelector("figcaption").textContent;
    place.replaceChildren(make("figure", {}, holder, make("figcaption", {}, caption), at, toggles));
  };

  /* --- Slices ----------------------------------------------------------------------------------------------------- */
  const inflate = async (id) => {
    const text = atob($(id).textContent), bytes = Uint8Array.from(text, (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  };
  const stops = [[30, 60, 170], [0, 150, 200], [30, 170, 60], [240, 220, 40], [240, 130, 20], [200, 20, 20]];
  const wash = (value) => {
    const n = stops.length - 1, at = Math.min(value, 1) * n, i = Math.min(Math.floor(at), n - 1), share = at - i;
    return stops[i].map((c, k) => c + share * (stops[i + 1][k] - c));
  };
  const planes = [{ name: "transverse", across: 0, down: 1, normal: 2, flip: false, sides: "patient left is right, anterior is up" }, { name: "coronal", across: 0, down: 2, normal: 1, flip: true, sides: "patient left is right, superior is up" }, { name: "sagittal", across: 1, down: 2, normal: 0, flip: true, sides: "posterior is right, superior is up" }];

  const labels = { rbe_weighted: "RBE-weighted dose, nominal", physical: "physical dose", letd: "LETd", rbe: "RBE", survival: "survival", tcp: "TCP", "lowest of all scenarios": "RBE-weighted dose, lowest of all scenarios", "highest of all scenarios": "RBE-weighted dose, highest of all scenarios" };
  const isodoses = [[0.95, [255, 255, 255]], [0.5, [200, 200, 200]]]; // as in page_slices.c
  const startViewer = async () => {
    const info = json("volumes");
    if (!info || !info.volumes.length || typeof DecompressionStream === "undefined") return;
    const [nx, ny] = info.n, at = info.middle.slice(), cache = {};
    const load = async (id) => (cache[id] = cache[id] || (await inflate(id)));
    const index = (p) => (p[2] * ny + p[1]) * nx + p[0];
    const ctAt = info.volumes.findIndex((v) => v.name === "ct");
    const ct = ctAt < 0 ? null : await load(`volume-${ctAt}`);
    const masks = [];
    for (let s = 0; s < info.structures.length; s++) if ($(`mask-${s}`)) masks.push({ s, mask: await load(`mask-${s}`), show: true });
    const choice = make("select", { id: "quantity" });
    info.volumes.forEach((v, i) => { if (i !== ctAt && !v.plan) choice.append(make("option", { value: i }, `${labels[v.name] || v.name}${v.unit === "1" ? "" : ` / ${v.unit}`}`)); });
    const compare = make("select", { id: "compare" }, make("option", { value: "" }, "nothing"));
    for (const name of new Set(info.volumes.map((v) => v.plan).filter(Boolean)))
      for (const how of ["beside", "difference"]) compare.append(make("option", { value: JSON.stringify([how, name]) }, how === "beside" ? `${name}, below` : `this minus ${name}`));
    const opacity = make("input", { type: "range", min: 0, max: 100, value: 50, id: "opacity" });
    const readout = make("output", { id: "value" }), note = make("output", { id: "compare-note" });
    const controls = make("div", { class: "controls" }, make("label", {}, "Quantity ", choice));
    if (compare.options.length > 1) controls.append(make("label", {}, "Compare with ", compare));
    controls.append(make("label", {}, "Dose wash ", opacity), readout, note);
    $("viewer").append(controls);
    const figures = document.querySelector(".slices");
    figures.replaceChildren();
    const views = planes.map((plane) => {
      const w = info.n[plane.across], h = info.n[plane.down];
      const wide = w * info.spacing_mm[plane.across], high = h * info.spacing_mm[plane.down], zoom = 380 / Math.max(...info.n.map((n, a) => n * info.spacing_mm[a]));
      const canvas = make("canvas", { width: Math.round(wide * zoom), height: Math.round(high * zoom), role: "img", "aria-label": `${plane.name} slice` });
      const slider = make("input", { type: "range", min: 0, max: info.n[plane.normal] - 1, value: at[plane.normal], "aria-label": `${plane.name} slice, position` });
      const caption = make("figcaption");
      const below = make("canvas", { width: canvas.width, height: canvas.height, role: "img", hidden: "", "aria-label": `${plane.name} slice of the other plan` });
      figures.append(make("figure", {}, canvas, below, slider, caption));
      return { plane, canvas, below, slider, caption };
    });
    let values = null, shown = null, other = null, otherShown = null, how = "";
    const voxelOf = (view, x, y) => {
      const { plane, canvas } = view, p = at.slice();
      p[plane.across] = Math.min(Math.floor((x / canvas.width) * info.n[plane.across]), info.n[plane.across] - 1);
      const down = Math.min(Math.floor((y / canvas.height) * info.n[plane.down]), info.n[plane.down] - 1);
      p[plane.down] = plane.flip ? info.n[plane.down] - 1 - down : down;
      return p;
    };
    const clamp = (value, most) => Math.min(Math.max(value, 0), most);
    /* Bilinear between centres of voxels, as in page_slices.c. */
    const smooth = (field, plane, across, down) => {
      const nA = info.n[plane.across] - 1, nD = info.n[plane.down] - 1, a = clamp(across - 0.5, nA), d = clamp(down - 0.5, nD);
      const a0 = Math.floor(a), d0 = Math.floor(d), a1 = Math.min(a0 + 1, nA), d1 = Math.min(d0 + 1, nD), sa = a - a0, sd = d - d0;
      const value = (i, j) => { const p = at.slice(); p[plane.across] = i; p[plane.down] = j; return field[index(p)]; };
      return (1 - sd) * ((1 - sa) * value(a0, d0) + sa * value(a1, d0)) + sd * ((1 - sa) * value(a0, d1) + sa * value(a1, d1));
    };
    const markIsodoses = (plane, canvas, field, scale, pixels) => {
      const w = canvas.width, h = canvas.height, part = new Float32Array((w + 1) * (h + 1)), factor = scale / info.prescription;
      for (let y = 0; y <= h; y++) {
        const down = ((y + 0.5) / h) * info.n[plane.down];
        for (let x = 0; x <= w; x++) part[y * (w + 1) + x] = factor * smooth(field, plane, ((x + 0.5) / w) * info.n[plane.across], plane.flip ? info.n[plane.down] - down : down);
      }
      for (const [level, colour] of isodoses)
        for (let y = 0; y < h; y++)
          for (let x = 0; x < w; x++) {
            const k = y * (w + 1) + x, here = part[k] < level;
            if (here !== part[k + 1] < level || here !== part[k + w + 1] < level) pixels.set(colour, 4 * (y * w + x));
          }
    };
    const markOutlines = (view, pixels) => {
      const { plane, canvas } = view, nA = info.n[plane.across], nD = info.n[plane.down];
      const stepA = plane.across === 0 ? 1 : nx, stepD = plane.down === 1 ? nx : nx * ny, visible = masks.filter((m) => m.show);
      for (let y = 0, k = 0; y < canvas.height; y++)
        for (let x = 0; x < canvas.width; x++, k += 4) {
          const p = voxelOf(view, x + 0.5, y + 0.5), v = index(p), a = p[plane.across], d = p[plane.down];
          const fa = ((x + 0.5) / canvas.width) * nA % 1, fd0 = ((y + 0.5) / canvas.height) * nD % 1, fd = plane.flip ? 1 - fd0 : fd0;
          for (const m of visible)
            if (m.mask[v] && ((fa < 0.3 && (a === 0 || !m.mask[v - stepA])) || (fa > 0.7 && (a === nA - 1 || !m.mask[v + stepA])) ||
                (fd < 0.3 && (d === 0 || !m.mask[v - stepD])) || (fd > 0.7 && (d === nD - 1 || !m.mask[v + stepD])))) {
              const c = parseInt(info.structures[m.s].colour.slice(1), 16);
              pixels.set([c >> 16, (c >> 8) & 255, c & 255], k);
            }
        }
    };
    /* Red where this plan has more than the other one, blue where less, full colour from 20 % of the prescription on. */
    const differenceColour = (v) => {
      const part = (values[v] * shown.scale - other[v] * otherShown.scale) / (0.2 * info.prescription);
      return Math.abs(part) < 0.05 ? null : [part > 0 ? [220, 40, 30] : [40, 110, 240], Math.min(Math.abs(part), 1)];
    };
    const paint = (view, canvas, field, volume, difference) => {
      const context = canvas.getContext("2d"), image = context.createImageData(canvas.width, canvas.height), share = opacity.value / 100;
      const isDose = volume.unit === "Gy(RBE)", full = isDose ? (1.1 * info.prescription) / volume.scale : 255;
      for (let y = 0, k = 0; y < canvas.height; y++)
        for (let x = 0; x < canvas.width; x++, k += 4) {
          const v = index(voxelOf(view, x + 0.5, y + 0.5)), grey = ct ? clamp((ct[v] - 60) / 90, 1) * 255 : 40, part = field[v] / full;
          const [over, weight] = difference ? differenceColour(v) || [null, 0] : part >= 0.1 / 1.1 ? [wash(part), share] : [null, 0];
          image.data.set(over ? [...over.map((c) => (1 - weight) * grey + weight * c), 255] : [grey, grey, grey, 255], k);
        }
      if (isDose && !difference) markIsodoses(view.plane, canvas, field, volume.scale, image.data);
      markOutlines(view, image.data);
      context.putImageData(image, 0, 0);
    };
    const draw = (view) => {
      const { plane } = view;
      paint(view, view.canvas, values, shown, how === "difference");
      view.below.hidden = how !== "beside";
      if (how === "beside") paint(view, view.below, other, otherShown, false);
      const mm = info.origin_mm[plane.normal] + at[plane.normal] * info.spacing_mm[plane.normal];
      view.caption.textContent = `${plane.name}, ${"xyz"[plane.normal]} = ${mm.toFixed(1)} mm; ${plane.sides}`;
    };
    const drawAll = () => views.forEach(draw);
    const choose = async () => {
      const i = Number(choice.value);
      shown = info.volumes[i];
      values = await load(`volume-${i}`);
      const [wanted, name] = compare.value ? JSON.parse(compare.value) : ["", ""];
      const k = info.volumes.findIndex((v) => v.plan === name && v.name === shown.name);
      how = k < 0 ? "" : wanted;
      otherShown = k < 0 ? null : info.volumes[k];
      other = k < 0 ? null : await load(`volume-${k}`);
      note.textContent = !wanted ? "" : k < 0 ? "of the other plan this page has RBE-weighted doses only" : how === "beside" ? `above: this plan, below: ${name}` : `red: more than in ${name}, blue: less; full colour from ${(0.2 * info.prescription).toPrecision(3)} ${shown.unit} on`;
      drawAll();
    };
    for (const view of views) {
      view.slider.addEventListener("input", () => { at[view.plane.normal] = Number(view.slider.value); draw(view); });
      view.canvas.addEventListener("pointermove", (event) => {
        const box = view.canvas.getBoundingClientRect();
        const v = index(voxelOf(view, ((event.clientX - box.left) / box.width) * view.canvas.width, ((event.clientY - box.top) / box.height) * view.canvas.height));
        const theirs = other ? `, other plan ${(other[v] * otherShown.scale).toPrecision(3)}` : "";
        readout.textContent = `${(values[v] * shown.scale).toPrecision(3)}${shown.unit === "1" ? "" : ` ${shown.unit}`}${theirs}${ct ? `, ${ct[v] * 10 - 1000} HU` : ""}`;
      });
    }
    choice.addEventListener("change", choose);
    compare.addEventListener("change", choose);
    opacity.addEventListener("input", drawAll);
    const outlines = $("outlines");
    [...outlines.children].forEach((item, s) => {
      const found = masks.find((m) => m.s === s);
      if (!found) return;
      const box = make("input", { type: "checkbox" });
      box.checked = true;
      box.addEventListener("change", () => { found.show = box.checked; drawAll(); });
      const label = make("label", {}, box, " ");
      label.append(...item.childNodes);
      item.replaceChildren(label);
    });
    await choose();
    window.robionVolumes = { info, load };
    document.body.dataset.ready = "yes";
  };

  /* --- Spots ------------------------------------------------------------------------------------------------------ */
  const startSpots = () => {
    const beams = json("spot-list"), place = $("spots");
    if (!beams || !beams.length) return;
    const beam = make("select", { id: "beam" }), layer = make("input", { type: "range", min: 0, value: 0, id: "layer" }), text = make("output", { for: "layer" });
    beams.forEach((_, b) => beam.append(make("option", { value: b }, `beam ${b}`)));
    const canvas = make("canvas", { width: 420, height: 420, role: "img", "aria-label": "spots of a layer as seen from the source" });
    place.append(make("div", { class: "controls" }, make("label", {}, "Beam ", beam), make("label", {}, "Energy layer ", layer), text), canvas);
    const draw = () => {
      const layers = beams[beam.value], all = layers.flatMap((l) => l[1]), [energy, spots] = layers[layer.value] || [0, []];
      const reach = Math.max(10, ...all.filter((_, i) => i % 3 < 2).map(Math.abs)) * 1.05, most = Math.max(...spots.filter((_, i) => i % 3 === 2), 1);
      const context = canvas.getContext("2d"), size = canvas.width;
      context.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--panel");
      context.fillRect(0, 0, size, size);
      context.strokeStyle = line();
      context.strokeRect(size / 2, 0, 0, size);
      context.strokeRect(0, size / 2, size, 0);
      for (let i = 0; i < spots.length; i += 3) {
        context.fillStyle = `rgb(${wash(spots[i + 2] / most).map(Math.round).join(",")})`;
        context.beginPath();
        context.arc(size / 2 + (spots[i] / reach) * (size / 2), size / 2 - (spots[i + 1] / reach) * (size / 2), 4, 0, 7);
        context.fill();
      }
      text.textContent = `${energy} MeV/u, ${spots.length / 3} spots, at most ${most.toPrecision(3)} ions per fraction; ±${reach.toFixed(0)} mm, IEC gantry x to the right, y up`;
    };
    beam.addEventListener("change", () => { layer.max = beams[beam.value].length - 1; layer.value = layer.max; draw(); });
    layer.addEventListener("input", draw);
    layer.max = beams[0].length - 1;
    layer.value = layer.max;
    draw();
  };

  document.querySelectorAll(".dvh").forEach(drawHistogram);
  startSpots();
  startViewer();
})();
