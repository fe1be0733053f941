/* shape.h - a table for each JSON shape, one row a field; the same table reads and writes
 * (contracts 8.1).
 *
 * A row names the member of a protobuf-c message by its offset, so that writing costs no lookup;
 * cu_json_shape_agrees() compares the whole table with the message's descriptor, and a test calls
 * it for each shape. */
#ifndef CU_JSON_SHAPE_H
#define CU_JSON_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/err.h"

enum cu_json_codec {
    CU_JSON_BOOL,
    CU_JSON_I32,
    CU_JSON_U32,
    CU_JSON_I64,
    CU_JSON_U64,
    CU_JSON_DURATION, /* int64 ns, printed as "1m0s"; read from that or a number of ns */
    CU_JSON_NS,       /* int64 ns, printed as a number; read from either */
    CU_JSON_TIME,     /* int64 s since 1970, printed as RFC 3339; not read */
    CU_JSON_TIME_MS,  /* uint64 ms since 1970, likewise */
    CU_JSON_TEXT,     /* a proto string */
    CU_JSON_KEY,      /* proto bytes, printed and read as a string */
    CU_JSON_BASE64,   /* proto bytes */
    CU_JSON_OPAQUE,   /* proto bytes that are a canonical JSON object (canonical.h) */
    CU_JSON_ENUM,     /* by the row's names */
    CU_JSON_NUMBERED, /* an enum, by its number */
    CU_JSON_OBJECT,   /* a message, by the row's shape */
    CU_JSON_CODEC_COUNT
};

/* What is printed for zero, "", an absent message, or an empty list or map. */
enum cu_json_empty {
    CU_JSON_ZERO, /* 0, "", false; [] or {} for a list or a map; a message: all of it empty */
    CU_JSON_OMIT, /* a map or list in a wrapper also when the wrapper is there, but empty */
    CU_JSON_NULL  /* a map or list in a wrapper only when the wrapper is absent */
};

/* How a message appears. */
enum cu_json_form {
    CU_JSON_FORM_OBJECT,
    /* The entry of a protobuf map; rows: "key" (CU_JSON_TEXT), then "value". A list of them is one
     * object with sorted names. */
    CU_JSON_FORM_ENTRY,
    /* Stands for its only member, a list or a map, where absent and empty differ (contracts 8.2).
     */
    CU_JSON_FORM_WRAPPER
};

/* Names of an enum by number; a name that is not there reads as `unknown`. */
struct cu_json_names {
    const char *const *names; /* NULL where a number has none */
    size_t count;
    int unknown;
};

struct cu_json_shape;

struct cu_json_field {
    const char *name;            /* as printed */
    const char *printed;         /* "\"name\":" */
    size_t offset, count_offset; /* count_offset: of the list's count; 0: no list */
    enum cu_json_codec codec;
    enum cu_json_empty empty;
    const struct cu_json_shape *shape; /* of CU_JSON_OBJECT */
    const struct cu_json_names *names; /* of CU_JSON_ENUM */
    /* Further names that are read, NULL-ended, or NULL. Such a one only fills what is still empty
     * (http-api.md 1.3). */
    const char *const *aliases;
};

struct cu_json_shape {
    const char *go_name; /* as error sentences call it: "api.KVTxnOp", "map[string]string" */
    enum cu_json_form form;
    const ProtobufCMessageDescriptor *descriptor;
    const struct cu_json_field *fields;
    size_t count;
    const char *const *hidden;  /* members without a row, on purpose; NULL-ended, or NULL */
    const char *const *ignored; /* names that are read and dropped; NULL-ended, or NULL */
    bool ignores_unknown;       /* else an unknown name is an error */
};

/* clang-format off */
#define CU_JSON_FIELD(type, json, member, codec_, empty_, ...)                                     \
    {.name = json, .printed = "\"" json "\":", .offset = offsetof(type, member),                   \
     .codec = codec_, .empty = empty_, __VA_ARGS__}
#define CU_JSON_LIST(type, json, member, codec_, empty_, ...)                                      \
    {.name = json, .printed = "\"" json "\":", .offset = offsetof(type, member),                   \
     .count_offset = offsetof(type, n_##member), .codec = codec_, .empty = empty_, __VA_ARGS__}
/* clang-format on */

/* Appends the message as a compact object; NULL: as if all of it were empty. */
void cu_json_write(struct cu_buf *out, const struct cu_json_shape *shape,
                   const ProtobufCMessage *message);
/* A list of such objects; `messages`: pointers to them, a member of the message that has them. */
void cu_json_write_list(struct cu_buf *out, const struct cu_json_shape *shape, const void *messages,
                        size_t count);

/* Reads an object that cu_json_check() has passed into `message`, which was initialised by its own
 * init function; what it points to is in the arena. The first failure by place in the text is
 * returned, with the reference's sentence. CU_E_INVALID, or CU_E_TOO_LARGE: the arena is full. */
CU_MUST_USE enum cu_err cu_json_read(struct cu_bytes value, const struct cu_json_shape *shape,
                                     struct cu_arena *arena, ProtobufCMessage *message,
                                     struct cu_diag *diag);
/* The same of a text that nobody has checked. CU_E_INVALID also as cu_json_check() says it. */
CU_MUST_USE enum cu_err cu_json_read_text(struct cu_bytes text, const struct cu_json_shape *shape,
                                          struct cu_arena *arena, ProtobufCMessage *message,
                                          struct cu_diag *diag);

/* Bytes of one element of a list whose rows have this codec. */
size_t cu_json_element_size(enum cu_json_codec codec);

/* Whether `name` (the characters of a key) means `wanted`: equal, letter case aside. */
bool cu_json_name_is(struct cu_bytes name, const char *wanted);

/* CU_E_INVALID with a sentence when a member has neither a row nor a place in `hidden`, or a row's
 * codec does not fit its member, here or in a shape that a row names. */
CU_MUST_USE enum cu_err cu_json_shape_agrees(const struct cu_json_shape *shape,
                                             struct cu_diag *diag);

#endif
