/* sentence.h - sentences of refusals, made in an arena. */
#ifndef CATALOG_SENTENCE_H
#define CATALOG_SENTENCE_H

#include "common/base/arena.h"
#include "common/base/err.h"

/* Cut at 500 bytes. "the request is refused" where the arena is full: the fact stays. */
const char *catalog_sentence(struct cu_arena *arena, const char *fmt, ...) CU_PRINTF(2, 3);

#endif
