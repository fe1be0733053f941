/* wire.h - the core's structs as protobuf messages and back
 * (proto/curia/internal/v1/{log,raft}.proto).
 *
 * Writers borrow: bytes point into what was given, all else lies in the arena. Readers check every
 * length, kind, count and checksum, and leave ret_x untouched on failure: CU_E_INVALID, with what
 * is wrong in diag. An arena that is full is our bug where the sizes are ours (asserted). */
#ifndef RAFT_WIRE_H
#define RAFT_WIRE_H

#include "common/base/arena.h"
#include "common/base/err.h"
#include "curia/internal/v1/log.pb-c.h"
#include "curia/internal/v1/raft.pb-c.h"
#include "services/raftd/core/raft.h"

typedef Curia__Internal__V1__Position raft_pb_position;
typedef Curia__Internal__V1__Configuration raft_pb_configuration;
typedef Curia__Internal__V1__StateHeader raft_pb_header;
typedef Curia__Internal__V1__Lineage raft_pb_lineage;
typedef Curia__Internal__V1__Entry raft_pb_entry;
typedef Curia__Internal__V1__RaftMessage raft_pb_message;

/* A configuration, header or message without entries takes less. */
enum { RAFT_WIRE_ARENA_BYTES = 64 * 1024 };

ProtobufCBinaryData raft_wire_id(const struct raft_id *id); /* none: empty */
CU_MUST_USE enum cu_err raft_wire_read_id(ProtobufCBinaryData data, struct raft_id *ret_id);

void raft_wire_entry(const struct raft_entry *entry, raft_pb_entry *ret_entry);
/* The body is a reference of yours. */
CU_MUST_USE enum cu_err raft_wire_read_entry(const raft_pb_entry *from,
                                             struct raft_entry *ret_entry, struct cu_diag *diag);

void raft_wire_position(const struct raft_position *position, raft_pb_position *ret_position);
/* NULL reads as the position before everything. */
CU_MUST_USE enum cu_err raft_wire_read_position(const raft_pb_position *from,
                                                struct raft_position *ret_position,
                                                struct cu_diag *diag);

/* Addresses are left empty: they are the edge's to fill in. */
raft_pb_configuration *raft_wire_configuration(struct cu_arena *arena,
                                               const struct raft_configuration *configuration);
CU_MUST_USE enum cu_err raft_wire_read_configuration(const raft_pb_configuration *from,
                                                     struct raft_configuration *ret_configuration,
                                                     struct cu_diag *diag);

/* An array of pointers, as protobuf-c wants it. */
raft_pb_lineage **raft_wire_lineage(struct cu_arena *arena, const struct raft_lineage *lineage,
                                    uint32_t count);

raft_pb_header *raft_wire_header(struct cu_arena *arena, const struct raft_header *header);
/* NULL reads as the empty header. */
CU_MUST_USE enum cu_err raft_wire_read_header(const raft_pb_header *from,
                                              struct raft_header *ret_header, struct cu_diag *diag);

raft_pb_message *raft_wire_message(struct cu_arena *arena, const struct raft_message *message);
/* *ret_message: yours, raft_message_deinit() and free(). `call` is 0. */
CU_MUST_USE enum cu_err raft_wire_read_message(const raft_pb_message *from,
                                               struct raft_message **ret_message,
                                               struct cu_diag *diag);

#endif
