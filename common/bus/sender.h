/* sender.h - what leaves by a connection: frames of this turn, and messages that wait for credit.
 *
 * A message that fits into a frame and into the credit is written straight behind the others. A
 * longer one, and all that come while one waits, stand in a queue; each round takes one frame of
 * each, so that nobody waits for the whole of another's. Calls of one method keep their order
 * (raftd's entries do not overtake each other); replies keep none. Owned by conn.c. */
#ifndef CU_BUS_SENDER_H
#define CU_BUS_SENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bus/conn.h"
#include "common/bus/frame.h"
#include "common/bus/stream.h"

struct cu_pending;

/* Zero-initialise. */
struct cu_sender {
    struct cu_out out;
    uint64_t credit; /* bytes of CALL and REPLY that the peer still takes */
    struct cu_pending *queue, **queue_tail;
    uint64_t waiting_bytes; /* in the queue */
    uint64_t frames;
};

void cu_sender_deinit(struct cu_sender *sender);

/* The head writer of a message, and its arguments. */
struct cu_message {
    enum cu_frame_kind kind; /* CALL or REPLY */
    uint64_t id;
    const struct cu_envelope *call; /* of a CALL */
    const struct cu_reply *reply;   /* of a REPLY */
    const struct cu_body *body;
    size_t body_len;
};

#define CU_MARK_QUEUED UINT64_MAX

/* Returns the mark for cu_sender_was_handed(). */
uint64_t cu_sender_put(struct cu_sender *sender, const struct cu_message *message);

/* Moves frames of the queue behind the others, as far as credit goes and `out` does not grow over
 * its mark. */
void cu_sender_pump(struct cu_sender *sender);

/* Takes a message out of the queue: a CALL wherever it stands, a REPLY only if nothing of it has
 * been cut yet (its reader counts on the rest). *ret_begun: some of it is on its way. False: it is
 * not in the queue. */
bool cu_sender_take_back(struct cu_sender *sender, uint64_t id, bool *ret_begun);

bool cu_sender_was_handed(const struct cu_sender *sender, uint64_t id, uint64_t mark);

#endif
