"""The axial slice through the GTV's centre, a column per arm: a picture for figures.py."""
import numpy
from matplotlib.colors import LogNorm

from painting import WINDOW
import drawing

WIDE_MM, NEAR_MM = 35, 10  # shown around CTV_LD, around the GTV
ASPECT = 1.25  # width over height of panels
WIDTH = 3.1  # of panels, inches
LEAST_SHOWN = 0.05  # of the prescription: no LETd of less dose
STRUCTURES = "GTV", "CTV_HD", "CTV_LD", "Rectum", "Sigma", "Bowel", "Nerves", "Sacrum", "External"


class Slice:
    """Planes [y, x] of one plan in the slice through its GTV's centre."""

    def __init__(self, plan):
        gtv, self.plan = plan.structures["GTV"], plan
        self.k = k = gtv.middle()
        tumour, body = gtv.inside(k) > 0, sum(s.inside(k) for s in plan.structures.values() if s.role == "external") > 0
        self.dose = numpy.where(body, plan.dose("rbe_weighted_course")[k], numpy.nan)
        self.painted = numpy.where(tumour, 100 / plan.course_Gy_RBE * self.dose, numpy.nan)
        self.letd = numpy.where(self.dose >= LEAST_SHOWN * plan.course_Gy_RBE, plan.dose("letd")[k], numpy.nan)
        self.title = plan.arm
        if "tcp" in plan:
            tcp = plan.dose("tcp")
            self.tcp = numpy.where(tumour, 100 * tcp[k], numpy.nan)
            self.cells = numpy.where(tumour, plan["tcp/clonogens_nominal"][k], numpy.nan)
            whole = 100 * numpy.exp(numpy.average(numpy.log(gtv.of(tcp)), weights=gtv.fraction))
            self.title += f", TCP {whole:.1f} %"


def window(of, name, margin_mm):
    """x low, x high, y low, y high of the panels' shape about a structure."""
    j, i = numpy.nonzero(of.plan.structures[name].inside(of.k) > 0.5)
    x, y = of.plan.x[i], of.plan.y[j]
    half_y = max(numpy.ptp(y) / 2 + margin_mm, (numpy.ptp(x) / 2 + margin_mm) / ASPECT)
    middle_x, middle_y = (x.min() + x.max()) / 2, (y.min() + y.max()) / 2
    return middle_x - ASPECT * half_y, middle_x + ASPECT * half_y, middle_y - half_y, middle_y + half_y


def planes(slices):
    """Rows of the picture: a plane or None per plan, window, label and colours."""
    wide, near = window(slices[0], "CTV_LD", WIDE_MM), window(slices[0], "GTV", NEAR_MM)
    yield ([s.dose for s in slices], wide, "course, Gy(RBE)",
           {"cmap": "turbo", "vmin": 0, "vmax": 1.1 * slices[0].plan.course_Gy_RBE})
    yield ([s.painted for s in slices], near, "course in the GTV,\n% of prescription",
           {"cmap": "turbo", "vmin": WINDOW[0], "vmax": WINDOW[1]})
    yield [s.letd for s in slices], wide, "LETd, keV/µm", {"cmap": "YlGnBu", "vmin": 20, "vmax": 80}
    if "tcp" not in slices[0].plan:
        return print(f"left out: TCP and cell count of {slices[0].plan.case}, its plans have none")
    yield [s.tcp for s in slices], near, "TCP of the voxel, %", {"cmap": "viridis", "vmin": 40, "vmax": 100}
    rest = [None] * (len(slices) - 1)
    yield [slices[0].cells] + rest, near, "clonogens per 27 mm³\n(all arms)", {"cmap": "OrRd", "norm": LogNorm(1e5, 1e6)}
    if slices[0].plan.arm == "uniform" and rest:
        gains = [s.tcp - slices[0].tcp for s in slices[1:]]
        yield [None] + gains, near, "gain of TCP\nover uniform, pp", {"cmap": "RdBu_r", "vmin": -25, "vmax": 25}


def arrows(axes, gantry):
    """Where the fields come from, at the panel's edge."""
    for angle in numpy.radians(gantry):
        towards = numpy.array((numpy.sin(angle), numpy.cos(angle)))
        at = 0.5 + 0.5 / abs(towards).max() * towards
        axes.annotate("", at - (0.11, 0.13) * towards, at, "axes fraction",
                      arrowprops={"arrowstyle": "-|>,head_width=0.25,head_length=0.5", "lw": 2.5, "color": "black", "shrinkA": 0})


def picture(plans):
    """Of plans of one patient."""
    slices = [Slice(plan) for plan in plans]
    first, k = plans[0], slices[0].k
    gantry = sorted({b.gantry_deg for b in first.beams if b.couch_deg == 0})  # their fields lie in the slice
    lines = drawing.styles([first], STRUCTURES, k)
    shown = list(planes(slices))
    prone = first.patient_position == "HFP"
    title = (f"{first.case}, axial slice z = {round(first.z[k])} mm\n"
             + ("prone, head first: posterior is up" if prone else f"patient position {first.patient_position}")
             + ", seen from the feet; fields (arrows): " + ", ".join(f"{g:.0f}°" for g in gantry))
    figure, axes = drawing.panels(min(len(shown), 5), len(plans), WIDTH, WIDTH / ASPECT + 0.3, title,
                               {**lines, "95 % isodose (white)": {**drawing.ISODOSE, "color": "silver"}}, margin=1.4)
    for row, (of_plans, window_mm, label, how) in enumerate(shown):
        last, line = row >= 4, axes[min(row, 4)]  # cell count and gain share a row
        for a, s, plane in zip(line, slices, of_plans):
            if plane is not None:
                image = drawing.show(a, s.plan, k, plane, lines, window_mm, **how)
                a.tick_params(labelbottom=True)
        drawn = [a for a, plane in zip(line, of_plans) if plane is not None]
        where = {"location": "bottom", "shrink": 0.8 / len(drawn)} if last else {"location": "right"}
        bar = figure.colorbar(image, ax=drawn, label=label, **where)
        bar.minorticks_off()
    for a, s in zip(axes[0], slices):
        drawing.contour(a, s.plan, numpy.nan_to_num(s.dose), 0.95 * s.plan.course_Gy_RBE, drawing.ISODOSE)
        arrows(a, gantry)
        a.set_title(s.title)
    return figure
