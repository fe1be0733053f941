/* fields.h - a struct and its msgpack map, through one table of fields: the same rows write and
 * read (gossip.md 2). */
#ifndef GOSSIP_FIELDS_H
#define GOSSIP_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/err.h"
#include "services/gossipd/core/message.h"
#include "services/gossipd/core/unpack.h"

enum gossip_field_kind {
    GOSSIP_FIELD_TEXT,     /* struct cu_bytes; never nil */
    GOSSIP_FIELD_NAME,     /* the same, at most GOSSIP_NAME_MAX_BYTES */
    GOSSIP_FIELD_META,     /* struct cu_bytes, at most GOSSIP_META_MAX_BYTES; data NULL: nil */
    GOSSIP_FIELD_BYTES,    /* struct cu_bytes; data NULL: nil */
    GOSSIP_FIELD_BOOL,     /* bool */
    GOSSIP_FIELD_U8,       /* uint8_t */
    GOSSIP_FIELD_U16,      /* uint16_t */
    GOSSIP_FIELD_U32,      /* uint32_t */
    GOSSIP_FIELD_U64,      /* uint64_t */
    GOSSIP_FIELD_IP,       /* struct gossip_ip */
    GOSSIP_FIELD_VERSIONS, /* struct gossip_versions */
    GOSSIP_FIELD_STATE,    /* enum gossip_state */
    GOSSIP_FIELD_LEFT,     /* struct gossip_serf_state, itself: LeftMembers */
    GOSSIP_FIELD_STATUS,   /* struct gossip_serf_state, itself: StatusLTimes */
    GOSSIP_FIELD_EVENTS,   /* struct gossip_serf_state, itself: Events */
    GOSSIP_FIELD_KIND_COUNT
};

struct gossip_field {
    const char *name;
    enum gossip_field_kind kind;
    size_t offset;
    bool omit_empty; /* a zero is not written */
};

/* Rows in ascending byte order of the names, which is their order on the wire. */
struct gossip_fields {
    const struct gossip_field *rows;
    size_t count;
};

#define GOSSIP_FIELDS(table) ((struct gossip_fields){table, sizeof(table) / sizeof((table)[0])})

void gossip_fields_write(struct cu_buf *out, struct gossip_fields fields, const void *from);

/* Reads the next value, a map, into *ret (zeroed by the caller). Fields that no row names are
 * passed over, missing and nil ones stay zero; of one that comes twice the last counts. Errors:
 * CU_E_INVALID; CU_E_TOO_LARGE (a limit of message.h, or the arena's). */
CU_MUST_USE enum cu_err gossip_fields_read(struct gossip_unpack *in, struct gossip_fields fields,
                                           struct cu_arena *arena, void *ret);

#endif
