#include "services/curia/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"

void cli_table_add(struct cli_table *table, const char *const *cells)
{
    CU_ASSERT(table->columns > 0 && table->columns <= CLI_COLUMNS);
    if (table->count + table->columns > table->cap) {
        table->cap = table->cap * 2 + 16 * table->columns;
        table->cells = cu_realloc(table->cells, table->cap * sizeof *table->cells);
    }
    for (size_t i = 0; i < table->columns; i++)
        table->cells[table->count++] = cu_strdup(cells[i]);
}

/* Characters, not bytes: names may be UTF-8. */
static size_t width_of(const char *text)
{
    size_t width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

void cli_table_print(const struct cli_table *table)
{
    size_t width[CLI_COLUMNS] = {0}, last = table->columns - 1;
    for (size_t i = 0; i < table->count; i++) {
        size_t cell = width_of(table->cells[i]);
        if (cell > width[i % table->columns])
            width[i % table->columns] = cell;
    }
    for (size_t i = 0; i < table->count; i++) {
        const char *cell = table->cells[i];
        size_t column = i % table->columns;
        if (column == last)
            (void)puts(cell);
        else
            (void)printf("%s%*s", cell, (int)(width[column] - width_of(cell) + 2), "");
    }
}

void cli_table_deinit(struct cli_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i]);
    free(table->cells);
    *table = (struct cli_table){.columns = table->columns};
}
