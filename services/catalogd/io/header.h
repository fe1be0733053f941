/* header.h - the header of a state between the store's struct and the wire's StateHeader. */
#ifndef CATALOG_HEADER_H
#define CATALOG_HEADER_H

#include "common/base/arena.h"
#include "proto/curia/internal/v1/log.pb-c.h"
#include "services/catalogd/core/store.h"

/* Appends the packed StateHeader. A configuration that does not decode is left out: raftd then has
 * none to adopt, and refuses. */
void catalog_header_pack(const struct catalog_header *header, struct cu_buf *ret_packed);

/* Wire to position; an id of another length than 16 is none. */
struct catalog_position catalog_position_of(const Curia__Internal__V1__Position *position);
struct catalog_id catalog_id_of(ProtobufCBinaryData bytes);
/* Fills `wire` with references into `position`. */
void catalog_position_to_wire(const struct catalog_position *position,
                              Curia__Internal__V1__Position *wire);
bool catalog_id_is_none(const struct catalog_id *id);
bool catalog_id_equal(const struct catalog_id *a, const struct catalog_id *b);

#endif
