#!/usr/bin/env python3
"""Dose of a plan in a water box by other means than robion's: a plain sum over spots and voxels, numpy and h5py alone.

    independent_dose.py case CASE.h5                   a C-shaped target in a box of water, 100 mm along each axis
    independent_dose.py dose PLAN.h5 MACHINE.h5 OUT.h5 physical and RBE-weighted dose of a plan for that case

It shares the base data with robion (depth dose, lateral components, dose spectra: MACHINE.h5 of `robion basedata build`), the
list of spots and the grid (PLAN.h5); everything else is made here: geometry from rotation matrices, depth in closed form, no
cut-off of the lateral tails, LEM I by integrating the response over the track numerically, with a stopping power of its own.
For parallel beams only.
"""
import sys

import h5py
import numpy as np

BOX_MM = 100.0

# Tissue: chordoma of Parrella et al. and TRiP98, LEM I (Scholz and Kraft 1994), low-dose approximation (Kraemer and Scholz 2006).
ALPHA_X, BETA_X, D_T, NUCLEUS_UM = 0.1, 0.05, 30.0, 5.0
S_MAX = ALPHA_X + 2 * BETA_X * D_T


def write_case(path):
    """C of the geometry of Yagi et al. (PLoS One 18:e0288545, 2023): inner diameter 18, outer 40, length 40 mm.

    Its axis is vertical (patient y), the fields come horizontally from +x, -x and +z, so it opens towards -z.
    """
    n, spacing = 60, 2.0  # 10 mm of air around the box
    axis = (np.arange(n) - 0.5 * (n - 1)) * spacing
    z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
    body = (np.maximum(np.maximum(abs(x), abs(y)), abs(z)) < 0.5 * BOX_MM).astype("u1")
    radius = np.hypot(x, z)
    opening = (-z > abs(x)) & (radius > 0)
    target = ((radius > 9) & (radius < 20) & (abs(y) < 20) & ~opening).astype("u1")
    with h5py.File(path, "w") as f:
        ct = f.create_dataset("ct/hu", data=np.where(body, 0, -1000).astype("i2"), compression=4)
        ct.attrs["spacing_mm"] = [spacing] * 3
        ct.attrs["origin_mm"] = [axis[0]] * 3
        for name, mask, role in (("BODY", body, "external"), ("CTV", target, "target")):
            f.create_dataset("structures/" + name, data=mask, compression=4).attrs["role"] = role


def stopping_power(charge, energy):
    """keV/um in water: Bethe with I = 77 eV and Barkas' effective charge; below 0.3 MeV/u, about its maximum, constant."""
    gamma = 1 + np.maximum(energy, 0.3) / 931.494
    beta2 = 1 - 1 / gamma**2
    effective = charge * (1 - np.exp(-125 * np.sqrt(beta2) * charge ** (-2 / 3)))
    electrons = 2 * 0.510999 * beta2 * gamma**2
    mass_stopping = 0.307075 * 0.55508 * effective**2 / beta2 * (np.log(electrons / 77e-6) - beta2)
    return 0.1 * mass_stopping


def lem1(charge, energy):
    """alpha and sqrt(beta) of one ion: the photon response of the radial dose, integrated over the whole track."""
    let = stopping_power(charge, energy)
    deposit = 0.1602177 * let  # Gy um2
    r_max = max(0.01, 0.05 * energy**1.7)
    k = deposit / (np.pi * (1 + 2 * np.log(r_max / 0.01)))

    def response(dose):
        straight = (ALPHA_X + BETA_X * D_T) * D_T + S_MAX * (dose - D_T)
        return np.where(dose <= D_T, (ALPHA_X + BETA_X * dose) * dose, straight)

    log_r = np.linspace(np.log(0.01), np.log(r_max), 4001)
    r = np.exp(log_r)
    ring = 2 * np.pi * r**2 * response(k / r**2)  # per interval of ln r
    effect = np.pi * 0.01**2 * response(k / 0.01**2) + np.sum(0.5 * (ring[1:] + ring[:-1]) * np.diff(log_r))
    alpha_z = effect / deposit
    hit = deposit / (np.pi * NUCLEUS_UM**2)
    alpha = (1 - np.exp(-alpha_z * hit)) / hit
    beta = (alpha / alpha_z) ** 2 * max(0.0, (S_MAX - alpha_z) / (2 * D_T))
    return alpha, np.sqrt(beta)


class BaseData:
    """Depth curves of lateral components: share of the dose, sigma, alpha and sqrt(beta)."""

    def __init__(self, path):
        with h5py.File(path) as f:
            if f.attrs["sad_mm"].item() > 0 or f.attrs["offset_mm"].item() != 0:
                sys.exit("expected parallel beams without an offset in depth")
            self.energy = f["energy"][:]
            self.depth, self.idd = f["depth"][:], f["idd"][:]
            self.spot_sigma, self.sigma, self.share = f["spot_sigma"][:], f["sigma"][:], f["component"][:]
            self.dose_share, self.component_of = f["spectra/dose_share"][:].astype(float), f["spectra/component"][:]
            edge, species = f["spectra/bin_edge"][:], f["spectra/species"][:]
        centre = np.sqrt(edge[1:] * edge[:-1])
        response = np.array([[lem1(float(z), e) for e in centre] for z, _ in species])
        self.alpha, self.sqrt_beta = response[:, :, 0], response[:, :, 1]

    def find(self, energy):
        e = int(np.argmin(abs(self.energy - energy)))
        if abs(self.energy[e] - energy) > 0.05:
            sys.exit("no base data of %g MeV/u" % energy)
        return e

    def mixed(self, e, k):
        """alpha and sqrt(beta) of component k at the nodes where it has dose (others do not matter)."""
        share = self.dose_share[e][:, self.component_of == k, :]
        total = share.sum(axis=(1, 2))
        safe = np.where(total > 0, total, 1)
        mean = [(share * table[self.component_of == k]).sum(axis=(1, 2)) / safe for table in (self.alpha, self.sqrt_beta)]
        filled = total > 0
        nodes = np.arange(len(total))
        return [np.interp(nodes, nodes[filled], m[filled]) if filled.any() else m for m in mean]


def rotation(gantry_deg, couch_deg):
    """IEC 61217 in DICOM LPS, head first supine: columns are the images of x, y and z at gantry and couch 0."""
    g, c = np.radians(gantry_deg), np.radians(couch_deg)
    gantry = np.array([[np.cos(g), -np.sin(g), 0], [np.sin(g), np.cos(g), 0], [0, 0, 1]])
    couch = np.array([[np.cos(c), 0, np.sin(c)], [0, 1, 0], [-np.sin(c), 0, np.cos(c)]])
    return couch @ gantry


def depth_in_box(points, direction):
    """Length of the way inside the box, from where the beam enters to each point in it."""
    ways = [(p_axis + np.sign(d) * 0.5 * BOX_MM) / d for p_axis, d in zip(points.T, direction) if abs(d) > 1e-9]
    return np.min(ways, axis=0)


def beam_channels(points, beam, base):
    """Dose, alpha dose and sqrt(beta) dose of one beam at points inside the box."""
    axes = rotation(beam.attrs["gantry_deg"].item(), beam.attrs["couch_deg"].item())
    u, v = ((points - beam.attrs["isocentre_mm"]) @ axes[:, a] for a in (0, 2))
    depth = depth_in_box(points, axes[:, 1])
    spots = np.stack([beam[name][:] for name in ("x_mm", "y_mm", "energy_MeV_u", "particles")], axis=1)
    channels = np.zeros((3, len(points)))
    for energy in np.unique(spots[:, 2]):
        e = base.find(energy)
        nodes = base.depth[e]
        idd = np.interp(depth, nodes, base.idd[e], right=0)
        for k in range(base.share.shape[1]):
            alpha, sqrt_beta = (np.interp(depth, nodes, curve) for curve in base.mixed(e, k))
            sigma2 = base.spot_sigma[e] ** 2 + np.interp(depth, nodes, base.sigma[e, k]) ** 2
            lateral = np.zeros(len(points))
            for x, y, _, particles in spots[(spots[:, 2] == energy) & (spots[:, 3] > 0)]:
                lateral += particles * np.exp(-0.5 * ((u - x) ** 2 + (v - y) ** 2) / sigma2)
            dose = idd * np.interp(depth, nodes, base.share[e, k]) * lateral / (2 * np.pi * sigma2)
            channels += dose * np.array([np.ones(len(points)), alpha, sqrt_beta])
    return channels


def rbe_weighted(dose, alpha_dose, sqrt_beta_dose):
    effect = alpha_dose + sqrt_beta_dose**2
    if dose.max() > D_T:
        sys.exit("doses above the transition dose are not foreseen")
    return (np.sqrt(ALPHA_X**2 + 4 * BETA_X * effect) - ALPHA_X) / (2 * BETA_X)


def write_dose(plan_path, machine_path, out_path):
    base = BaseData(machine_path)
    with h5py.File(plan_path) as plan, h5py.File(out_path, "w") as out:
        x, y, z = (plan["grid/" + name][:] for name in ("x_mm", "y_mm", "z_mm"))
        inside = np.stack(np.meshgrid(x, y, z, indexing="ij"), axis=-1).transpose(2, 1, 0, 3)
        shape = inside.shape[:3]
        points = inside.reshape(-1, 3)
        within = (abs(points) < 0.5 * BOX_MM).all(axis=1)
        channels = sum(beam_channels(points[within], beam, base) for beam in plan["plan"].values())
        grid = out.create_group("grid")
        for name in ("spacing_mm", "origin_mm"):
            grid.attrs[name] = plan["grid"].attrs[name]
        for name, unit, values in (("physical", "Gy", channels[0]), ("rbe_weighted", "Gy(RBE)", rbe_weighted(*channels))):
            cube = np.zeros(len(points), "f4")
            cube[within] = values
            out.create_dataset("dose/nominal/" + name, data=cube.reshape(shape)).attrs["unit"] = unit
            print("%s: highest %.4f %s, mean of %d voxels %.4f" % (name, values.max(), unit, within.sum(), values.mean()))


if __name__ == "__main__":
    if sys.argv[1:2] == ["case"] and len(sys.argv) == 3:
        write_case(sys.argv[2])
    elif sys.argv[1:2] == ["dose"] and len(sys.argv) == 5:
        write_dose(*sys.argv[2:])
    else:
        sys.exit(__doc__)
