"""Pictures of the cohort for figures.py: organs and their limits, mean histograms, TCP of each patient; sagittal TCP of one of them."""
import numpy

import painting  # finds drawing
import drawing

HISTOGRAMS = "GTV", "CTV_HD-GTV", "CTV_LD-GTV", "Rectum", "Sigma", "Bowel", "Nerves", "Skin"
CELLS = "nominal", "best", "worst"
NEAR_MM = 10  # shown around the GTV


def colour(results, arm):
    return drawing.COLOURS[results.arms.index(arm) % len(drawing.COLOURS)]


def organ_panel(axes, results, structure, metric, limit):
    highest = limit
    for n, arm in enumerate(results.arms):
        values = results.of(arm, structure, "rbe_weighted_course", metric)
        if len(values):
            highest = max(highest, values.max())
            at = n + numpy.linspace(-0.25, 0.25, len(values)) if len(values) > 1 else [n]
            axes.plot(at, values, "o", color=colour(results, arm), markersize=3.5)
            axes.plot([n - 0.35, n + 0.35], [numpy.median(values)] * 2, color=colour(results, arm))
    axes.axhline(limit, color="black", linestyle="dashed", linewidth=0.9)
    axes.set(title=f"{structure}\n{metric}", ylim=(0, 1.08 * highest), xticks=[])
    axes.grid(axis="y")


def organs(results):
    """The goals of organs at risk: a panel per goal, a point per patient, the limit dashed."""
    limits = {(g["structure"], g["metric"]): g["limit"] for g in results.goals
              if g["relation"] == "at most" and g["per"] == "course" and "GTV" not in g["structure"]}
    limits = {goal: limit for goal, limit in limits.items() if any(len(results.of(a, goal[0], "rbe_weighted_course", goal[1])) for a in results.arms)}
    if not limits:
        return None
    legend = {arm: {"color": colour(results, arm), "marker": "o", "linestyle": "none"} for arm in results.arms}
    figure, axes = drawing.panels(1, len(limits), 1.9, 3, "Organs at risk: patients and medians; dashed: limit of ours", legend)
    for a, ((structure, metric), limit) in zip(axes[0], limits.items()):
        organ_panel(a, results, structure, metric, limit)
    axes[0, 0].set_ylabel("course, Gy(RBE)")
    return figure


def histogram_panel(axes, results, structure):
    """Mean of the patients' histograms, and the mean less and plus their SD, per fraction times the fractions of the course."""
    for arm in results.arms:
        plans = [plan for plan in results.plans_of(arm).values() if structure in plan.structures]
        if not plans:
            continue
        dose = numpy.linspace(0, 1.2 * plans[0].course_Gy_RBE, 241)
        volume = []
        for plan in plans:
            s, values = plan.structures[structure], plan.dose("rbe_weighted_course")
            at = s.of(values)
            order = numpy.argsort(at)
            above = numpy.concatenate([[1.0], 1 - numpy.cumsum(s.fraction[order]) / s.fraction.sum()])
            volume.append(100 * above[numpy.searchsorted(at[order], dose)])
        mean, sd = numpy.mean(volume, axis=0), numpy.std(volume, axis=0, ddof=1) if len(volume) > 1 else 0
        axes.fill_between(dose, mean - sd, mean + sd, color=colour(results, arm), alpha=0.2, linewidth=0)
        axes.plot(dose, mean, color=colour(results, arm))
    axes.set(title=structure.replace("-", " - "), ylim=(0, 103), xlabel="course, Gy(RBE)", ylabel="volume, %")
    axes.grid()
    axes.label_outer()


def histograms(results):
    """Mean and SD of the patients' histograms of course dose, without errors."""
    drawn = [s for s in HISTOGRAMS if any(s in p.structures and "dose/nominal/rbe_weighted_course" in p for p in results.plans.values())]
    if not drawn:
        return None
    legend = {arm: {"color": colour(results, arm)} for arm in results.arms}
    figure, axes = drawing.panels(2, -(-len(drawn) // 2), 2.7, 2.4, "Histograms of the course: mean of the patients, band: SD", legend, sharey=True)
    for a, structure in zip(axes.flat, drawn):
        histogram_panel(a, results, structure)
    for a in axes.flat[len(drawn):]:
        a.remove()
    return figure


def patients(results):
    """TCP of every patient, from worst to best cell counts."""
    arms = [a for a in results.arms if len(results.of(a, "GTV", "tcp", "TCP"))]
    if not arms:
        return None
    legend = {arm: {"color": colour(results, arm), "marker": "o"} for arm in arms}
    figure, axes = drawing.panels(1, 1, 1.5 + 0.7 * len(results.cases), 3.2, "TCP of each patient: nominal cells; lines: worst to best cells", legend)
    for n, arm in enumerate(arms):
        told = [results.by_case(arm, "GTV", "tcp", m) for m in ("TCP", "TCP_worst", "TCP_best")]
        for i, case in enumerate(results.cases):
            if all(case in of for of in told):
                nominal, worst, best = (of[case] for of in told)
                axes[0, 0].errorbar(i + 0.2 * (n - (len(arms) - 1) / 2), nominal, [[nominal - worst], [best - nominal]], fmt="o", markersize=4,
                                    color=colour(results, arm), capsize=2)
    axes[0, 0].set_xticks(range(len(results.cases)), [case.removeprefix("chordoma-") for case in results.cases])
    axes[0, 0].set(xlabel="patient", ylabel="TCP of the GTV, %")
    axes[0, 0].grid(axis="y")
    return figure


def tcp_of_cells(plan, cells):
    """TCP of every voxel for other cell counts: -ln TCP goes with L(N), N^kappa or ln(1 + N / N0) (include/robion/tcp.h)."""
    model = plan["tcp"]
    of_cells, nominal = (numpy.maximum(plan[f"tcp/clonogens_{c}"].astype(float), 0) for c in (cells, "nominal"))
    if model.link == "power":
        ours, theirs = of_cells**model.kappa, nominal**model.kappa
    else:
        ours, theirs = numpy.log1p(of_cells / model.n0_clonogens), numpy.log1p(nominal / model.n0_clonogens)
    return plan.dose("tcp") ** numpy.divide(ours, theirs, out=numpy.zeros_like(ours), where=theirs > 0)


def sagittal(plans):
    """TCP of the GTV's voxels in the sagittal plane through its centre, a row per cell count, a column per arm."""
    plans = [plan for plan in plans if "tcp" in plan]
    if not plans:
        return None
    gtv = plans[0].structures["GTV"]
    k, j, i = numpy.unravel_index(gtv.voxel, plans[0].shape)
    middle = int(round(numpy.average(i, weights=gtv.fraction)))
    y, z = plans[0].y, plans[0].z
    half = (y[1] - y[0]) / 2
    figure, axes = drawing.panels(len(CELLS), len(plans), 2.9, 2.6, f"{plans[0].case}: TCP of voxels, sagittal, x = {plans[0].x[middle]:.0f} mm", {},
                                  sharex=True, sharey=True)
    for line, cells in zip(axes, CELLS):
        for a, plan in zip(line, plans):
            inside = gtv.inside()[:, :, middle] > 0
            shown = numpy.where(inside, 100 * tcp_of_cells(plan, cells)[:, :, middle], numpy.nan)
            image = a.imshow(shown, extent=(y[0] - half, y[-1] + half, z[0] - half, z[-1] + half), origin="lower", cmap="viridis", vmin=40,
                             vmax=100, interpolation="none")
            a.set(xlim=(y[j.min()] - NEAR_MM, y[j.max()] + NEAR_MM), ylim=(z[k.min()] - NEAR_MM, z[k.max()] + NEAR_MM),
                  xlabel="anterior ← y, mm → posterior", ylabel="z, mm → head", title=plan.arm if cells == CELLS[0] else "")
            a.label_outer()
        line[0].set_ylabel(f"{cells} cells\n{line[0].get_ylabel()}")
    figure.colorbar(image, ax=axes, shrink=0.6, label="TCP of the voxel, %")
    return figure
