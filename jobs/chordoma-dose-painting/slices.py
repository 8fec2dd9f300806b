"""The axial slice through the GTV's centre, a column per arm: a gnuplot script for figures.py."""
import h5py
import numpy

from gnuplot import block, key, place, shade
from painting import WINDOW, text

WIDE_MM, NEAR_MM = 35, 10  # shown around CTV_LD, around the GTV
ASPECT = 1.25  # width over height of panels, in mm as in pixels
WIDTH, GAP, LEFT, RIGHT, TOP, BOTTOM = 300, 28, 75, 95, 78, 175
LEAST_SHOWN = 0.05  # of the prescription: no LETd of less dose
TURBO = "#30123b #4662d7 #36aaf9 #1ae4b6 #72fe5e #c8ef34 #faba39 #f66b19 #ca2a04 #7a0403"
BLUES = "#ffffd9 #edf8b1 #c7e9b4 #7fcdbb #41b6c4 #1d91c0 #225ea8 #253494 #081d58"
VIRIDIS = "#440154 #472d7b #3b528b #2c728e #21918c #28ae80 #5ec962 #addc30 #fde725"
HEAT = "#fff7ec #fee8c8 #fdd49e #fdbb84 #fc8d59 #ef6548 #d7301f #b30000 #7f0000"
DIVERGING = "#053061 #2166ac #67a9cf #d1e5f0 #f7f7f7 #fddbc7 #ef8a62 #b2182b #67001f"
TARGETS = {"GTV": "lc rgb 'black' lw 2", "CTV_HD": "lc rgb 'black' lw 1.4 dt 2", "CTV_LD": "lc rgb 'black' lw 1.4 dt 4"}
ORGANS = {"Rectum": "#8b4513", "Sigma": "#ff00ff", "Bowel": "#ff8c00", "Nerves": "#00a000", "Sacrum": "#888888",
          "External": "#555555"}


class Slice:
    """Planes [y, x] of one plan in the slice through its GTV's centre."""

    def __init__(self, file):
        with h5py.File(file) as f:
            self.case, self.arm = text(f.attrs["case"]), text(f.attrs["arm"])
            self.x, self.y, self.z = (f["grid"][k][:] for k in ("x_mm", "y_mm", "z_mm"))
            self.prone = text(f["plan"].attrs["patient_position"]) == "HFP"
            self.position = text(f["plan"].attrs["patient_position"])
            flat = [b for b in f["plan"].values() if b.attrs["couch_deg"][0] == 0]  # their fields lie in the slice
            self.gantry = sorted({float(b.attrs["gantry_deg"][0]) for b in flat})
            self.prescription = float(f.attrs["prescription_Gy_RBE_per_fraction"][0] * f.attrs["fractions"][0])
            shape = self.z.size, self.y.size, self.x.size
            part, body = {}, numpy.zeros(shape, bool)
            for name, group in f["structures"].items():
                part[name] = numpy.zeros(shape, "f4")
                part[name].flat[group["voxel"][:]] = group["fraction"][:]
                if text(group.attrs["role"]) == "external":
                    body |= part[name] > 0
            k = int(round(numpy.average(numpy.arange(shape[0]), weights=part["GTV"].sum((1, 2)))))
            self.z = self.z[k]
            self.part = {name: p[k] for name, p in part.items()}
            tumour = self.part["GTV"] > 0
            dose, letd = (f[f"dose/nominal/{q}"][k].astype(float) for q in ("rbe_weighted_course", "letd"))
            self.dose = numpy.where(body[k], dose, numpy.nan)
            self.painted = numpy.where(tumour, 100 / self.prescription * dose, numpy.nan)
            self.letd = numpy.where(self.dose >= LEAST_SHOWN * self.prescription, letd, numpy.nan)
            self.has_tcp = "tcp" in f
            if self.has_tcp:
                self.tcp = numpy.where(tumour, 100 * f["dose/nominal/tcp"][k].astype(float), numpy.nan)
                share, voxel = (f["structures/GTV"][name][:] for name in ("fraction", "voxel"))
                log_tcp = numpy.log(f["dose/nominal/tcp"][:].ravel()[voxel])
                self.of_all = 100 * numpy.exp(numpy.average(log_tcp, weights=share))
                self.cells = numpy.where(tumour, f["tcp/clonogens_nominal"][k].astype(float), numpy.nan)

    def title(self):
        return f"{self.arm}, TCP {self.of_all:.1f} %" if self.has_tcp else self.arm

    def around(self, name, margin_mm):
        """Window (x low, x high, y low, y high) of the panels' shape about a structure."""
        j, i = numpy.nonzero(self.part[name] > 0.5)
        middle = (self.x[i.min()] + self.x[i.max()]) / 2, (self.y[j.min()] + self.y[j.max()]) / 2
        half_y = max((numpy.ptp(self.y[j]) / 2 + margin_mm), (numpy.ptp(self.x[i]) / 2 + margin_mm) / ASPECT)
        return middle[0] - ASPECT * half_y, middle[0] + ASPECT * half_y, middle[1] - half_y, middle[1] + half_y

    def rows(self, plane, window):
        """Points of a plane as rows x, y, value, gnuplot's scans apart."""
        half = (self.x[1] - self.x[0]) / 2
        i = numpy.nonzero((self.x + half > window[0]) & (self.x - half < window[1]))[0]
        j = numpy.nonzero((self.y + half > window[2]) & (self.y - half < window[3]))[0]
        for row in j:
            yield from ((float(self.x[col]), float(self.y[row]), float(plane[row, col])) for col in i)
            yield ()


def axes(plan, window):
    """Ranges and labels as seen from the feet, in the room: a prone patient's back is up and left on the left."""
    x0, x1, y0, y1 = window
    if plan.prone:
        return f"set xrange [{x1}:{x0}]; set yrange [{y0}:{y1}]\n", "left ← x, mm → right", "anterior ← y, mm → posterior"
    return f"set xrange [{x0}:{x1}]; set yrange [{y1}:{y0}]\n", "right ← x, mm → left", "posterior ← y, mm → anterior"


def outlines(plan):
    """Contours of the structures at half a voxel, into data blocks: the lines that define and the styles by name."""
    lines, style = "unset surface; set contour; set cntrparam levels discrete 0.5\n", {}
    whole = plan.x[0], plan.x[-1], plan.y[0], plan.y[-1]
    for name, how in {**TARGETS, **{n: f"lc rgb '{c}' lw 1.6" for n, c in ORGANS.items()}}.items():
        if name in plan.part and plan.part[name].max() > 0.5:
            lines += block(f"f_{name}", plan.rows(plan.part[name], whole))
            lines += f"set table $c_{name}\nsplot $f_{name}\nunset table\n"
            style[name] = how
    return lines + "unset contour; set surface\n", style


def isoline(name, plan, plane, level, window):
    return (block(f"f_{name}", plan.rows(numpy.nan_to_num(plane), window))
            + f"unset surface; set contour; set cntrparam levels discrete {level}\nset table $c_{name}\nsplot $f_{name}\n"
            "unset table\nunset contour; set surface\n")


def arrows(plan):
    """Where the fields come from, at the panel's edge."""
    for angle in plan.gantry:
        dx, dy = numpy.sin(numpy.radians(angle)), numpy.cos(numpy.radians(angle))
        far = 0.5 / max(abs(dx), abs(dy))
        at = [0.5 + far * d for d in (dx, dy)]
        yield (f"set arrow from graph {at[0]:.3f},{at[1]:.3f} rto graph {-0.11 * dx:.3f},{-0.13 * dy:.3f} front "
               "lw 2.5 lc rgb 'black' head filled size graph 0.04,25\n")


def planes_of(plans):
    """Rows of the picture: name, a plane per plan, window, colours, limits and label."""
    wide, near = plans[0].around("CTV_LD", WIDE_MM), plans[0].around("GTV", NEAR_MM)
    yield "dose", [p.dose for p in plans], wide, TURBO, (0, 1.1 * plans[0].prescription), "course, Gy(RBE)"
    yield "painted", [p.painted for p in plans], near, TURBO, WINDOW, "course in the GTV, % of prescription"
    yield "letd", [p.letd for p in plans], wide, BLUES, (20, 80), "LETd, keV/{/Symbol m}m"
    if not plans[0].has_tcp:
        return print(f"left out: TCP and cell count of {plans[0].case}, its plans have none")
    yield "tcp", [p.tcp for p in plans], near, VIRIDIS, (40, 100), "TCP of the voxel, %"
    yield "cells", [plans[0].cells], near, HEAT, (1e5, 1e6), "clonogens per 27 mm^3 (all arms)"
    if plans[0].arm == "uniform" and len(plans) > 1:
        gains = [p.tcp - plans[0].tcp for p in plans[1:]]
        yield "gain", [None] + gains, near, DIVERGING, (-25, 25), "gain of TCP over uniform, pp"


def colour_bar(what, size, left, bottom):
    """Beside the row, or below where cell count and gain share one; corner of the last panel in pixels."""
    if what in ("cells", "gain"):
        return (f"set colorbox horizontal user origin {(left + 20) / size[0]},{(bottom - 62) / size[1]} "
                f"size {(WIDTH - 40) / size[0]},{10 / size[1]}\n")
    return (f"set colorbox vertical user origin {(left + WIDTH + 10) / size[0]},{bottom / size[1]} "
            f"size {12 / size[0]},{WIDTH / ASPECT / size[1]}\n")


def panels(plans, size, style):
    """Data blocks and plots of all planes."""
    data, plots, height = "", "", WIDTH / ASPECT
    for r, (what, planes, window, colours, limits, label) in enumerate(planes_of(plans)):
        r = min(r, 4)  # the gain beside the cell count
        ranges, x_label, y_label = axes(plans[0], window)
        bottom = size[1] - TOP - (r + 1) * height - r * GAP
        plots += ("set logscale cb; set format cb '10^{%T}'\n" if what == "cells" else "unset logscale cb; set format cb '%g'\n")
        plots += (shade(colours) + f"set cbrange [{limits[0]}:{limits[1]}]; set cblabel '{label}'\n")
        for c, (plan, plane) in enumerate(zip(plans, planes)):
            if plane is None:
                continue
            left, lines = LEFT + c * (WIDTH + GAP), [f"${what}{c} using 1:2:3 with image"]
            data += block(f"{what}{c}", plan.rows(plane, window))
            lines += [f"$c_{s} using 1:2 with lines {how}" for s, how in style.items()]
            plots += (place(size, left, bottom, WIDTH, height) + ranges
                      + f"set ylabel '{'' if c else y_label}' font ',8'; set format y '{'' if c else '%g'}'\n"
                      f"set xlabel '{x_label if what in ('cells', 'gain') else ''}' font ',8'\n"
                      f"set title '{'' if r else plan.title()}' noenhanced\n"
                      + (colour_bar(what, size, left, bottom) if c == len(planes) - 1 else "unset colorbox\n"))
            if what == "dose":
                data += isoline(f"iso{c}", plan, plan.dose, 0.95 * plan.prescription, window)
                lines.append(f"$c_iso{c} using 1:2 with lines lc rgb 'white' lw 1.3")
                plots += "".join(arrows(plan))
            plots += "plot " + ", ".join(lines) + "\nunset arrow\n"
    return data, plots


def script(files):
    """Size and script of the picture of these plans, of one patient."""
    plans = [Slice(f) for f in files]
    first, lines = plans[0], 5 if plans[0].has_tcp else 3
    size = max(620, LEFT + len(plans) * (WIDTH + GAP) - GAP + RIGHT), TOP + lines * (WIDTH / ASPECT + GAP) + BOTTOM
    contours, style = outlines(first)
    data, plots = panels(plans, size, style)
    legend = [(f"lines {how}", name) for name, how in style.items()]
    legend.append(("lines lc rgb '#bbbbbb' lw 1.3", "95 % isodose (white)"))
    orientation = "prone, head first: posterior is up" if first.prone else f"patient position {first.position}"
    title = (f"{first.case}, axial slice z = {first.z:.0f} mm\\n{orientation}, seen from the feet; fields (arrows): "
             + ", ".join(f"{g:.0f}°" for g in first.gantry))
    small = "font ',8' 20 out nomirror scale 0.5"
    return size, (contours + data + f"set multiplot title \"{title}\" noenhanced\nunset key\nset tics front\nset border lw 0.8\n"
                  f"set xtics {small}\nset ytics {small}\nset cbtics font ',8' scale 0.5\nset title offset 0,-0.6\n"
                  "set cblabel font ',9'\n" + plots + key(size, legend, 16) + "unset multiplot\n")
