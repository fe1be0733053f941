/* shaped.h - messages as JSON text and back, by a shape, for tests. */
#ifndef TESTS_LIB_SHAPED_H
#define TESTS_LIB_SHAPED_H

#include "common/json/shape.h"

/* As the shape writes it; good until the next call. */
const char *shaped_text(const struct cu_json_shape *shape, const void *message);

/* The message that `text` reads as; it lives until the process ends. The test fails when it does
 * not read. */
void *shaped_message(const struct cu_json_shape *shape, const char *text);

/* Why `text` does not read; good until the next call. The test fails when it does. */
const char *shaped_refusal(const struct cu_json_shape *shape, const char *text);

#endif
