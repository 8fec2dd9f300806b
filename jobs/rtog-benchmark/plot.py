#!/usr/bin/env python3
"""Pictures of a robion results folder (needs h5py and matplotlib; robion itself does not).

    plot.py RESULTS [-o FOLDER] [--ct CASE.h5] [--format png]

For each case two pictures, one column per arm:
  <case>-dose: RBE-weighted dose in the axial slice through the target's centre, nominal above, lowest over the
               evaluation scenarios voxel by voxel below; contours of the structures; dashed line: 95 %.
  <case>-dvh:  dose-volume histograms: line nominal, band lowest to highest volume over the evaluation scenarios.
Patient left is on the right, posterior below. --ct puts the CT of a case file behind the dose.
"""
import argparse
import pathlib

import h5py
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

COLOURS = ["black", "magenta", "deepskyblue", "limegreen", "darkorange", "saddlebrown"]
LOWEST = 0.05  # dose below this share of the prescription is left out


def text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


class Plan:
    """What the pictures need of one plan.h5; doses relative to the prescription, indexed [z, y, x]."""

    def __init__(self, file):
        with h5py.File(file) as f:
            self.case, self.arm, self.sweep, self.target = (text(f.attrs[k]) for k in ("case", "arm", "sweep", "target"))
            self.prescription = float(f.attrs["prescription_Gy_RBE_per_fraction"][0])
            self.x, self.y, self.z = (f["grid"][k][:] for k in ("x_mm", "y_mm", "z_mm"))
            self.dose = {"nominal": f["dose/nominal/rbe_weighted"][:] / self.prescription,
                         "lowest": f["dose/robust/min"][:] / self.prescription}
            self.role = {s: text(g.attrs["role"]) for s, g in f["structures"].items()}
            self.inside = {}
            for s, g in f["structures"].items():
                share = np.zeros(self.dose["nominal"].shape, "f4")
                share.flat[g["voxel"][:]] = g["fraction"][:]
                self.inside[s] = share
            self.dvh = {s: {k: g["rbe_weighted"][k][:] for k in g["rbe_weighted"]} for s, g in f["dvh"].items()}
        self.slice = int(round(np.average(np.arange(self.z.size), weights=self.inside[self.target].sum((1, 2)))))
        # The target first, then organs; the external is drawn thin and has no histogram worth a line.
        self.names = sorted((s for s in self.role if self.role[s] != "external"),
                            key=lambda s: (s != self.target, self.role[s] != "target", s))
        self.external = [s for s in self.role if self.role[s] == "external"]


def show_ct(axes, file, z):
    with h5py.File(file) as f:
        ct = f["ct/hu"]
        (dx, dy, dz), (x, y, z0) = ct.attrs["spacing_mm"], ct.attrs["origin_mm"]
        k = min(max(int(round((z - z0) / dz)), 0), ct.shape[0] - 1)
        _, ny, nx = ct.shape
        axes.imshow(ct[k], cmap="gray", vmin=-200, vmax=400,
                    extent=(x - dx / 2, x + (nx - 0.5) * dx, y + (ny - 0.5) * dy, y - dy / 2))


def show_dose(axes, plan, which, ct):
    dose, k = plan.dose[which][plan.slice], plan.slice
    half = (plan.x[1] - plan.x[0]) / 2
    extent = (plan.x[0] - half, plan.x[-1] + half, plan.y[-1] + half, plan.y[0] - half)
    if ct:
        show_ct(axes, ct, plan.z[k])
    image = axes.imshow(np.ma.masked_less(100 * dose, 100 * LOWEST), cmap="turbo", vmin=0, vmax=115, extent=extent,
                        alpha=0.7 if ct else 1)
    axes.contour(plan.x, plan.y, dose, [0.95], colors="white", linewidths=1, linestyles="dashed")
    for s, colour in [(s, "gray") for s in plan.external] + list(zip(plan.names, COLOURS))[::-1]:
        if plan.inside[s][k].max() > 0.5:
            axes.contour(plan.x, plan.y, plan.inside[s][k], [0.5], colors=colour, linewidths=1.3)
    axes.set(xlim=extent[:2], ylim=extent[2:], aspect="equal", xlabel="x in mm (patient left $\\rightarrow$)")
    return image


def dose_picture(plans, ct):
    rows = [("nominal", "nominal"), ("lowest", "lowest over scenarios")]
    figure, axes = plt.subplots(2, len(plans), figsize=(3.6 * len(plans) + 1.6, 7.4), squeeze=False,
                                sharex=True, sharey=True, layout="constrained")
    for column, plan in enumerate(plans):
        for row, (which, title) in enumerate(rows):
            image = show_dose(axes[row, column], plan, which, ct)
            axes[row, column].set_title(f"{plan.arm} {plan.sweep}: {title}".replace(" :", ":"), fontsize=10)
            axes[row, column].label_outer()
    for row in axes:
        row[0].set_ylabel("y in mm ($\\leftarrow$ anterior)")
    figure.colorbar(image, ax=axes, shrink=0.6, label="RBE-weighted dose in % of the prescription")
    lines = [plt.Line2D([], [], color=c, label=s) for s, c in zip(plans[0].names, COLOURS)]
    lines.append(plt.Line2D([], [], color="silver", linestyle="dashed", label="95 %"))
    axes[0, 0].legend(handles=lines, loc="lower left", fontsize=8, facecolor="whitesmoke")
    figure.suptitle(f"{plans[0].case}, z = {plans[0].z[plans[0].slice]:.0f} mm", fontsize=11)
    return figure


def dvh_picture(plans):
    figure, axes = plt.subplots(1, len(plans), figsize=(3.9 * len(plans) + 0.4, 3.6), squeeze=False, sharey=True,
                                layout="constrained")
    for ax, plan in zip(axes[0], plans):
        for s, colour in zip(plan.names, COLOURS):
            dvh = plan.dvh[s]
            dose = 100 * dvh["axis"] / plan.prescription
            ax.fill_between(dose, dvh["min"], dvh["max"], color=colour, alpha=0.25, linewidth=0)
            ax.plot(dose, dvh["nominal"], color=colour, linewidth=1.4, label=s)
        ax.axvline(95, color="silver", linestyle="dashed", linewidth=1)
        ax.set(xlim=(0, 130), ylim=(0, 102), xlabel="RBE-weighted dose in % of the prescription")
        ax.set_title(f"{plan.case}: {plan.arm} {plan.sweep}", fontsize=10)
        ax.grid(alpha=0.3)
    axes[0, 0].set_ylabel("volume in %")
    axes[0, 0].legend(fontsize=9, loc="lower left")
    return figure


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=pathlib.Path, help="folder of a study's results")
    parser.add_argument("-o", "--output", type=pathlib.Path, default=pathlib.Path("."), help="folder for the pictures")
    parser.add_argument("--ct", type=pathlib.Path, help="case file whose CT is drawn behind the dose")
    parser.add_argument("--format", default="png", help="png, pdf, svg")
    arguments = parser.parse_args()
    plans = [Plan(f) for f in sorted(arguments.results.glob("cases/**/plan.h5"))]
    if not plans:
        parser.error(f"no cases/*/plan.h5 in {arguments.results}")
    arguments.output.mkdir(parents=True, exist_ok=True)
    for case in sorted({p.case for p in plans}):
        of_case = [p for p in plans if p.case == case]
        for kind, figure in (("dose", dose_picture(of_case, arguments.ct)), ("dvh", dvh_picture(of_case))):
            file = arguments.output / f"{case}-{kind}.{arguments.format}"
            figure.savefig(file, dpi=80)
            plt.close(figure)
            print(file)


if __name__ == "__main__":
    main()
