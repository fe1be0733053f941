/* encode.h - an answer made into what its readers get: at once, or on a worker when it is large, so
 * that one long list does not keep all others waiting (hops.md 4). */
#ifndef CU_VIEW_ENCODE_H
#define CU_VIEW_ENCODE_H

#include "common/view/op.h"

enum {
    VIEW_ENCODE_HERE_BYTES = 64 * 1024, /* of a packed reply: less is done on the loop */
};

/* The meta part of a packed reply, if it comes first as catalogd puts it; yours, free it with
 * curia__v1__read_meta__free_unpacked(). NULL: there is none in front. */
Curia__V1__ReadMeta *view_encode_peek(struct cu_bytes packed);

/* The meta part of a reply; NULL: it has none. */
const Curia__V1__ReadMeta *view_meta_of(const ProtobufCMessage *reply);

/* A reply that has its meta part, in the formats that the op's readers want, into an entry without
 * a key. */
void view_encode_here(struct view_op *op, const ProtobufCMessage *reply,
                      struct view_kept *ret_kept);

/* On the worker; view_op_encoded() is called on the loop when it is done, unless the op is freed
 * first. The reply is copied. */
void view_encode_there(struct view_op *op, struct cu_bytes packed);
void view_encode_forget(struct view_op *op); /* the op is freed */

#endif
