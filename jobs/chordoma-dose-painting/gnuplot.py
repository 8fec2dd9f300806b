"""Pieces of gnuplot scripts, and running them."""
import subprocess

SCALE = 1.5  # pixels of PNG per unit of SVG


def block(name, rows):
    """A data block; an empty row sets scans apart, None is a missing value."""
    lines = (" ".join("NaN" if v is None else f"{v:.6g}" if isinstance(v, float) else str(v) for v in row) for row in rows)
    return f"${name} << EOD\n" + "\n".join(lines) + "\nEOD\n"


def place(size, left, bottom, width, height):
    """Edges of a panel, in units of the picture's size."""
    return (f"set lmargin at screen {left / size[0]:.5f}; set rmargin at screen {(left + width) / size[0]:.5f}\n"
            f"set bmargin at screen {bottom / size[1]:.5f}; set tmargin at screen {(bottom + height) / size[1]:.5f}\n")


def shade(colours):
    return "set palette defined (" + ", ".join(f"{i} '{c}'" for i, c in enumerate(colours.split())) + ")\n"


def key(size, entries, bottom):
    """One key over the picture's width: pairs of style and title. The last panel of a multiplot."""
    return (place(size, 10, bottom, size[0] - 20, 30)
            + "unset border; unset tics; unset xlabel; unset ylabel; unset title; unset colorbox; unset xzeroaxis\n"
            "set xrange [0:1]; set yrange [0:1]\nset key center center horizontal samplen 2.5 width 1 noenhanced\n"
            "plot NaN notitle, " + ", ".join(f"keyentry with {style} title \"{title}\"" for style, title in entries) + "\n")


def draw(folder, name, size, script):
    """A script's picture as PNG and SVG."""
    both = ""
    for terminal, kind, scale in (("pngcairo", "png", SCALE), ("svg background 'white'", "svg", 1)):
        extra = f"fontscale {scale} linewidth {scale} pointscale {scale}" if kind == "png" else ""
        pixels = ",".join(f"{length * scale:.0f}" for length in size)
        both += (f"reset\nset terminal {terminal} enhanced size {pixels} font 'DejaVu Sans,10' {extra}\n"
                 f"set output '{folder / name}.{kind}'\nset encoding utf8\n{script}set output\n")
    subprocess.run(["gnuplot"], input=both, text=True, check=True)
    svg = folder / f"{name}.svg"
    svg.write_text(svg.read_text().replace("<image ", "<image style='image-rendering: pixelated' "))  # voxels, not smoothed
    print(f"drew {folder / name}.png and .svg")
