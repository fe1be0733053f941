/* lines.h - the last lines that the daemons of the node printed, by number. */
#ifndef CLI_AGENT_LINES_H
#define CLI_AGENT_LINES_H

#include <stddef.h>
#include <stdint.h>

enum { LINES_KEPT = 512, LINES_BYTES = 8192 /* of one; a longer one is cut */ };

/* Zero-initialise. */
struct lines {
    char *text[LINES_KEPT];
    uint64_t last; /* number of the newest; 0: none yet */
};

void lines_deinit(struct lines *lines);
void lines_add(struct lines *lines, const char *text, size_t len); /* without its end */
/* The number of the oldest that is kept; last + 1: none. */
uint64_t lines_first(const struct lines *lines);
const char *lines_get(const struct lines *lines, uint64_t number); /* NULL: not kept */

#endif
