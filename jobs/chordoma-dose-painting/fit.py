#!/usr/bin/env python3
"""What 27 patients can tell of the TCP model and 10 held out can confirm, as in the publication:  fit.py FOLDER [--draws 40]

Digital patients 11 to 37 are fitted, 1 to 10 held out, all at a flat 73.6 Gy(RBE), the dose of the protocol. Whether a tumour is
controlled is drawn from the model itself, anew in each draw, so that the right parameters are known: what `robion fit-tcp` finds, and
how often, is what a cohort of this size says. Case files and tables stay in FOLDER. Needs numpy and h5py.
"""
import argparse
import pathlib
import re
import subprocess

import numpy

from bound import ALPHA_PER_GY, KAPPA, PRESCRIPTION_GY, Tumour, robion

ROBION = pathlib.Path(__file__).resolve().parents[2] / "build/robion"
FITTED, HELD_OUT = range(11, 38), range(1, 11)
PARAMETERS = {"ln_a": -3.643, "kappa": KAPPA, "alpha_per_Gy": ALPHA_PER_GY}


def cases(folder):
    """{seed: case file}, made where they are not there."""
    files = {seed: folder / f"chordoma-{seed}.h5" for seed in (*HELD_OUT, *FITTED)}
    for seed, file in files.items():
        if not file.exists():
            subprocess.run([ROBION, "phantom", "chordoma", "--seed", str(seed), "-o", file], check=True, stdout=subprocess.DEVNULL)
    return files


def write_table(file, files, control):
    with open(file, "w") as out:
        print("patient,case,dose,control,set", file=out)
        for seed, case in files.items():
            print(f"p{seed},{case.name},{PRESCRIPTION_GY},{'yes' if control[seed] else 'no'},"
                  f"{'fit' if seed in FITTED else 'test'}", file=out)


def area(tcp, control, seeds):
    """AUC: how often a controlled tumour has the higher TCP, ties by half; NaN where all outcomes are alike."""
    yes, no = ([tcp[s] for s in seeds if control[s] == c] for c in (True, False))
    return numpy.mean([(a > b) + (a == b) / 2 for a in yes for b in no]) if yes and no else numpy.nan


def fit(table):
    """Parameters, AUC and predicted minus observed control of those held out, as fit-tcp tells them."""
    text = subprocess.run([ROBION, "fit-tcp", table, "--bootstrap", "2"], check=True, capture_output=True, text=True).stdout
    found = {name: float(re.search(rf"^{name} +(\S+)", text, re.M)[1]) for name in PARAMETERS}
    held = re.search(r"^held out: .*AUC (.+?), predicted minus observed control (\S+),", text, re.M)
    found["held-out AUC"] = float(held[1]) if re.match(r"[\d.]+$", held[1]) else numpy.nan
    found["held-out bias, pp"] = 100 * float(held[2])
    return found


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=pathlib.Path)
    options.add_argument("--draws", type=int, default=40)
    options = options.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    files = cases(options.folder)
    tcp = {}
    for seed, file in files.items():
        tumour = Tumour.of_case(file)
        tcp[seed] = tumour.tcp(numpy.full_like(tumour.weight, PRESCRIPTION_GY)) / 100
    draws = []
    for k in range(options.draws):
        random = numpy.random.default_rng(k)
        control = {seed: bool(random.uniform() < t) for seed, t in tcp.items()}
        table = options.folder / f"draw-{k}.csv"
        write_table(table, files, control)
        draws.append({**fit(table), "held-out AUC of the true model": area(tcp, control, HELD_OUT),
                      "fitted AUC of the true model": area(tcp, control, FITTED),
                      "failures among the fitted": sum(not control[s] for s in FITTED)})
    print(f"{options.draws} draws; TCP of the patients {100 * min(tcp.values()):.0f} to {100 * max(tcp.values()):.0f} %")
    robion.heading("", "truth", "median", "2.5 to 97.5 %", "draws that tell")
    for name in draws[0]:
        values = numpy.array([d[name] for d in draws])
        told = values[numpy.isfinite(values)]
        low, middle, high = numpy.percentile(told, [2.5, 50, 97.5])
        robion.row(name, f"{PARAMETERS[name]:g}" if name in PARAMETERS else "", f"{middle:.3g}", f"{low:.3g} to {high:.3g}", str(len(told)))


if __name__ == "__main__":
    main()
