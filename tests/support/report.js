/*
 * A plan's page in a browser that has no network:  report.js MODULES CHROMIUM PAGE.html PLAN-FOLDER BYTES.json INDEX.html RESULTS
 * prints a line "WHAT: good", or what is wrong, for each of the checks that `report.js --list` names.
 */
"use strict";
const fs = require("fs"), zlib = require("zlib");

/* RFC 4180, as rows of objects. */
const table = (file) => {
  const rows = [[""]];
  let quoted = false;
  const text = fs.readFileSync(file, "utf8");
  for (let i = 0; i < text.length; i++) {
    const row = rows[rows.length - 1], c = text[i];
    if (quoted && c === '"' && text[i + 1] === '"') row[row.length - 1] += text[++i];
    else if (c === '"') quoted = !quoted;
    else if (c === "," && !quoted) row.push("");
    else if (c === "\n" && !quoted) rows.push([""]);
    else row[row.length - 1] += c;
  }
  const [names, ...values] = rows.filter((row) => row.length > 1);
  return values.map((row) => Object.fromEntries(row.map((value, k) => [names[k], value])));
};

/* All tables of a section: captions, headers and cells as people see them. */
const tablesOf = (page, id) =>
  page.evaluate((section) => [...document.querySelectorAll(`#${section} table`)].map((t) => ({
    caption: t.caption.textContent,
    head: [...t.tHead.rows[0].cells].map((c) => c.textContent),
    rows: [...t.tBodies[0].rows].map((r) => [...r.cells].map((c) => [...c.childNodes].map((n) => n.textContent).filter(Boolean))),
  })), id);
const expect = (truth, text) => { if (!truth) throw new Error(text); };
const shots = (page) => page.evaluate(() => [...document.querySelectorAll(".slices canvas")].map((c) => c.toDataURL()).join(" "));
/* What is on the canvases after `act` is something else than before. */
const changes = async (page, act, text) => {
  const before = await shots(page);
  await act();
  await page.waitForTimeout(400);
  expect(before !== (await shots(page)), text);
};

const checks = {
  "goals as in goals.csv": async ({ still, folder }) => {
    const goals = table(`${folder}/goals.csv`), [shown] = await tablesOf(still, "verdict");
    expect(goals.length > 2 && shown.rows.length === goals.length, `${shown.rows.length} rows, expected ${goals.length}`);
    goals.forEach((g, k) => {
      const cells = shown.rows[k].map((c) => c.join(" ")), at = (name) => cells[shown.head.indexOf(name)];
      expect(at("Structure") === g.structure && at("Value") === `${g.value} ${g.unit}` && at("Verdict") === (g.met === "1" ? "met" : "missed") &&
        at("Goal").includes(`${g.metric} ${g.each_relation || g.relation} ${g.each_limit || g.limit}`), `${cells.join(" | ")}, expected ${JSON.stringify(g)}`);
    });
  },
  "scenarios that keep a goal counted": async ({ still, folder }) => {
    const metrics = table(`${folder}/metrics.csv`), set = new Set(table(`${folder}/scenarios.csv`).filter((s) => s.set === "evaluate" && s.in_set === "1").map((s) => s.id));
    const [shown] = await tablesOf(still, "verdict");
    table(`${folder}/goals.csv`).forEach((g, k) => {
      const limit = Number(g.each_limit || g.limit), least = (g.each_relation || g.relation) === "at least";
      const values = metrics.filter((m) => set.has(m.scenario) && m.structure === g.structure && m.quantity === g.quantity && m.metric === g.metric).map((m) => Number(m.value));
      const kept = values.filter((v) => (least ? v >= limit : v <= limit)).length;
      expect(values.length > 5 && shown.rows[k][shown.head.indexOf("Kept in scenarios")].join("").startsWith(`${kept} of ${values.length},`), `goal ${k}: ${kept} of ${values.length}, shown ${shown.rows[k].join(" | ")}`);
    });
  },
  "metrics as in metrics.csv": async ({ still, folder }) => {
    const text = {}, units = {};
    for (const m of table(`${folder}/metrics.csv`)) {
      (text[[m.scenario, m.structure, m.metric]] = text[[m.scenario, m.structure, m.metric]] || []).push(m.value);
      (units[m.metric] = units[m.metric] || new Set()).add(m.unit);
    }
    let n = 0;
    for (const [section, scenario] of [["metrics", "nominal"], ["robustness", "index"]])
      for (const t of await tablesOf(still, section))
        for (const row of t.rows)
          t.head.slice(1).forEach((header, k) => {
            const [metric, unit = "1"] = header.split(" / "), [value, range] = row[k + 1], [structure] = row[0], has = (which, what) => (text[[which, structure, metric]] || []).includes(what);
            if (/ /.test(metric)) return;
            expect(t.rows.some((other) => other[k + 1][0]) && units[metric].has(unit), `${t.caption}: ${header}`);
            if (!value) return;
            expect(has(scenario, value), `${structure} ${metric}: ${value}`);
            if (range) expect(has("min", range.split(" – ")[0]) && has("max", range.split(" – ")[1]), `${structure} ${metric}: ${range}`);
            n++;
          });
    expect(n > 30, `${n} numbers found`);
  },
  "scenarios as in metrics.csv": async ({ still, folder }) => {
    const metrics = table(`${folder}/metrics.csv`), [shown] = await tablesOf(still, "scenarios");
    const listed = table(`${folder}/scenarios.csv`).filter((s) => s.set === "evaluate");
    expect(listed.length > 5 && shown.rows.length === listed.length, `${shown.rows.length} rows, expected ${listed.length}`);
    listed.forEach((s, k) => {
      const cells = shown.rows[k].map((c) => c.join(""));
      expect(cells.slice(0, 5).join() === [s.id, s.x_mm, s.y_mm, s.z_mm, s.range_percent].join(), `${cells}, expected ${JSON.stringify(s)}`);
      shown.head.slice(5).forEach((name, i) => {
        const found = metrics.find((m) => m.scenario === s.id && m.quantity === "rbe_weighted" && `${m.structure} ${m.metric} / ${m.unit}` === name);
        expect(found && found.value === cells[5 + i], `${s.id} ${name}: ${cells[5 + i]}`);
      });
    });
  },
  "arms and sweep curves as in metrics.csv and statistics.csv": async ({ front, results }) => {
    const statistics = table(`${results}/statistics.csv`), metrics = table(`${results}/metrics.csv`);
    const find = (rows, told) => rows.filter((row) => Object.entries(told).every(([key, value]) => row[key] === value));
    const told = (caption) => { const [, structure, metric, scenario, unit] = caption.match(/^(.+) (\S+), (\w+) \/ ([^;]+)/); return { structure, metric, scenario, unit, quantity: "rbe_weighted" }; };
    let n = 0;
    const compare = (shown, found, column) => { expect(found.length === 1 && found[0][column] === shown, `${shown}, expected ${JSON.stringify(found)}`); n++; };
    for (const t of await tablesOf(front, "arms"))
      for (const row of t.rows)
        t.head.slice(1).forEach((name, k) => { const [arm, sweep] = name.split(", "); compare(row[k + 1].join(), find(metrics, { ...told(t.caption), case: row[0].join(), arm, sweep }), "value"); });
    for (const t of await tablesOf(front, "sweep"))
      for (const row of t.rows)
        t.head.slice(1).forEach((arm, k) => compare(row[k + 1].join(), find(statistics, { ...told(t.caption), arm, sweep: `${t.head[0]}=${row[0].join()}`, versus_arm: "" }), "median"));
    for (const row of (await tablesOf(front, "statistics")).flatMap((t) => t.rows).map((cells) => cells.map((c) => c.join()))) {
      const [arm, sweep] = row[1].split(", "), [versus_arm, versus_sweep] = row[2].split(", "), found = find(statistics, { ...told(row[0]), arm, sweep, versus_arm, versus_sweep });
      ["n", "median", "median_low", "median_high", "ratio", "wilcoxon_p", "wilcoxon_holm_p"].forEach((column, k) => compare(row[3 + k], found, column));
    }
    expect(n > 60, `${n} numbers found`);
  },
  "what the study's page says first": async ({ front, results }) => {
    const statistics = table(`${results}/statistics.csv`), [{ head, rows }] = await tablesOf(front, "summary"), worst = {};
    for (const row of rows) {
      const [arm, sweep] = row[0].join().split(", ");
      head.forEach((name, k) => {
        const found = name.match(/^(.+) (\S+), (nominal|worst) \/ /);
        if (!found) return;
        const scenario = found[3] === "nominal" ? "nominal" : found[2] === "Dmax" ? "max" : "min";
        const median = statistics.find((s) => s.scenario === scenario && s.structure === found[1] && s.metric === found[2] && s.quantity === "rbe_weighted" && s.arm === arm && s.sweep === sweep && !s.versus_arm).median;
        expect(row[k].join() === median, `${arm} ${name}: ${row[k].join()}, expected ${median}`);
        if (name.startsWith("CTV D98, worst") && sweep === rows[0][0].join().split(", ")[1]) worst[row[0].join()] = Number(median);
      });
    }
    const best = Object.keys(worst).sort((a, b) => worst[b] - worst[a])[0], said = await front.textContent("#summary dd strong");
    expect(Object.keys(worst).length === 2 && said === best, `${said}, expected ${best}`);
  },
  "goals met by each arm as in goals.csv": async ({ front, results }) => {
    const [, shown] = await tablesOf(front, "goals"), goals = table(`${results}/goals.csv`);
    const words = (g) => [`${g.structure} ${g.metric} ${g.each_relation || g.relation} ${g.each_limit || g.limit}`, g.per, g.scenario].join();
    const distinct = new Set(goals.map((g) => words(g) + g.limit));
    expect(shown.rows.length === distinct.size && distinct.size > 2, `${shown.rows.length} goals, expected ${distinct.size}`);
    for (const row of shown.rows.map((cells) => cells.map((c) => c.join(""))))
      shown.head.slice(3).forEach((variant, k) => {
        const own = goals.filter((g) => `${g.arm}, ${g.sweep}` === variant && g.per === row[1] && g.scenario === row[2] && row[0].startsWith(`${words(g).split(",")[0]} `));
        expect(own.length > 0 && row[k + 3] === `${own.filter((g) => g.met === "1").length} of ${own.length}`, `${variant}: ${row.join(" | ")}`);
      });
  },
  "which run made it": async ({ still, front, results }) => {
    const run = JSON.parse(fs.readFileSync(`${results}/provenance.json`, "utf8"));
    for (const page of [still, front]) {
      const said = await page.textContent("#origin");
      for (const word of [run.version, run.git, run.command, run.started]) expect(word && said.includes(word), `${word} is not in ${said.slice(0, 300)}`);
    }
  },
  "a curve for each arm through all points of the sweep": async ({ front }) => {
    const curves = await front.evaluate(() => [...document.querySelectorAll("#sweep figure")].map((f) => [...f.querySelectorAll("polyline")].map((p) => p.getAttribute("points").trim().split(" ").length).join()));
    expect(curves.length > 3 && curves.every((c) => c === "2,2"), curves.join(" "));
  },
  "complete without JavaScript": async ({ still }) => {
    const seen = await still.evaluate(() => ({ img: [...document.images].filter((i) => i.naturalWidth > 20).length, svg: document.querySelectorAll("figure svg polyline").length, sections: [...document.querySelectorAll("section")].map((s) => s.id).join() }));
    expect(seen.img === 3 && seen.svg > 3 && seen.sections === "verdict,histograms,slices,metrics,robustness,scenarios,beams,solution,origin", JSON.stringify(seen));
  },
  "volumes as in plan.h5": async ({ page, bytes }) => {
    const sums = await page.evaluate(async () => {
      const { info, load } = window.robionVolumes, found = {};
      for (let i = 0; i < info.volumes.length; i++) if (!info.volumes[i].plan && !info.volumes[i].scenario) found[info.volumes[i].unit === "1/mm3" ? info.volumes[i].label : info.volumes[i].name] = (await load(`volume-${i}`)).reduce((a, b) => a + b, 0);
      return found;
    });
    expect(Object.keys(bytes).some((name) => /deviation/.test(name)) && Object.keys(bytes).some((name) => /11C/.test(name)), Object.keys(bytes).join());
    for (const [name, sum] of Object.entries(bytes)) expect(sums[name] === sum && sum > 0, `${name}: ${sums[name]}, expected ${sum}`);
  },
  "tables to take away, letter by letter": async ({ page, still, folder }) => {
    const links = await still.evaluate(() => [...document.querySelectorAll("a.packed")].map((a) => ({ href: a.href, name: a.textContent, file: a.download })));
    expect(links.map((l) => l.name).sort().join() === "dvh.csv,goals.csv,metrics.csv,scenarios.csv", links.map((l) => l.name).join());
    for (const { href, name, file } of links) {
      expect(file.endsWith(`_${name}.gz`) && zlib.gunzipSync(Buffer.from(href.split(",")[1], "base64")).equals(fs.readFileSync(`${folder}/${name}`)), `${file} is not ${name}`);
      const [download] = await Promise.all([page.waitForEvent("download"), page.click(`a.packed:text-is("${name}")`)]);
      expect(download.suggestedFilename().endsWith(`_${name}`) && fs.readFileSync(await download.path()).equals(fs.readFileSync(`${folder}/${name}`)), `${download.suggestedFilename()} is not ${name}`);
    }
  },
  "sliders by keyboard change slices": async ({ page }) => {
    await page.focus(".slices input[type=range]");
    await changes(page, () => page.keyboard.press("ArrowRight"), "the same slices");
  },
  "another quantity changes slices": async ({ page }) => {
    await changes(page, () => page.selectOption("#quantity", { index: 3 }), "the same slices");
    await page.selectOption("#quantity", { index: 0 });
  },
  "structures go and come": async ({ page }) => {
    await changes(page, () => page.click("#outlines input"), "the same slices");
    await page.click("#outlines input");
    const curve = () => page.evaluate(() => document.querySelector(".dvh canvas").toDataURL());
    const before = await curve();
    await page.click(".dvh input");
    await page.waitForTimeout(200);
    expect(before !== (await curve()), "the same histogram");
    await page.click(".dvh input");
  },
  "the other arm beside and as a difference": async ({ page }) => {
    await changes(page, () => page.selectOption("#compare", { index: 2 }), "the same slices");
    await page.selectOption("#compare", { index: 1 });
    await page.waitForFunction(() => [...document.querySelectorAll(".slices canvas")].filter((c) => !c.hidden).length === 6);
    await page.selectOption("#compare", { index: 0 });
  },
  "a scenario changes curves and slices": async ({ page }) => {
    const id = await page.evaluate(() => window.robionVolumes.info.volumes.find((v) => v.scenario && v.scenario !== "nominal").scenario);
    const curves = () => page.evaluate(() => [...document.querySelectorAll(".dvh canvas")].map((c) => c.toDataURL()).join(" "));
    const before = await curves();
    await changes(page, () => page.click(`tr[data-scenario="${id}"] button`), "the same slices");
    expect(before !== (await curves()), "the same histograms");
    await page.click(`tr[data-scenario="${id}"] button`);
    await page.waitForTimeout(400);
    expect(before === (await curves()), "histograms do not come back");
  },
  "prints to A4": async ({ page }) => {
    await page.emulateMedia({ media: "print" });
    await page.setViewportSize({ width: 1047, height: 718 }); // A4 landscape less its margins
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.emulateMedia({ media: null });
    expect(wide <= 1047, `${wide} pixels wide, expected at most 1047`);
    const pdf = await page.pdf({ preferCSSPageSize: true });
    expect(pdf.subarray(0, 5).toString() === "%PDF-" && pdf.length > 20000, `${pdf.length} bytes`);
  },
  "ready in five seconds": async ({ took }) => expect(took < 5000, `${took} ms`),
  "no request but for the file": async ({ requests, file }) => expect(requests.length && requests.every((url) => url === `file://${file}`), requests.join(" ")),
  "no word on the console": async ({ said }) => expect(!said.length, said.join(" ")),
  "nothing axe objects to": async ({ audited }) => expect(audited.every((a) => !a.length), JSON.stringify(audited)),
};

const audit = async (context, url, axe) => {
  const page = await context.newPage();
  await page.goto(url);
  await page.waitForTimeout(1000);
  await page.evaluate(fs.readFileSync(axe, "utf8"));
  const found = await page.evaluate(() => axe.run());
  return found.violations.map((v) => `${v.id}: ${v.nodes[0].html.slice(0, 120)}`);
};

const main = async (modules, chromium, file, folder, bytes, index, results) => {
  const browser = await require(`${modules}/playwright-core`).chromium.launch({ executablePath: chromium, args: ["--no-sandbox"] });
  const context = await browser.newContext({ offline: true, viewport: { width: 1280, height: 900 } });
  const still = await (await browser.newContext({ offline: true, javaScriptEnabled: true })).newPage();
  const page = await context.newPage(), requests = [], said = [];
  page.on("request", (r) => { if (!/^(data|blob):/.test(r.url())) requests.push(r.url()); });
  page.on("console", (m) => said.push(m.text()));
  page.on("pageerror", (e) => said.push(e.message));
  const start = Date.now();
  await page.goto(`file://${file}`);
  await page.waitForFunction(() => document.body.dataset.ready, null, { timeout: 20000 });
  const took = Date.now() - start;
  /* Without its scripts, but with ours to look at it. */
  const front = await (await browser.newContext({ offline: true })).newPage();
  await front.goto(`file://${index}`);
  await still.setContent(fs.readFileSync(file, "utf8").replace(/<script>[^]*?<\/script>/g, ""));
  const audited = [];
  if (fs.existsSync(`${modules}/axe-core`))
    for (const scheme of ["light", "dark"])
      for (const which of [file, index]) audited.push(await audit(await browser.newContext({ offline: true, colorScheme: scheme }), `file://${which}`, `${modules}/axe-core/axe.min.js`));
  const given = { page, still, front, file, folder, results, bytes: JSON.parse(fs.readFileSync(bytes)), requests, said, took, audited };
  for (const [what, check] of Object.entries(checks))
    console.log(`${what}: ${await check(given).then(() => "good", (e) => e.message.split("\n")[0])}`);
  await browser.close();
};

if (process.argv[2] === "--list") console.log(Object.keys(checks).join("\n"));
else main(...process.argv.slice(2)).catch((e) => { console.log(e.stack); process.exit(1); });
