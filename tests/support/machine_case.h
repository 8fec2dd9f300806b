/* What the tests of machines and of base data files share: the comparison of two machines. */
#pragma once
#include "../../src/machine/machine_private.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "near.h"

/* Equal names, hashes and settings, and every table equal bit for bit. */
static inline void assert_same_machine(const Machine *a, const Machine *b)
{
  assert_string_equal(a->name, b->name);
  assert_string_equal(a->source, b->source);
  assert_string_equal(a->hash, b->hash);
  assert_true(a->Z == b->Z && a->A == b->A && a->sad_mm == b->sad_mm && a->offset_mm == b->offset_mm);
  for (int i = 0; i < MACHINE_TABLES; i++) {
    const MachineTable *table = &machine_tables[i];
    size_t n = MachineTableSize(a, table);
    assert_int_equal(n, MachineTableSize(b, table));
    if (n)
      assert_memory_equal(*MachineTableData((Machine *)a, table), *MachineTableData((Machine *)b, table),
                          n * MachineTableElement(table));
  }
}
