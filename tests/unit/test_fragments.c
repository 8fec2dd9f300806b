/*
 * 12C of 400 MeV/u in water beside Haettner et al., Radiat Prot Dosim 122:485 (2006), PMB 58:8265 (2013), as digitised in Geant4's
 * hadrontherapy example (iaeaBenchmark; yields and angles without error bars): fragments over depth and angle, depth dose. Ions are
 * counted 2.94 m from the middle of the water, within 10 degrees.
 * sanitizer: slow timeout: 300
 */
#include "../../src/machine/transport.c"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "near.h"

static Fragmentation nuclear;
static const char *const element[] = {"n", "H", "He", "Li", "Be", "B"};
#define ENERGY_MEV_U 400
#define FLIGHT_MM 2940
#define DEGREE (M_PI / 180)
#define PEAK_MM 275

/* A measured point: ions of a charge per ion of the beam; for angles, per steradian. */
typedef struct Point {
  PetscInt Z;
  double depth_mm, degrees, value;
} Point;

static const Point yields[] = {
    {1, 57.3, 0, .2733},   {1, 157.9, 0, .5591},  {1, 257.7, 0, .7616},  {1, 279.4, 0, .7635},  {1, 311.6, 0, .7235},
    {1, 347.4, 0, .6835},  {2, 57.5, 0, .1988},   {2, 157.8, 0, .4208},  {2, 257.9, 0, .5582},  {2, 278.9, 0, .5732},
    {2, 288.6, 0, .5308},  {2, 346.1, 0, .4491},  {3, 56.8, 0, .02918},  {3, 160.2, 0, .04699}, {3, 260.2, 0, .0576},
    {3, 280.3, 0, .05436}, {3, 290.5, 0, .04863}, {3, 312.7, 0, .04388}, {3, 348.9, 0, .03456}, {4, 57.1, 0, .01344},
    {4, 157.5, 0, .02205}, {4, 259.2, 0, .02909}, {4, 279.9, 0, .02526}, {4, 290.3, 0, .0232},  {4, 313.4, 0, .01371},
    {4, 347.5, 0, .00742}, {5, 58.1, 0, .03341},  {5, 159.4, 0, .05162}, {5, 259.1, 0, .06608}, {5, 281.3, 0, .05338},
    {5, 288.3, 0, .03721}, {5, 313.4, 0, .01897}, {5, 348.9, 0, .00225}};

/* Angles are those from the maximum. */
static const Point angles[] = {
    {1, 159, 0, 21.7},      {1, 159, .48, 20.9},    {1, 159, 1.01, 18.8},   {1, 159, 1.515, 15.86},
    {1, 159, 2.02, 14.68},  {1, 159, 3, 12.88},     {1, 159, 3.99, 10.27},  {1, 159, 5.985, 6.306},
    {1, 159, 8, 3.874},     {1, 159, 10, 2.61},     {2, 159, 0, 38.7},      {2, 159, .453, 37.9},
    {2, 159, .99, 33.9},    {2, 159, 1.511, 27.39}, {2, 159, 2.015, 21.66}, {2, 159, 3, 13.96},
    {2, 159, 4.03, 7.76},   {2, 159, 6.02, 2.696},  {2, 159, 8.04, .9276},  {2, 159, 10, .36},
    {3, 159, 0, 8.361},     {3, 159, 1.014, 6.45},  {3, 159, 1.44, 4.4},    {3, 159, 3.046, 1.684},
    {3, 159, 4, .668},      {3, 159, 6, .106},      {3, 159, 8, .0342},     {4, 159, 0, 4.286},
    {4, 159, .495, 4.166},  {4, 159, 1, 3.4},       {4, 159, 1.483, 2.417}, {4, 159, 2.0035, 1.7056},
    {4, 159, 3.022, .9038}, {4, 159, 3.99, .3388},  {4, 159, 6.035, .096},  {5, 159, 0, 30.345},
    {5, 159, .551, 23.7},   {5, 159, 1.03, 15.46},  {5, 159, 1.554, 7.774}, {5, 159, 2.03, 3.26},
    {5, 159, 3.03, .878},   {5, 312, 0, 6.171},     {5, 312, .985, 4.38},   {5, 312, 2.01, 1.689},
    {5, 312, 3, .428},      {5, 312, 3.99, .09}};

/* Depth, mm, and ionisation, of any unit; the digitised error is 0.037. The edge, too steep for points, is its R80. */
static const double bragg[][2] = {
    {22.3, 1.5047},  {42.4, 1.5455},  {52.1, 1.5475},  {62.6, 1.5863},  {72.3, 1.5517},  {82.7, 1.5173},
    {92.4, 1.5193},  {102.1, 1.4848}, {112.6, 1.5235}, {123, 1.4891},   {132.7, 1.4912}, {143.2, 1.4933},
    {152.1, 1.5318}, {162.6, 1.534},  {173, 1.5362},   {182.7, 1.5748}, {192.4, 1.5768}, {203.6, 1.6157},
    {213.3, 1.6909}, {223, 1.7296},   {227.5, 1.8037}, {233.5, 1.8415}, {237.9, 1.879},  {242.4, 1.9531},
    {248.4, 2.0641}, {252.1, 2.1381}, {255.1, 2.2119}, {257.3, 2.2855}, {260.3, 2.3593}, {262.5, 2.3598},
    {282, .6809},    {292.5, .6465},  {302.9, .6121},  {312.7, .541},   {322.4, .5064},  {332.8, .472}};
#define BRAGG_R80_MM 275.86
#define N(array) ((PetscInt)(sizeof(array) / sizeof *(array)))

/* A beam without ripple filter. */
static double RangeSigma_mm(void)
{
  MachineSpec spec;
  assert_int_equal(MachineSpecDefault(&spec), 0);
  spec.ripple_sigma_mm = 0;
  return RangeSpread_mm(&spec, (Species){6, 12}, ENERGY_MEV_U);
}

/* Ions of a charge at the current depth: those within the cone, and how many per steradian go at an angle. */
typedef struct Seen {
  double inside, per_sr;
} Seen;

static Seen Count(const Transport *t, PetscInt Z, double depth_mm, double degrees)
{
  const double flight = FLIGHT_MM - depth_mm / 2, cone = 10 * DEGREE, angle = degrees * DEGREE;
  Seen seen = {0};
  for (PetscInt s = 0; s <= t->n_species; s++) /* and the protons of the target */
    for (PetscInt j = 0; j < t->lane[s].top && t->lane[s].species.Z == Z; j++) {
      const Moments *m = &t->lane[s].ions[j];
      if (m->number <= 0) continue;
      const double offset2 = m->offset2_mm2 + 2 * flight * m->mixed_mm + flight * flight * m->angle2;
      const double v = PetscMax(1e-9, offset2 / m->number / FLIGHT_MM / FLIGHT_MM); /* in a plane */
      seen.inside -= m->number * expm1(-cone * cone / 2 / v);
      seen.per_sr += m->number / (2 * M_PI * v) * exp(-angle * angle / 2 / v);
    }
  return seen;
}

/* Count at each of the points, which may come in any order. */
static void CountAt(PetscInt n, const Point *point, Seen *seen)
{
  double depth[2] = {1, 360}, edge[3] = {0.1, 10, 1000};
  TransportInput in = {&nuclear, {6, 12}, ENERGY_MEV_U, RangeSigma_mm(), 2, depth, 2, edge, 3.4, NULL};
  Transport t;
  assert_int_equal(TransportCreate(&in, &t), 0);
  for (PetscInt k = 1; k <= t.n_step; k++) {
    assert_int_equal(Step(&t, k - 1), 0);
    for (PetscInt i = 0; i < n; i++)
      if (fabs(point[i].depth_mm / t.step_mm - (double)k) <= 0.5)
        seen[i] = Count(&t, point[i].Z, (double)k * t.step_mm, point[i].degrees);
  }
  assert_int_equal(TransportDestroy(&t), 0);
}

/* 15 % up to the peak and 25 % behind it; lithium, of which there is a quarter too little, 40 %. Not of less than 0.5 % of the beam. */
static void YieldsOverDepth(void **state)
{
  int failures = 0;
  Seen seen[N(yields)];
  CountAt(N(yields), yields, seen);
  for (PetscInt i = 0; i < N(yields); i++) {
    const Point *p = &yields[i];
    const double ratio = seen[i].inside / p->value;
    print_message("Haettner yields %s at %.1f mm: %.4f, measured %.4f, %.2f\n", element[p->Z], p->depth_mm,
                  seen[i].inside, p->value, ratio);
    const double tolerance = p->Z == 3 ? 0.4 : p->depth_mm < PEAK_MM ? 0.15 : 0.25;
    failures += p->value > 0.005 && fabs(ratio - 1) > tolerance;
  }
  assert_int_equal(failures, 0);
}

/* Root mean square angle in a plane, degrees, over n points of one charge: between them straight on a logarithmic scale. */
static double Width(PetscInt n, const Point *point, const double *per_sr)
{
  enum { PIECES = 100 };
  double number = 0, square = 0;
  for (PetscInt i = 0; i + 1 < n; i++)
    for (int k = 0; k < PIECES; k++) {
      const double x = (k + 0.5) / PIECES, angle = (1 - x) * point[i].degrees + x * point[i + 1].degrees;
      const double ions =
          (point[i + 1].degrees - point[i].degrees) * angle * pow(per_sr[i], 1 - x) * pow(per_sr[i + 1], x);
      number += ions;
      square += ions * angle * angle / 2;
    }
  return sqrt(square / number);
}

static PetscInt PointsOfCharge(PetscInt from)
{
  PetscInt n = 1;
  while (from + n < N(angles) && angles[from + n].degrees > 0) n++;
  return n;
}

/* Widths within 10 %; those of beryllium, which are too narrow, 20 %. */
static void Angles(void **state)
{
  Seen seen[N(angles)];
  double ours[N(angles)], theirs[N(angles)];
  CountAt(N(angles), angles, seen);
  for (PetscInt i = 0; i < N(angles); i++) {
    const Point *p = &angles[i];
    ours[i] = seen[i].per_sr;
    theirs[i] = p->value;
    print_message("Haettner angles%.0f %s at %.2f degrees: %.3f, measured %.3f, %.2f\n", p->depth_mm, element[p->Z],
                  p->degrees, ours[i], p->value, ours[i] / p->value);
  }
  for (PetscInt i = 0, n; i < N(angles); i += n) {
    n = PointsOfCharge(i);
    const Point *p = &angles[i];
    const double width = Width(n, p, ours + i), measured = Width(n, p, theirs + i);
    print_message("angles of %s behind %.0f mm: rms %.2f degrees up to %g, measured %.2f, %.2f\n", element[p->Z],
                  p->depth_mm, width, p[n - 1].degrees, measured, width / measured);
    assert_double_near(width / measured, 1, p->Z == 4 ? 0.2 : 0.1);
  }
}

/* Mean of ours over theirs from a depth to another. */
static double MeanRatio(const double *ratio, double from_mm, double to_mm)
{
  double sum = 0;
  PetscInt n = 0;
  for (PetscInt i = 0; i < N(bragg); i++)
    if (bragg[i][0] >= from_mm && bragg[i][0] <= to_mm) {
      sum += ratio[i];
      n++;
    }
  return sum / (double)n;
}

/* Depths of the points and, for the edge, every 0.05 mm around R80, ascending, and the dose there. */
enum { EDGE = 60 };
static PetscErrorCode DosesAt(double depth[], TransportField *field)
{
  PetscInt n = 0;
  for (PetscInt i = 0; i < N(bragg); i++) {
    for (int k = 0; k < EDGE && i && bragg[i][0] > PEAK_MM && bragg[i - 1][0] < PEAK_MM; k++)
      depth[n++] = PEAK_MM - 1 + 0.05 * k;
    depth[n++] = bragg[i][0];
  }
  const double edge[3] = {0.1, 10, 1000};
  TransportInput in = {&nuclear, {6, 12}, ENERGY_MEV_U, RangeSigma_mm(), n, depth, 2, edge, 3.4, NULL};
  return TransportRun(&in, field);
}

/* Where the dose falls through 80 % of its largest. */
static double R80_mm(const double depth[], const double *dose)
{
  PetscInt d = 0;
  for (PetscInt i = 0; i < N(bragg) + EDGE; i++)
    if (dose[i] > dose[d]) d = i;
  const double level = 0.8 * dose[d];
  while (dose[d + 1] > level) d++;
  return depth[d] + (depth[d + 1] - depth[d]) * (dose[d] - level) / (dose[d] - dose[d + 1]);
}

/* Before the peak within 2 %, behind it 8 %, R80 0.3 mm. */
static void DepthDose(void **state)
{
  double depth[N(bragg) + EDGE], ours[N(bragg)], ratio[N(bragg)];
  TransportField field;
  assert_int_equal(DosesAt(depth, &field), 0);
  for (PetscInt i = 0; i < N(bragg); i++) {
    ours[i] = field.dose_MeV_cm2_g[bragg[i][0] > PEAK_MM ? i + EDGE : i];
    ratio[i] = ours[i] / bragg[i][1];
  }
  const double r80 = R80_mm(depth, field.dose_MeV_cm2_g), plateau = MeanRatio(ratio, 20, 125);
  const double before = MeanRatio(ratio, 210, 263) / plateau, tail = MeanRatio(ratio, 280, 335) / plateau;
  for (PetscInt i = 0; i < N(bragg); i++)
    print_message("Haettner dose C at %.1f mm: %.4f, measured %.4f, %.3f\n", bragg[i][0], ours[i] / plateau,
                  bragg[i][1], ratio[i] / plateau);
  print_message("400 MeV/u, dose over Haettner's relative to 20 to 125 mm: 150 to 200 mm %.3f, 210 to 262 mm %.3f, "
                "282 to 333 mm %.3f; R80 %.2f mm, measured %.2f\n",
                MeanRatio(ratio, 150, 200) / plateau, before, tail, r80, BRAGG_R80_MM);
  assert_double_near(before, 1, 0.02);
  assert_double_near(tail, 1, 0.08);
  assert_double_near(r80, BRAGG_R80_MM, 0.3);
  assert_int_equal(TransportFieldDestroy(&field), 0);
}

static int Start(void **state)
{
  if (FragmentationLoad(NULL, &nuclear)) return 1;
  return PetscInitializeNoArguments();
}

static int Stop(void **state)
{
  return PetscFinalize();
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(YieldsOverDepth), cmocka_unit_test(Angles),
                                     cmocka_unit_test(DepthDose)};
  return cmocka_run_group_tests(tests, Start, Stop);
}
