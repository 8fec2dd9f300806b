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
      series.push({ stroke: s.colour + "00", width: 0, points: { show: false } });
      series.push({ stroke: s.colour + "00", width: 0, points: { show: false } });
      series.push({ stroke: s.colour, width: 1.5, dash: [6, 4], points: { show: false } }); // of the scenario that is picked
      columns.push(axis.map(() => null));
      bands.push({ series: [at + 1, at + 2], fill: s.colour + "33" });
    }
    const style = { stroke: ink, grid: { stroke: line, width: 0.6 }, ticks: { stroke: line, width: 0.6 } };
    const holder = make("div", { class: "chart" });
    const width = Math.min(900, place.clientWidth || 760);
    const chart = new uPlot({
      width, height: Math.max(260, Math.round(width * 0.5)), series, bands, scales: { x: { time: false }, y: { range: [0, 100] } },
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
      box.addEventListener("change", () => { for (let i = 0; i < 4; i++) chart.setSeries(1 + 4 * k + i, { show: box.checked }); });
      chart.hooks.setCursor = chart.hooks.setCursor || [];
      chart.hooks.setCursor.push((u) => {
        const i = u.cursor.idx;
        value.textContent = i == null ? "" : `${u.data[1 + 4 * k][i].toFixed(1)} % (${u.data[3 + 4 * k][i].toFixed(1)} – ${u.data[2 + 4 * k][i].toFixed(1)})${u.data[4 + 4 * k][i] == null ? "" : `, scenario ${u.data[4 + 4 * k][i].toFixed(1)}`}`;
      });
    });
    const at = make("p", { class: "at", "aria-live": "off" });
    at.textContent = "Volumes in % under the pointer: nominal (lowest – highest of the scenarios).";
    chart.hooks.setCursor.push((u) => { at.textContent = u.cursor.idx == null ? at.textContent : `at ${u.data[0][u.cursor.idx].toFixed(2)}: volumes in %, nominal (lowest – highest of the scenarios)`; });
    document.addEventListener("scenario", async ({ detail: { row } }) => {
      for (const [k, s] of data.series.entries()) {
        const bytes = s.scenarios && row >= 0 ? new DataView((await inflate(s.scenarios)).buffer) : null, n = s.x.length;
        const curve = bytes && 2 * (row + 1) * n <= bytes.byteLength ? s.x.map((_, i) => bytes.getUint16(2 * (row * n + i), true) / 600) : null;
        columns[4 + 4 * k] = curve ? axis.map((x) => interpolate(s.x, curve, x)) : axis.map(() => null);
      }
      chart.setData(columns);
    });
    const caption = place.querySelector("figcaption").textContent;
    place.replaceChildren(make("figure", {}, holder, make("figcaption", {}, caption), at, toggles));
  };

  /* --- Slices ----------------------------------------------------------------------------------------------------- */
  const inflate = (id) => unpack($(id).textContent);
  const unpack = async (base64) => {
    const text = atob(base64), bytes = new Uint8Array(text.length);
    for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  };
  const stops = [[30, 60, 170], [0, 150, 200], [30, 170, 60], [240, 220, 40], [240, 130, 20], [200, 20, 20]];
  const wash = (value) => {
    const n = stops.length - 1, at = Math.min(value, 1) * n, i = Math.min(Math.floor(at), n - 1), share = at - i;
    return stops[i].map((c, k) => c + share * (stops[i + 1][k] - c));
  };
  const planes = [{ name: "transverse", across: 0, down: 1, normal: 2, flip: false, sides: "patient left is right, anterior is up" }, { name: "coronal", across: 0, down: 2, normal: 1, flip: true, sides: "patient left is right, superior is up" }, { name: "sagittal", across: 1, down: 2, normal: 0, flip: true, sides: "posterior is right, superior is up" }];

  const isodoses = [[0.95, [255, 255, 255]], [0.5, [200, 200, 200]]]; // as in page_slices.c
  const startViewer = async () => {
    const info = json("volumes");
    if (!info || !info.volumes.length || typeof DecompressionStream === "undefined") return;
    const [nx, ny] = info.n, at = info.middle.slice(), cache = {};
    const load = async (id) => (cache[id] = cache[id] || (await inflate(id)));
    const index = (p) => (p[2] * ny + p[1]) * nx + p[0];
    const ctAt = info.volumes.findIndex((v) => v.name === "ct");
    const ct = ctAt < 0 ? null : await load(`volume-${ctAt}`);
    const drawn = info.structures.map((_, s) => s).filter((s) => $(`mask-${s}`));
    const masks = await Promise.all(drawn.map(async (s) => ({ s, mask: await load(`mask-${s}`), show: true })));
    const choice = make("select", { id: "quantity" });
    info.volumes.forEach((v, i) => { if (i !== ctAt && !v.plan) choice.append(make("option", { value: i }, v.unit === "1" ? v.label : `${v.label} / ${v.unit}`)); });
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
    const steps = [1, nx, nx * ny];
    /* Where the pixels of a line lie along an axis of voxels: index of the voxel, at which side of it (1: low, 2: high), and neighbours with their share. */
    const ruler = (axis, pixels, flip) => {
      const n = info.n[axis], step = steps[axis], of = { voxel: new Int32Array(pixels), at: new Int32Array(pixels), side: new Uint8Array(pixels), low: new Int32Array(pixels + 1), high: new Int32Array(pixels + 1), share: new Float32Array(pixels + 1), step, n };
      for (let k = 0; k <= pixels; k++) {
        const place = ((flip ? pixels - k - 0.5 : k + 0.5) / pixels) * n, centre = clamp(place - 0.5, n - 1), low = Math.floor(centre);
        of.low[k] = low * step, of.high[k] = Math.min(low + 1, n - 1) * step, of.share[k] = centre - low;
        if (k < pixels) of.voxel[k] = Math.min(Math.floor(place), n - 1), of.at[k] = of.voxel[k] * step, of.side[k] = place % 1 <= 0.3 ? 1 : place % 1 >= 0.7 ? 2 : 0;
      }
      return of;
    };
    for (const view of views) {
      view.across = ruler(view.plane.across, view.canvas.width, false);
      view.down = ruler(view.plane.down, view.canvas.height, view.plane.flip);
    }
    const baseOf = (view) => at[view.plane.normal] * steps[view.plane.normal];
    /* Where the dose, bilinear between centres of voxels as in page_slices.c, crosses a level between pixels. */
    const markIsodoses = (view, field, scale, pixels) => {
      const w = view.canvas.width, h = view.canvas.height, part = new Float32Array((w + 1) * (h + 1)), factor = scale / info.prescription, base = baseOf(view), { across, down } = view;
      for (let y = 0, k = 0; y <= h; y++) {
        const upper = base + down.low[y], lower = base + down.high[y], sd = down.share[y];
        for (let x = 0; x <= w; x++, k++) {
          const l = across.low[x], r = across.high[x], sa = across.share[x];
          part[k] = factor * ((1 - sd) * ((1 - sa) * field[upper + l] + sa * field[upper + r]) + sd * ((1 - sa) * field[lower + l] + sa * field[lower + r]));
        }
      }
      for (const [level, colour] of isodoses)
        for (let y = 0; y < h; y++)
          for (let x = 0; x < w; x++) {
            const k = y * (w + 1) + x, here = part[k] < level;
            if (here !== part[k + 1] < level || here !== part[k + w + 1] < level) pixels.set(colour, 4 * (y * w + x));
          }
    };
    const markOutlines = (view, pixels) => {
      const { across, down } = view, base = baseOf(view), width = view.canvas.width, height = view.canvas.height;
      for (const { s, mask } of masks.filter((one) => one.show)) {
        const c = parseInt(info.structures[s].colour.slice(1), 16), red = c >> 16, green = (c >> 8) & 255, blue = c & 255;
        const open = (ruler, k, v) => (ruler.side[k] === 1 ? ruler.voxel[k] === 0 || !mask[v - ruler.step] : ruler.voxel[k] === ruler.n - 1 || !mask[v + ruler.step]);
        for (let y = 0, k = 0; y < height; y++)
          for (let x = 0; x < width; x++, k += 4) {
            const v = base + across.at[x] + down.at[y];
            if (!mask[v] || !((across.side[x] && open(across, x, v)) || (down.side[y] && open(down, y, v)))) continue;
            pixels[k] = red, pixels[k + 1] = green, pixels[k + 2] = blue;
          }
      }
    };
    /* Red where this plan has more than the other one, blue where less, full colour from 20 % of the prescription on. */
    const differenceColour = (v) => {
      const part = (values[v] * shown.scale - other[v] * otherShown.scale) / (0.2 * info.prescription);
      return Math.abs(part) < 0.05 ? null : [part > 0 ? [220, 40, 30] : [40, 110, 240], Math.min(Math.abs(part), 1)];
    };
    const isDose = (volume) => volume.unit === "Gy(RBE)" && !volume.spread;
    const paint = (view, canvas, field, volume, difference) => {
      const context = canvas.getContext("2d"), image = context.createImageData(canvas.width, canvas.height), data = image.data, share = opacity.value / 100, { across, down } = view;
      const factor = volume.full > 0 ? volume.scale / volume.full : 0, colours = Array.from({ length: 256 }, (_, i) => (i * factor >= 1 / 11 ? wash(i * factor) : null)), base = baseOf(view);
      for (let y = 0, k = 0; y < canvas.height; y++)
        for (let x = 0; x < canvas.width; x++, k += 4) {
          const v = base + across.at[x] + down.at[y], grey = ct ? clamp((ct[v] - 60) / 90, 1) * 255 : 40;
          let over = colours[field[v]], weight = share;
          if (difference) [over, weight] = differenceColour(v) || [null, 0];
          for (let c = 0; c < 3; c++) data[k + c] = over ? (1 - weight) * grey + weight * over[c] : grey;
          data[k + 3] = 255;
        }
      if (isDose(volume) && !difference) markIsodoses(view, field, volume.scale, data);
      markOutlines(view, data);
      context.putImageData(image, 0, 0);
    };
    /* What the colours mean: of doses in percent of the prescription too. */
    const washLegend = $("wash-legend"), lines = [...washLegend.querySelectorAll(".line")].map((swatch) => swatch.parentNode);
    const explain = () => {
      const swatch = (colour, text) => { const box = make("span", { class: "swatch" }); box.style.background = `rgb(${colour.map(Math.round).join(",")})`; return make("li", {}, box, text); };
      const unit = shown.unit === "1" ? "" : ` ${shown.unit}`, value = (k) => ((k / 11) * shown.full).toPrecision(3) + unit;
      if (how === "difference") washLegend.replaceChildren(...[-1, -0.5, 0.5, 1].map((part) => swatch((part > 0 ? [220, 40, 30] : [40, 110, 240]).map((c) => Math.abs(part) * c + (1 - Math.abs(part)) * 128), `${part > 0 ? "+" : "−"}${(Math.abs(part) * 0.2 * info.prescription).toPrecision(3)}${unit}`)));
      else washLegend.replaceChildren(...[1, 3, 5, 7, 9, 10, 11].map((k) => swatch(wash(k / 11), isDose(shown) ? `${10 * k} %, ${value(k)}` : value(k))), ...(isDose(shown) ? lines : []));
    };
    const draw = (view) => {
      const { plane } = view;
      paint(view, view.canvas, values, shown, how === "difference");
      view.below.hidden = how !== "beside";
      if (how === "beside") paint(view, view.below, other, otherShown, false);
      const mm = info.origin_mm[plane.normal] + at[plane.normal] * info.spacing_mm[plane.normal];
      const size = [plane.across, plane.down].map((a) => (info.n[a] * info.spacing_mm[a]).toFixed(0)).join(" × ");
      view.caption.textContent = `${plane.name}, ${"xyz"[plane.normal]} = ${mm.toFixed(1)} mm; ${size} mm; ${plane.sides}`;
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
      explain();
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
    document.addEventListener("scenario", ({ detail: { id } }) => {
      const i = info.volumes.findIndex((v) => (id ? v.scenario === id || (id === "nominal" && v.name === "rbe_weighted") : v.name === "rbe_weighted"));
      note.textContent = i < 0 ? `the dose of scenario ${id} is not on this page (key results.scenario_doses)` : "";
      if (i < 0) return;
      choice.value = i;
      choose();
    });
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

  /* --- Scenarios: a button for each, which the histograms and the slices hear of ------------------------------------- */
  const startScenarios = () => {
    const rows = [...document.querySelectorAll("tr[data-scenario]")];
    rows.forEach((row, k) => {
      const button = make("button", { type: "button", "aria-pressed": "false" }, row.dataset.scenario);
      row.cells[0].replaceChildren(button);
      button.addEventListener("click", () => {
        const picked = button.getAttribute("aria-pressed") === "false";
        for (const other of rows) {
          other.classList.toggle("picked", picked && other === row);
          other.cells[0].firstChild.setAttribute("aria-pressed", String(picked && other === row));
        }
        document.dispatchEvent(new CustomEvent("scenario", { detail: picked ? { id: row.dataset.scenario, row: k } : { id: null, row: -1 } }));
      });
    });
  };

  /* --- Tables: unpacked when they are asked for ----------------------------------------------------------------------- */
  const startDownloads = () => {
    if (typeof DecompressionStream === "undefined") return;
    for (const packed of document.querySelectorAll("a.packed"))
      packed.addEventListener("click", async (event) => {
        event.preventDefault();
        const url = URL.createObjectURL(new Blob([await unpack(packed.href.split(",")[1])], { type: "text/csv" }));
        make("a", { href: url, download: packed.download.replace(/\.gz$/, "") }).click();
        setTimeout(() => URL.revokeObjectURL(url), 60000);
      });
  };

  startDownloads();
  document.querySelectorAll(".dvh").forEach(drawHistogram);
  startScenarios();
  startSpots();
  startViewer();
})();
