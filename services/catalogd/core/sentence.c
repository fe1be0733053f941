#include "services/catalogd/core/sentence.h"

#include <stdarg.h>
#include <stdio.h>

enum { SENTENCE_BYTES = 500 };

const char *catalog_sentence(struct cu_arena *arena, const char *fmt, ...)
{
    char text[SENTENCE_BYTES];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args); /* cut at the limit on purpose */
    va_end(args);
    const char *copy = cu_arena_strdup(arena, text);
    return copy ? copy : "the request is refused";
}
