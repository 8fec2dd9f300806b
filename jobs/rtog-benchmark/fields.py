#!/usr/bin/env python3
"""Dose of each field alone and of all together, per case one picture: a row per arm (needs h5py and gnuplot).

    fields.py RESULTS STUDY.yaml [-o FOLDER] [--robion build/robion]

RBE-weighted doses are no sums of those of fields, so each field's spots are evaluated by themselves, without errors. Columns: the
fields, all of them, and the lowest dose of each voxel over the evaluation scenarios; axial slice through the target's centre.
"""
import argparse
import pathlib
import subprocess
import tempfile

import h5py
import numpy as np

REACH_MM = 80  # shown on either side of the middle
LEAST = 3  # percent; what gets less is white


def text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


class Slice:
    """RBE-weighted doses of a plan.h5 in one axial slice, percent of the prescription, [y, x]."""

    def __init__(self, file):
        with h5py.File(file) as f:
            self.case, self.arm, self.target = (text(f.attrs[k]) for k in ("case", "arm", "target"))
            self.x, self.y, self.z = (f["grid"][k][:] for k in ("x_mm", "y_mm", "z_mm"))
            shape = f["dose/nominal/rbe_weighted"].shape
            inside = {}
            for name, group in f["structures"].items():
                inside[name] = np.zeros(shape)
                inside[name].flat[group["voxel"][:]] = group["fraction"][:]
            k = int(round(np.average(np.arange(shape[0]), weights=inside[self.target].sum((1, 2)))))
            self.inside = {name: part[k] >= 0.5 for name, part in inside.items()}
            scale = 100 / float(f.attrs["prescription_Gy_RBE_per_fraction"][0])
            self.nominal = scale * f["dose/nominal/rbe_weighted"][k]
            self.lowest = scale * f["dose/robust/min"][k]
            self.fields = [(float(g.attrs["gantry_deg"][0]), np.column_stack([g[c][:] for c in
                            ("x_mm", "y_mm", "energy_MeV_u", "particles")])) for _, g in sorted(f["plan"].items())]

    def outline(self, name):
        """Edges between voxels inside and outside a structure, as pairs of points."""
        step = self.x[1] - self.x[0]
        mask = np.pad(self.inside[name], 1)
        for axis, (j, i) in ((1, np.nonzero(mask[:, 1:] != mask[:, :-1])), (0, np.nonzero(mask[1:] != mask[:-1]))):
            for a, b in zip(j, i):
                x, y = self.x[0] + (b - 1) * step, self.y[0] + (a - 1) * step
                if axis:
                    yield (x + step / 2, y - step / 2), (x + step / 2, y + step / 2)
                else:
                    yield (x - step / 2, y + step / 2), (x + step / 2, y + step / 2)


def field_alone(plan, beam, spots, arguments, folder):
    """The dose of one field in the plan's slice."""
    table, out = folder / "spots.csv", folder / "field.h5"
    with open(table, "w") as file:
        file.write("beam,x_mm,y_mm,energy_MeV_u,particles\n")
        for row in spots[spots[:, 3] > 0]:
            file.write(f"{beam}," + ",".join(f"{v:.17g}" for v in row) + "\n")
    subprocess.run([arguments.robion, "evaluate", table, arguments.study, "--case", plan.case, "--arm", plan.arm, "-o", out,
                    "--set", "scenarios.evaluate={range_percent: [0], setup: none}"], check=True,
                   stdout=subprocess.DEVNULL)
    return Slice(out).nominal


def panels(plan, arguments, folder):
    for beam, (gantry, spots) in enumerate(plan.fields):
        yield f"field {gantry:.0f}°", field_alone(plan, beam, spots, arguments, folder)
    yield "all fields", plan.nominal
    yield "lowest of the scenarios", plan.lowest


def picture(plans, arguments, folder):
    rows = [list(panels(plan, arguments, folder)) for plan in plans]
    script = [f"set terminal pngcairo enhanced size {260 * len(rows[0]) + 60},{262 * len(rows) + 60} font ',10'",
              f"set output '{arguments.output / plans[0].case}-fields.png'",
              f"set multiplot layout {len(rows)},{len(rows[0])} columnsfirst downwards margins 0.05,0.93,0.04,0.93 "
              f"spacing 0.012,0.035 title '{plans[0].case}: RBE-weighted dose, % of the prescription'",
              f"set size ratio -1; set xrange [{-REACH_MM}:{REACH_MM}]; set yrange [{REACH_MM}:{-REACH_MM}]",
              "set cbrange [0:115]; unset key; set format x ''; set xtics 40; set ytics 40; set title offset 0,-0.7",
              "set palette defined (0 '#30123b', 1 '#4662d7', 2 '#36aaf9', 3 '#1ae4b6', 4 '#72fe5e', 5 '#c8ef34', "
              "6 '#faba39', 7 '#f66b19', 8 '#ca2a04', 9 '#7a0403')", "unset colorbox"]
    lines = folder / "outlines"
    with open(lines, "w") as file:
        for name in (plans[0].target, "OAR"):
            for (x0, y0), (x1, y1) in plans[0].outline(name):
                file.write(f"{x0} {y0}\n{x1} {y1}\n\n")
            file.write("\n")
    for column in range(len(rows[0])):
        for row, plan in enumerate(plans):
            title, dose = rows[row][column]
            data = folder / f"{row}-{column}"
            with open(data, "w") as file:
                for j, y in enumerate(plan.y):
                    for i, x in enumerate(plan.x):
                        file.write(f"{x} {y} {dose[j, i] if dose[j, i] >= LEAST else 'NaN'}\n")
                    file.write("\n")
            last = column == len(rows[0]) - 1
            script += [f"set format x '{'%g' if row == len(plans) - 1 else ''}'; set format y '{'' if column else '%g'}'",
                       f"set ylabel '{'' if column else plan.arm}' noenhanced offset 1,0",
                       "set colorbox user origin 0.945,0.2 size 0.012,0.6" if last and row == 0 else "unset colorbox",
                       f"set title '{title if row == 0 else ''}'",
                       f"plot '{data}' using 1:2:3 with image, '{lines}' index 0 with lines lc rgb 'black' lw 1.2, "
                       f"'{lines}' index 1 with lines lc rgb 'magenta' lw 1.2"]
    subprocess.run(["gnuplot"], input="\n".join(script), text=True, check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=pathlib.Path, help="folder of the study's results")
    parser.add_argument("study", type=pathlib.Path, help="the study they are of")
    parser.add_argument("-o", "--output", type=pathlib.Path, default=pathlib.Path("."), help="folder for the pictures")
    parser.add_argument("--robion", default="build/robion", help="the program")
    arguments = parser.parse_args()
    plans = [Slice(f) for f in sorted(arguments.results.glob("cases/**/plan.h5"))]
    if not plans:
        parser.error(f"no cases/*/plan.h5 in {arguments.results}")
    arguments.output.mkdir(parents=True, exist_ok=True)
    for case in sorted({p.case for p in plans}):
        with tempfile.TemporaryDirectory() as folder:
            picture([p for p in plans if p.case == case], arguments, pathlib.Path(folder))


if __name__ == "__main__":
    main()
