/* table.h - columns as wide as their widest cell, two blanks between, the last one not padded
 * (cli.md 1.6). */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stddef.h>

#include "common/base/err.h"

enum { CLI_COLUMNS = 8 };

/* Zero but for `columns`; cli_table_deinit() frees the cells. */
struct cli_table {
    size_t columns;
    char **cells; /* row by row, the titles first */
    size_t count, cap;
};

/* Adds `columns` cells, copied. */
void cli_table_add(struct cli_table *table, const char *const *cells);
/* On stdout. */
void cli_table_print(const struct cli_table *table);
void cli_table_deinit(struct cli_table *table);

#endif
