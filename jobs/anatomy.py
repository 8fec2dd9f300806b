#!/usr/bin/env python3
"""What a cohort of digital patients is: a table of its anatomy, and a picture of all of them (needs numpy, h5py, matplotlib):

    anatomy.py PHANTOM SEEDS ORGANS [--spacing MM] [--program build/robion] [--picture FILE.png]
    anatomy.py head-neck 15 OpticNrv_R,OpticNrv_L,OpticChiasm --spacing 2 --picture anatomy.png

A row per patient: volumes of the targets (cm3) and for every organ the share of it that lies in the CTV, or else the distance
between them (between the centres of their nearest voxels). The picture has the transversal slice with most of the CTV and the
coronal one beneath, HU in grey.
"""
import argparse
import pathlib
import subprocess
import tempfile

import h5py
import numpy

import robion

CHUNK = 500  # voxels whose distances to all of the CTV are computed at a time
COLOURS = "cyan", "deepskyblue", "magenta", "lime", "yellow", "violet", "white", "gold"  # of organs


class Patient:
    """A case file: HU and masks [z, y, x], axes in mm."""

    def __init__(self, path):
        with h5py.File(path) as file:
            self.hu = file["ct/hu"][:]
            self.spacing, self.origin = (file["ct/hu"].attrs[name][:] for name in ("spacing_mm", "origin_mm"))
            self.mask = {name: of[:] > 0 for name, of in file["structures"].items()}

    def cm3(self, kind):
        """Of a target, or of each of several: CTV1, CTV2, ..."""
        several = sorted(name for name in self.mask if name.startswith(kind) and name != kind)
        return " + ".join(f"{self.mask[name].sum() * self.spacing.prod() / 1000:.1f}" for name in several or [kind])

    def places(self, mask):
        return numpy.argwhere(mask)[:, ::-1] * self.spacing + self.origin

    def apart_mm(self, one, other):
        """Least distance of voxel centres; only the other's rim counts."""
        inner = self.mask[other].copy()
        for axis in range(3):
            for step in (1, -1):
                inner &= numpy.roll(self.mask[other], step, axis)
        rim = self.places(self.mask[other] & ~inner)
        all_of = self.places(self.mask[one])
        return min(numpy.sqrt(((part[:, None] - rim) ** 2).sum(2)).min()
                   for part in numpy.array_split(all_of, len(all_of) // CHUNK + 1))

    def to_ctv(self, organ):
        share = 100 * (self.mask[organ] & self.mask["CTV"]).sum() / self.mask[organ].sum()
        if share == 0:
            return f"{self.apart_mm(organ, 'CTV'):.1f} mm"
        return f"{share:.0f} %" if share >= 0.5 else "< 1 %"

    def middle(self):
        """Slices z and y with most of the CTV."""
        return [int(self.mask["CTV"].sum(axis=across).argmax()) for across in ((1, 2), (0, 2))]


def build(program, phantom, seed, spacing_mm):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "case.h5")
        options = ["--ct-spacing-mm", str(spacing_mm)] if spacing_mm else []
        subprocess.run([program, "phantom", phantom, "--seed", str(seed), "-o", path, *options],
                       check=True, stdout=subprocess.DEVNULL)
        return Patient(path)


def table(patients, organs):
    robion.heading("patient", "CTV, cm3", "GTV, cm3", *organs)
    for seed, p in patients.items():
        robion.row(str(seed), p.cm3("CTV"), p.cm3("GTV"), *(p.to_ctv(o) for o in organs))


def picture(patients, organs, path):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    columns = 5
    rows = -(-len(patients) // columns)
    size = 2.5 * columns, 4.6 * rows
    figure, axes = plt.subplots(2 * rows, columns, figsize=size, layout="constrained", squeeze=False)
    for a in axes.flat:
        a.set_axis_off()
    colours = {"CTV": "red", "GTV": "orange", **dict(zip(organs, COLOURS))}
    for i, (seed, p) in enumerate(patients.items()):
        k, j = p.middle()
        x, y, z = (p.origin[k] + p.spacing[k] * numpy.arange(p.hu.shape[2 - k]) for k in range(3))
        for below, (plane, up) in enumerate(((numpy.s_[k], y), (numpy.s_[:, j], z))):
            a = axes[2 * (i // columns) + below, i % columns]
            a.pcolormesh(x, up, p.hu[plane], cmap="gray", vmin=-400, vmax=700, rasterized=True)
            for name, colour in colours.items():
                if p.mask[name][plane].any():
                    a.contour(x, up, p.mask[name][plane], [0.5], colors=colour, linewidths=0.8)
            a.set_aspect("equal")
            a.set_title(f"{seed}: " + (f"y = {y[j]:.0f} mm" if below else f"z = {z[k]:.0f} mm"), fontsize=8)
            if not below:
                a.invert_yaxis()
    figure.savefig(path, dpi=80)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("phantom")
    parser.add_argument("seeds", type=int, help="patients 1 to this number")
    parser.add_argument("organs", help="names, with commas")
    parser.add_argument("--spacing", type=float, help="of the CT, mm; default: the phantom's")
    parser.add_argument("--program", default="build/robion")
    parser.add_argument("--picture")
    arguments = parser.parse_args()
    organs = arguments.organs.split(",")
    patients = {seed: build(arguments.program, arguments.phantom, seed, arguments.spacing)
                for seed in range(1, arguments.seeds + 1)}
    table(patients, organs)
    if arguments.picture:
        picture(patients, organs, arguments.picture)


main()
