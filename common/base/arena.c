#include "common/base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"

enum { BLOCK_BYTES = 4096 - 64, ALIGN_BYTES = alignof(max_align_t) };

struct block {
    struct block *next;
    size_t size, used;
    alignas(max_align_t) unsigned char bytes[];
};

struct cu_arena {
    struct block *head;
    size_t limit, used;
    ProtobufCAllocator allocator;
};

static void *proto_alloc(void *arena, size_t size)
{
    return cu_arena_alloc(arena, size);
}

static void proto_free(void *arena, void *memory)
{
    (void)arena; /* reset frees all at once */
    (void)memory;
}

struct cu_arena *cu_arena_new(size_t limit_bytes)
{
    struct cu_arena *arena = cu_alloc(sizeof *arena);
    arena->limit = limit_bytes;
    arena->allocator = (ProtobufCAllocator){proto_alloc, proto_free, arena};
    return arena;
}

static void free_blocks(struct block *block)
{
    while (block) {
        struct block *next = block->next;
        free(block);
        block = next;
    }
}

void cu_arena_free(struct cu_arena *arena)
{
    if (!arena)
        return;
    free_blocks(arena->head);
    free(arena);
}

static struct block *add_block(struct cu_arena *arena, size_t size)
{
    size_t bytes = size > BLOCK_BYTES ? size : BLOCK_BYTES;
    struct block *block = malloc(sizeof *block + bytes);
    CU_ASSERT(block);
    *block = (struct block){.next = arena->head, .size = bytes};
    arena->head = block;
    return block;
}

void *cu_arena_alloc(struct cu_arena *arena, size_t size)
{
    if (size > arena->limit)
        return NULL;
    size_t rounded = (size + ALIGN_BYTES - 1) / ALIGN_BYTES * ALIGN_BYTES;
    if (arena->used + rounded > arena->limit)
        return NULL;
    struct block *block = arena->head;
    if (!block || block->size - block->used < rounded)
        block = add_block(arena, rounded);
    void *memory = block->bytes + block->used;
    block->used += rounded;
    arena->used += rounded;
    return memset(memory, 0, rounded);
}

void *cu_arena_memdup(struct cu_arena *arena, const void *data, size_t size)
{
    void *copy = cu_arena_alloc(arena, size);
    if (copy && size)
        memcpy(copy, data, size);
    return copy;
}

char *cu_arena_strdup(struct cu_arena *arena, const char *text)
{
    return cu_arena_memdup(arena, text, strlen(text) + 1);
}

char *cu_arena_printf(struct cu_arena *arena, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    CU_ASSERT(length >= 0);
    char *text = cu_arena_alloc(arena, (size_t)length + 1);
    if (text)
        (void)vsnprintf(text, (size_t)length + 1, fmt, again); /* fits: measured above */
    va_end(again);
    return text;
}

void cu_arena_reset(struct cu_arena *arena)
{
    struct block *keep = arena->head;
    arena->used = 0;
    if (!keep)
        return;
    free_blocks(keep->next);
    keep->next = NULL;
    keep->used = 0;
    if (keep->size > BLOCK_BYTES) {
        free(keep);
        arena->head = NULL;
    }
}

void cu_arena_set_limit(struct cu_arena *arena, size_t limit_bytes)
{
    arena->limit = limit_bytes;
}

size_t cu_arena_used(const struct cu_arena *arena)
{
    return arena->used;
}

ProtobufCAllocator *cu_arena_allocator(struct cu_arena *arena)
{
    return &arena->allocator;
}
