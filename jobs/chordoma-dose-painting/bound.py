#!/usr/bin/env python3
"""What a GTV's map of clonogens allows, without beams: TCP of a flat dose, and of the best dose per voxel inside the window.

    for s in $(seq 10); do build/robion phantom chordoma --seed $s -o build/chordoma-$s.h5; done
    jobs/chordoma-dose-painting/bound.py build/chordoma-{1..10}.h5
    jobs/chordoma-dose-painting/bound.py results/chordoma-dose-painting     # beside it the TCP of its plans, added up anew

Of case files or of a results folder's plans (its first sweep point). The best dose of a given mean inside bounds is where -dS/dD is
the same in all voxels that no bound holds (S is convex in D there), found by bisection. Needs numpy and h5py.
"""
import pathlib
import sys

import h5py
import numpy

from painting import WINDOW, Results, robion

# The model of robion's tcp objective: include/robion/tcp.h.
LN_A, KAPPA, ALPHA_PER_GY, ALPHA_BETA_GY, FRACTIONS = -3.643, 0.74, 0.029, 2.0, 16
BETA_PER_GY2 = ALPHA_PER_GY / ALPHA_BETA_GY
PRESCRIPTION_GY = 73.6
PAINTED, PER_FRACTION_GY = 7, 4.6  # fractions of the stage that paints; dose of a fraction of the other one
MEANS = 100, 103  # percent


class Tumour:
    """Voxels by their share of the GTV and clonogens per 27 mm3."""

    def __init__(self, share, clonogens):
        self.share = share / share.sum()
        self.weight = numpy.exp(LN_A) * clonogens**KAPPA

    @classmethod
    def of_case(cls, file, structure="GTV"):
        with h5py.File(file) as f:
            share = f[f"structures/{structure}"][()].astype(float)
            cells = f["maps/clonogens"][()].astype(float)
            voxel_mm3 = numpy.prod(f["ct/hu"].attrs["spacing_mm"])
        inside = share > 0
        return cls(share[inside], cells[inside] * 27.0 / voxel_mm3)

    def tcp(self, dose_Gy, squares_Gy2=None):
        """Percent, of course doses; squares: sum over fractions of the square of their doses, those of equal fractions if not said."""
        squares_Gy2 = dose_Gy**2 / FRACTIONS if squares_Gy2 is None else squares_Gy2
        survival = self.weight * numpy.exp(-ALPHA_PER_GY * dose_Gy - BETA_PER_GY2 * squares_Gy2)
        return 100 * numpy.exp(-(self.share * survival).sum())

    def slope(self, dose_Gy):
        """-dS/dD of each voxel."""
        exponent = ALPHA_PER_GY * dose_Gy + BETA_PER_GY2 * dose_Gy**2 / FRACTIONS
        return self.weight * numpy.exp(-exponent) * (ALPHA_PER_GY + 2 * BETA_PER_GY2 * dose_Gy / FRACTIONS)

    def best(self, mean_percent):
        """The dose of each voxel, Gy(RBE) of the course, that has the highest TCP inside the window."""
        low, high = (PRESCRIPTION_GY * w / 100 for w in WINDOW)
        least, most = (numpy.full_like(self.weight, x) for x in (low, high))
        ends = sorted((1e-12, self.weight.max()))
        for _ in range(100):  # the slope that all free voxels share
            shared = numpy.sqrt(ends[0] * ends[1])
            dose = self.dose_of(shared, least, most)
            above = (self.share * dose).sum() > PRESCRIPTION_GY * mean_percent / 100
            ends[0 if above else 1] = shared
        return dose

    def dose_of(self, shared, least, most):
        low, high = least.copy(), most.copy()
        for _ in range(60):
            middle = (low + high) / 2
            more = self.slope(middle) > shared
            low, high = numpy.where(more, middle, low), numpy.where(more, high, middle)
        return (low + high) / 2


def in_two_stages(dose_Gy):
    """Sum of squares of the fractions' doses where what the voxel gets above or below the first stage's is all in the second."""
    first = FRACTIONS - PAINTED
    return first * PER_FRACTION_GY**2 + (dose_Gy - first * PER_FRACTION_GY) ** 2 / PAINTED


def columns(tumour):
    flat = {m: numpy.full_like(tumour.weight, PRESCRIPTION_GY * m / 100) for m in MEANS}
    best = {m: tumour.best(m) for m in MEANS}
    base = tumour.tcp(flat[100])
    return [base, tumour.tcp(flat[103]) - base, *(tumour.tcp(best[m]) - base for m in MEANS),
            *(tumour.tcp(d[m], in_two_stages(d[m])) - tumour.tcp(d[m]) for d, m in ((flat, 103), (best, 103)))]


HEAD = ("flat 100 %, TCP", "flat 103 %, gain", "best of mean 100 %, gain", "best of mean 103 %, gain",
        "flat 103 %: as stages, not as equal fractions", "best of mean 103 %: as stages")


def of_results(results):
    """Of each plan of an arm but the first sweep's: its TCP added up anew from its dose map, and what metrics.csv says."""
    for arm in results.arms:
        for case, plan in results.plans_of(arm).items():
            gtv = plan.structures["GTV"]
            tumour = Tumour(gtv.fraction, gtv.of(plan["tcp/clonogens_nominal"]))
            dose = gtv.of(plan.dose("rbe_weighted_course"))
            yield case, arm, tumour, tumour.tcp(dose), tumour.tcp(dose, in_two_stages(dose)), plan.metrics


def main(arguments):
    if len(arguments) == 1 and pathlib.Path(arguments[0]).is_dir():
        results = Results(arguments[0])
        robion.heading("case", "arm", "TCP, metrics.csv", "TCP of the map", "fraction by fraction", *HEAD[1:4])
        for case, arm, tumour, tcp, staged, metrics in of_results(results):
            told = metrics["nominal", "GTV", "tcp", "TCP"]
            robion.row(case, arm, f"{told:.2f}", f"{tcp:.2f}", f"{staged:.2f}", *(f"{x:.2f}" for x in columns(tumour)[1:4]))
        return
    robion.heading("case", *HEAD)
    table = []
    for file in arguments:
        table.append(columns(Tumour.of_case(file)))
        robion.row(pathlib.Path(file).stem, *(f"{x:.2f}" for x in table[-1]))
    robion.row("mean", *(f"{x:.2f}" for x in numpy.mean(table, axis=0)))


if __name__ == "__main__":
    main(sys.argv[1:])
