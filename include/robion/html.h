/**
 * Pages of HTML that hold all they need: style, scripts, pictures and data, and ask the network for nothing (content security policy).
 * They are complete without scripts. What comes from files and names is text and never markup. Nothing is collective.
 */
#pragma once
#include "robion/text.h"

/** Files that the program holds (Makefile: ASSETS), by name with dots as underscores. */
extern const char report_css[], plan_js[], uPlot_min_js[], uPlot_min_css[];

/** Head and banner of a page; `home`: address of the study's page, NULL: this is it. */
PetscErrorCode HTMLBegin(Text *page, const char *title, const char *home);
/** The end, with the scripts that it needs (NULL: none). */
PetscErrorCode HTMLEnd(Text *page, PetscInt n_script, const char *const *script);
/** Add text: & < > " ' as entities, control characters as blanks. */
PetscErrorCode HTMLText(Text *page, const char *text);
/** <tag>text</tag>, attributes ("class='x'") as they are or NULL. */
PetscErrorCode HTMLElement(Text *page, const char *tag, const char *attributes, const char *text);
/** Lines of a text as they are, in a <pre> that the keyboard reaches; the text's line ends are overwritten. */
PetscErrorCode HTMLLines(Text *page, char *text);
/** A heading of a section with an anchor; HTMLSectionEnd closes it. */
PetscErrorCode HTMLSection(Text *page, const char *id, const char *title);
PetscErrorCode HTMLSectionEnd(Text *page);
/** A table with these columns; rows follow as <tr>; HTMLTableEnd closes it. caption: what it shows, in words. */
PetscErrorCode HTMLTable(Text *page, const char *caption, PetscInt n, const char *const *column);
PetscErrorCode HTMLTableEnd(Text *page);
/** A JSON text such as scripts read, in an element of this id. */
PetscErrorCode HTMLData(Text *page, const char *id, const char *json);
/** Bytes, gzip and base64, in an element of this id. Returns their length on the page. */
PetscErrorCode HTMLBytes(Text *page, const char *id, const unsigned char *bytes, size_t n, size_t *length);
/** A link by which text can be had as a file, `name`.gz or where scripts run `name`; nothing is loaded. Returns its length. */
PetscErrorCode HTMLDownload(Text *page, const char *name, const char *label, const char *content, size_t n,
                            size_t *length);

/** An RGB picture, rows from the top, as <img>; alternative text for those who do not see it. */
PetscErrorCode HTMLPicture(Text *page, PetscInt width, PetscInt height, const unsigned char *rgb,
                           const char *alternative);

/** Colours that people tell apart, one per structure everywhere, of which REPORT_COLOURS differ; "#rrggbb". */
enum { REPORT_COLOURS = 24 };
const char *ReportColour(PetscInt i);

/** One curve of a chart: y over x, and unless NULL a band from low to high. */
typedef struct ChartSeries {
  const char *name, *colour;
  PetscInt n;
  const double *x, *y, *low, *high;
} ChartSeries;

/** A chart. Axes are linear; `logarithmic`: y is not. */
typedef struct Chart {
  const char *title, *x_label, *y_label;
  double x_least, x_most, y_least, y_most; /* ends of the axes; curves end there */
  PetscBool logarithmic;
  PetscBool points; /* marks where the values are */
  PetscInt n_x;     /* names of x = 0, 1, ... instead of numbers; 0: none */
  const char *const *x_name;
  PetscInt n;
  const ChartSeries *series;
} Chart;

/** Low and high with a twentieth of their difference around them, or of their size if there is none. */
void ChartRange(double low, double high, double range[2]);
/** Distance of round ticks on an axis from low to high, `most` of them at most. */
double ChartStep(double low, double high, PetscInt most);

/** Add a chart as SVG. */
PetscErrorCode HTMLChart(Text *page, const Chart *chart);

/** Values of the same cases in several groups. */
typedef struct HTMLPairs {
  const char *title;
  PetscInt n_group, stride; /* group k has n[k] values from value[k stride] on */
  const char **name;        /* of groups */
  PetscInt *n;
  double *value;
  PetscInt *of; /* whose each value is, ascending */
} HTMLPairs;

/** Add a plot as SVG: of each group a box from quartile to quartile with the median, and all values; the same case is joined by lines. */
PetscErrorCode HTMLPairsPlot(Text *page, const HTMLPairs *pairs);
