/* filter.h - a filter expression (http-api.md 1.9) over a protobuf message: parsed, checked against
 * a table of what may be selected, then asked of one message after the other. Pure.
 *
 *     ServicePort == 80 and "v1" in ServiceTags or not Meta.env is empty */
#ifndef CU_FILTER_FILTER_H
#define CU_FILTER_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

#include "common/base/arena.h"
#include "common/base/err.h"

enum {
    CU_FILTER_BYTES_MAX = 16 * 1024, /* of an expression */
    CU_FILTER_DEPTH_MAX = 64,        /* of parentheses and of "not" */
};

/* What a name selects. */
enum cu_filter_kind {
    CU_FILTER_TEXT,    /* char * */
    CU_FILTER_BOOL,    /* protobuf_c_boolean */
    CU_FILTER_I32,     /* int32_t, or a small uint32_t */
    CU_FILTER_TEXTS,   /* a list of texts */
    CU_FILTER_OBJECT,  /* a message; absent: all of it empty */
    CU_FILTER_OBJECTS, /* a list of messages: what holds for one of them holds */
    /* A message that has a map as its only member (text.proto); absent: an empty one. */
    CU_FILTER_MAP,         /* to texts */
    CU_FILTER_OBJECTS_MAP, /* to messages */
    CU_FILTER_KIND_COUNT
};

struct cu_filter_shape;

struct cu_filter_field {
    const char *name; /* as in JSON */
    enum cu_filter_kind kind;
    size_t offset, count_offset;         /* count_offset: of a list */
    const struct cu_filter_shape *shape; /* of messages */
    const char *constant;                /* of a text that is the same in all messages */
};

struct cu_filter_shape {
    const struct cu_filter_field *fields;
    size_t count;
};

/* clang-format off */
#define CU_FILTER_CONSTANT(json, text) {.name = json, .kind = CU_FILTER_TEXT, .constant = text}
#define CU_FILTER_FIELD(type, json, kind_, member, ...)                                            \
    {.name = json, .kind = CU_FILTER_##kind_, .offset = offsetof(type, member), __VA_ARGS__}
#define CU_FILTER_LIST(type, json, kind_, member, ...)                                             \
    {.name = json, .kind = CU_FILTER_##kind_, .offset = offsetof(type, member),                    \
     .count_offset = offsetof(type, n_##member), __VA_ARGS__}
#define CU_FILTER_SHAPE(fields_) {fields_, sizeof(fields_) / sizeof(fields_[0])}
/* clang-format on */

struct cu_filter;

/* Parses `text` for messages of that shape (borrowed, as the arena's memory is, for the filter's
 * life). Errors: INVALID, with the sentence of the reference in `diag`; TOO_LARGE: longer or deeper
 * than the limits, or the arena is full. */
CU_MUST_USE enum cu_err cu_filter_new(const char *text, const struct cu_filter_shape *shape,
                                      struct cu_arena *arena, struct cu_filter **ret_filter,
                                      struct cu_diag *diag);
void cu_filter_free(struct cu_filter *filter); /* takes NULL */

/* Whether the message is one of those the expression means. Errors: OVERLOADED: a regular
 * expression takes too long on a value of it. */
CU_MUST_USE enum cu_err cu_filter_match(const struct cu_filter *filter,
                                        const ProtobufCMessage *message, bool *ret_matches);

#endif
