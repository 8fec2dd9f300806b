"""The axial slice through the GTV's centre, a column per arm: a gnuplot script for figures.py."""
import h5py
import numpy

from gnuplot import block, key, place, shade
from painting import WINDOW, text

WIDE_MM, NEAR_MM = 35, 10  # shown around CTV_LD, around the GTV
ASPECT = 1.25  # width over height of panels, in mm as in pixels
WIDTH, GAP, LEFT, RIGHT, TOP, BOTTOM = 300, 28, 75, 95, 60, 160
LEAST_SHOWN = 0.05  # of the prescription: no LETd of less dose
TURBO = "#30123b #4662d7 #36aaf9 #1ae4b6 #72fe5e #c8ef34 #faba39 #f66b19 #ca2a04 #7a0403"
BLUES = "#ffffd9 #edf8b1 #c7e9b4 #7fcdbb #41b6c4 #1d91c0 #225ea8 #253494 #081d58"
VIRIDIS = "#440154 #472d7b #3b528b #2c728e #21918c #28ae80 #5ec962 #addc30 #fde725"
HEAT = "#fff7ec #fee8c8 #fdd49e #fdbb84 #fc8d59 #ef6548 #d7301f #b30000 #7f0000"
DIVERGING = "#053061 #2166ac #67a9cf #d1e5f0 #f7f7f7 #fddbc7 #ef8a62 #b2182b #67001f"
TARGETS = {"GTV": "lc rgb 'black' lw 2", "CTV_HD": "lc rgb 'black' lw 1.4 dt 2", "CTV_LD": "lc rgb 'black' lw 1.4 dt 4"}
ORGANS = {"Rectum": "#8b4513", "Sigma": "#ff00ff", "Bowel": "#ff8c00", "Nerves": "#00a000", "Sacrum": "#888888", "External": "#555555"}


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
            part = {}
            for name, group in f["structures"].items():
                part[name] = numpy.zeros(shape, "f4")
                part[name].flat[group["voxel"][:]] = group["fraction"][:]
            k = int(round(numpy.average(numpy.arange(shape[0]), weights=part["GTV"].sum((1, 2)))))
            self.z = self.z[k]
            self.part = {name: p[k] for name, p in part.items()}
            tumour = self.part["GTV"] > 0
            read = lambda name: f[name][k].astype(float)
            self.dose = numpy.where(self.part["External"] > 0, read("dose/nominal/rbe_weighted_course"), numpy.nan)
            self.painted = numpy.where(tumour, 100 / self.prescription * self.dose, numpy.nan)
            self.letd = numpy.where(self.dose >= LEAST_SHOWN * self.prescription, read("dose/nominal/letd"), numpy.nan)
            self.has_tcp = "tcp" in f
            if self.has_tcp:
                self.tcp = numpy.where(tumour, 100 * read("dose/nominal/tcp"), numpy.nan)
                share, voxel = (f["structures/GTV"][k][:] for k in ("fraction", "voxel"))
                self.of_all = 100 * numpy.exp(numpy.average(numpy.log(f["dose/nominal/tcp"][:].ravel()[voxel]), weights=share))
                self.cells = numpy.where(tumour, read("tcp/clonogens_nominal"), numpy.nan)

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
        step = self.x[1] - self.x[0]
        i = numpy.nonzero((self.x > window[0] - step) & (self.x < window[1] + step))[0]
        j = numpy.nonzero((self.y > window[2] - step) & (self.y < window[3] + step))[0]
        for row in j:
            yield from ((float(self.x[col]), float(self.y[row]), float(plane[row, col])) for col in i)
            yield ()


def axes(plan, window):
    """Ranges and labels as seen from the feet, in the room: a prone patient's back is up and left on the left."""
    x0, x1, y0, y1 = window
    if plan.prone:
        return (f"set xrange [{x1}:{x0}]; set yrange [{y0}:{y1}]\n", "left  ←  x, mm  →  right", "anterior  ←  y, mm  →  posterior")
    return (f"set xrange [{x0}:{x1}]; set yrange [{y1}:{y0}]\n", "right  ←  x, mm  →  left", "posterior  ←  y, mm  →  anterior")


def outlines(plan):
    """Contours of the structures at half a voxel, into data blocks: the lines that define and the styles by name."""
    lines, style = "unset surface; set contour; set cntrparam levels discrete 0.5\n", {}
    whole = self_window(plan)
    for name, how in {**TARGETS, **{n: f"lc rgb '{c}' lw 1.6" for n, c in ORGANS.items()}}.items():
        if name in plan.part and plan.part[name].max() > 0.5:
            lines += block(f"f_{name}", plan.rows(plan.part[name], whole)) + f"set table $c_{name}\nsplot $f_{name}\nunset table\n"
            style[name] = how
    return lines + "unset contour; set surface\n", style


def self_window(plan):
    return plan.x[0], plan.x[-1], plan.y[0], plan.y[-1]


def isoline(name, plan, plane, level, window):
    return (block(f"f_{name}", plan.rows(numpy.nan_to_num(plane), window))
            + f"unset surface; set contour; set cntrparam levels discrete {level}\nset table $c_{name}\nsplot $f_{name}\n"
            "unset table\nunset contour; set surface\n")


def arrows(plan, window):
    """Where the fields come from, at the panel's edge."""
    for angle in plan.gantry:
        dx, dy = numpy.sin(numpy.radians(angle)), numpy.cos(numpy.radians(angle))
        far = 0.5 / max(abs(dx), abs(dy))
        at = [0.5 + far * d for d in (dx, dy)]
        yield f"set arrow from graph {at[0]:.3f},{at[1]:.3f} to graph {at[0] - 0.11 * dx:.3f},{at[1] - 0.13 * dy:.3f} front lw 2.5 lc rgb 'black' head filled size graph 0.04,25\n"


def script(files):
    """Size and script of the picture of these plans, of one patient."""
    plans = [Slice(f) for f in files]
    first = plans[0]
    wide, near = first.around("CTV_LD", WIDE_MM), first.around("GTV", NEAR_MM)
    rows = [("dose", [p.dose for p in plans], wide, TURBO, (0, 1.1 * first.prescription), "course, Gy(RBE)"),
            ("painted", [p.painted for p in plans], near, TURBO, (WINDOW[0], WINDOW[1]), "course in the GTV, % of prescription"),
            ("letd", [p.letd for p in plans], wide, BLUES, (20, 80), "LETd, keV/{/Symbol m}m")]
    if first.has_tcp:
        rows.append(("tcp", [p.tcp for p in plans], near, VIRIDIS, (40, 100), "TCP of the voxel, %"))
        base = next((p for p in plans if p.arm == "uniform"), None)
        gains = [p.tcp - base.tcp if base and p is not base else None for p in plans]
        cells = [first.cells] if gains[0] is None else []
        rows.append(("gain", cells + gains[len(cells):], near, None, None, None))
    height = WIDTH / ASPECT
    size = (LEFT + len(plans) * (WIDTH + GAP) - GAP + RIGHT, TOP + len(rows) * (height + GAP) + BOTTOM)
    defined, style = outlines(first)
    body = ""
    for r, (what, planes, window, colours, limits, label) in enumerate(rows):
        ranges, x_label, y_label = axes(first, window)
        bottom = size[1] - TOP - (r + 1) * height - r * GAP - (26 if r == len(rows) - 1 else 0)
        for c, (plan, plane) in enumerate(zip(plans, planes)):
            if plane is None:
                continue
            left = LEFT + c * (WIDTH + GAP)
            name = f"{what}{c}"
            defined += block(name, plan.rows(plane, window))
            body += place(size, left, bottom, WIDTH, height) + ranges
            body += f"set ylabel '{y_label if c == 0 else ''}' font ',8'; set format y '{'%g' if c == 0 else ''}'\n"
            body += f"set xlabel '{x_label if r == len(rows) - 1 else ''}' font ',8'\n"
            body += f"set title '{plan.title() if r == 0 else ''}' noenhanced\n"
            if what == "gain":
                is_cells = plane is first.cells
                colours, limits, label = ((HEAT, (1e5, 1e6), "clonogens per 27 mm^3 (all arms)") if is_cells
                                          else (DIVERGING, (-20, 20), "gain of TCP over uniform, pp"))
                last = c == 0 or c == len(plans) - 1
                body += f"{'set' if is_cells else 'unset'} logscale cb\nset format cb '{'10^{%T}' if is_cells else '%g'}'\n"
                body += "unset colorbox\n" if not last else (
                    "set colorbox horizontal user origin "
                    f"{(left + 20) / size[0]},{(bottom - 62) / size[1]} size {(WIDTH - 40) / size[0]},{10 / size[1]}\n")
            else:
                body += "unset colorbox\n" if c < len(plans) - 1 else (
                    f"set colorbox vertical user origin {(left + WIDTH + 10) / size[0]},{bottom / size[1]} size {12 / size[0]},{height / size[1]}\n")
            body += shade(colours) + f"set cbrange [{limits[0]}:{limits[1]}]; set cblabel '{label}'\n"
            lines = [f"${name} using 1:2:3 with image"]
            lines += [f"$c_{s} using 1:2 with lines {how}" for s, how in style.items()]
            if what == "dose":
                defined += isoline(f"iso{c}", plan, plan.dose, 0.95 * plan.prescription, window)
                lines.append(f"$c_iso{c} using 1:2 with lines lc rgb 'white' lw 1.3")
                body += "".join(arrows(plan, window))
            body += "plot " + ", ".join(lines) + "\nunset arrow\n"
    legend = [(f"lines {how}", name) for name, how in style.items()] + [("lines lc rgb '#bbbbbb' lw 1.3", "95 % isodose (white)")]
    title = (f"{first.case}, axial slice z = {first.z:.0f} mm; "
             + ("prone, head first: posterior is up" if first.prone else f"patient position {first.position}")
             + ", seen from the feet; arrows: fields " + ", ".join(f"{g:.0f}°" for g in first.gantry))
    return size, (defined + f"set multiplot title \"{title}\" noenhanced\nunset key\nset tics front\nset border lw 0.8\nset xtics font ',8' 20 out nomirror scale 0.5\n"
                  "set ytics font ',8' 20 out nomirror scale 0.5\nset cbtics font ',8' scale 0.5\nset title offset 0,-0.6\nset cblabel font ',9'\n"
                  + body + key(size, legend, 14) + "unset multiplot\n")
