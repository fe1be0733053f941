/* scan.h - the text under the grammar of filters: what stands next, and, when nothing fits, what
 * could have stood at the place where the parser got farthest. A function that finds what it looks
 * for moves on; one that does not leaves the place as it was and is remembered. For parse.c. */
#ifndef CU_FILTER_SCAN_H
#define CU_FILTER_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/err.h"

/* What could have stood there, in the order in which the
 * sentence lists them; the grammar and these names are those of the reference's generated parser,
 * so what it would say is what is said here. */
enum filter_want {
    WANT_NOT_QUOTE, /* inside a string nothing else ends it */
    WANT_NOT_TICK,
    WANT_NOT_EQUAL,
    WANT_OPEN,
    WANT_CLOSE,
    WANT_MINUS,
    WANT_DOT,
    WANT_ZERO,
    WANT_EQUAL,
    WANT_BRACKET,
    WANT_QUOTE,
    WANT_END_BRACKET,
    WANT_TICK,
    WANT_AND,
    WANT_CONTAINS,
    WANT_EMPTY,
    WANT_IN,
    WANT_IS,
    WANT_MATCHES,
    WANT_NOT,
    WANT_OR,
    WANT_SPACE,
    WANT_DIGIT,
    WANT_DIGIT_1,
    WANT_LETTER_OR_DIGIT,
    WANT_LETTER,
    WANT_EOF,
    WANT_COUNT
};

struct filter_scan {
    const char *text;
    size_t len, at;
    struct cu_arena *arena;
    size_t farthest;
    uint32_t wants; /* there */
    unsigned depth;
    enum cu_err err; /* ends it all */
    struct cu_diag *diag;
};
_Static_assert(WANT_COUNT <= 32, "bits of wants");

bool filter_literal(struct filter_scan *p, const char *word, enum filter_want what);
bool filter_space(struct filter_scan *p); /* at least one */
bool filter_at_end(struct filter_scan *p);
bool filter_string(struct filter_scan *p, char **ret_text); /* quoted; without its quotes */
bool filter_number(struct filter_scan *p, char **ret_text);
char *filter_identifier(struct filter_scan *p); /* NULL: none */

/* Zeroed, from the arena; NULL: it is used up, and so is the filter. */
void *filter_make(struct filter_scan *p, size_t size);

/* What ends it all: the first one counts. */
void filter_break_off(struct filter_scan *p, size_t at, const char *rule, const char *why);
void filter_run_out(struct filter_scan *p);
enum cu_err filter_say_wanted(struct filter_scan *p);

#endif
