/* copy.h - whole copies of messages. */
#ifndef AGENT_COPY_H
#define AGENT_COPY_H

#include <stdbool.h>

#include <protobuf-c/protobuf-c.h>

#include "common/base/arena.h"

/* A copy on the heap; agent_copy_free(). NULL gives NULL. */
void *agent_copy(const void *message);
void agent_copy_free(void *message); /* takes NULL */

/* A copy in the arena; NULL: the arena is full (or `message` is NULL). */
void *agent_arena_copy(const void *message, struct cu_arena *arena);

/* Whether two messages of one type say the same; NULL equals NULL alone. */
bool agent_same(const void *a, const void *b);

#endif
