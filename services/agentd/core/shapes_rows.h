/* shapes_rows.h - the words of the shape tables; of shapes*.c only. */
#ifndef AGENT_SHAPES_ROWS_H
#define AGENT_SHAPES_ROWS_H

#include "common/json/shape.h"

/* clang-format off */
#define ROW(type, ...)  CU_JSON_FIELD(Curia__V1__##type, __VA_ARGS__)
#define LIST(type, ...) CU_JSON_LIST(Curia__V1__##type, __VA_ARGS__)
#define ALIASES(...)    .aliases = (const char *const[]){__VA_ARGS__, NULL}
#define SHAPE(name, descriptor_, rows, ...)                                                        \
    {.go_name = name, .descriptor = &descriptor_, .fields = rows, .count = CU_COUNT(rows),         \
     __VA_ARGS__}
/* clang-format on */

#endif
