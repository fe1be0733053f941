#include "tests/sim/history.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/map.h"

enum { MEMO_MAX = 2000000 };

size_t history_begin(struct history *history, const struct history_operation *operation)
{
    if (history->count == history->cap) {
        history->cap = history->cap ? history->cap * 2 : 256;
        history->items = cu_realloc(history->items, history->cap * sizeof *history->items);
    }
    history->items[history->count] = *operation;
    return history->count++;
}

void history_deinit(struct history *history)
{
    free(history->items);
    *history = (struct history){0};
}

/* The search: operations sorted by start; a prefix of them is all done (`low`), beyond it a window
 * of 64 bits. */
struct search {
    struct history_operation *ops;
    size_t count;
    struct cu_map memo;
    bool gave_up;
};

static int by_start(const void *a, const void *b)
{
    const struct history_operation *x = a, *y = b;
    return x->start < y->start ? -1 : x->start > y->start;
}

struct place {
    uint64_t low, done, value; /* all below low done; done: bits from low */
};

/* Applies one operation to a register: false when its known outcome contradicts it. */
static bool step(const struct history_operation *op, uint64_t *value)
{
    switch (op->kind) {
    case HISTORY_WRITE:
        *value = op->value;
        return true;
    case HISTORY_CAS:
        if (op->is_known && (*value == op->expected) != op->applied)
            return false;
        if (*value == op->expected)
            *value = op->value;
        return true;
    case HISTORY_READ:
        return *value == op->value;
    }
    return false;
}

static bool seen(struct search *s, const struct place *place)
{
    struct cu_bytes key = {(const uint8_t *)place, sizeof *place};
    if (cu_map_get(&s->memo, key))
        return true;
    if (s->memo.count >= MEMO_MAX) {
        s->gave_up = true;
        return true;
    }
    (void)cu_map_put(&s->memo, key, s);
    return false;
}

static struct place advance(const struct search *s, struct place place)
{
    while (place.done & 1) {
        place.done >>= 1;
        place.low++;
    }
    (void)s;
    return place;
}

/* Unknown operations may be left for ever: the history is explained when every known one is done.
 */
static bool all_known_done(const struct search *s, const struct place *place)
{
    for (size_t i = place->low; i < s->count; i++) {
        bool is_done = i - place->low < 64 && place->done >> (i - place->low) & 1;
        if (!is_done && s->ops[i].is_known)
            return false;
    }
    return true;
}

static bool explain(struct search *s, struct place place)
{
    if (all_known_done(s, &place))
        return true;
    if (seen(s, &place))
        return s->gave_up;
    /* What may come next began before every undone known operation ended. */
    uint64_t bound = UINT64_MAX;
    for (size_t i = place.low; i < s->count && s->ops[i].start < bound; i++) {
        bool is_done = i - place.low < 64 && place.done >> (i - place.low) & 1;
        if (!is_done && s->ops[i].end < bound)
            bound = s->ops[i].end;
    }
    for (size_t i = place.low; i < s->count && s->ops[i].start <= bound; i++) {
        if (i - place.low >= 64) {
            s->gave_up =
                true; /* more than 64 open at once: clients are fewer, unknown writes pile up */
            return true;
        }
        if (place.done >> (i - place.low) & 1)
            continue;
        struct place next = place;
        if (!step(&s->ops[i], &next.value))
            continue;
        next.done |= (uint64_t)1 << (i - place.low);
        if (explain(s, advance(s, next)))
            return true;
    }
    return false;
}

/* An unknown write whose value nobody ever saw may as well never have happened, unless a CAS
 * depends on it; that keeps the window small. */
static bool is_seen(const struct history *history, const struct history_operation *op)
{
    for (size_t i = 0; i < history->count; i++) {
        const struct history_operation *other = &history->items[i];
        if (other->key != op->key || other == op)
            continue;
        if (other->kind == HISTORY_READ && other->is_known && other->value == op->value)
            return true;
        if (other->kind == HISTORY_CAS && other->expected == op->value &&
            (!other->is_known || other->applied))
            return true;
        if (other->kind == HISTORY_CAS && other->is_known && !other->applied)
            return true; /* it may have been the reason */
    }
    return false;
}

bool history_is_linearizable(const struct history *history, unsigned key, uint64_t initial,
                             bool *ret_gave_up)
{
    struct search s = {.ops = cu_alloc((history->count + 1) * sizeof *s.ops)};
    for (size_t i = 0; i < history->count; i++) {
        const struct history_operation *op = &history->items[i];
        if (op->key != key || (op->kind == HISTORY_READ && !op->is_known))
            continue;
        if (!op->is_known && !is_seen(history, op))
            continue;
        s.ops[s.count++] = *op;
    }
    qsort(s.ops, s.count, sizeof *s.ops, by_start);
    bool ok = explain(&s, (struct place){.value = initial});
    *ret_gave_up = s.gave_up;
    cu_map_deinit(&s.memo);
    free(s.ops);
    return ok;
}
