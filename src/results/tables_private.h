/** Names and headers of a plan's tables. */
#pragma once

enum { TABLE_METRICS, TABLE_DVH, TABLE_SCENARIOS, TABLE_GOALS, N_TABLES };
extern const char *const table_names[N_TABLES];
extern const char *const table_headers[N_TABLES];
