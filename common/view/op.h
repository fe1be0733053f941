/* op.h - an upstream read: one question to a catalogd, and everybody who waits for its answer. */
#ifndef CU_VIEW_OP_H
#define CU_VIEW_OP_H

#include "common/view/internal.h"

enum op_state {
    OP_GATHERED, /* to be sent at the end of this turn */
    OP_SENT,
    OP_ENCODING, /* answered; being encoded on a worker */
    OP_ANSWERED, /* being handed out */
    OP_HELD
};

struct view_encoding;

struct view_op {
    struct view_op *next, **at; /* in view->all, or the pool */
    struct view_op *chain;      /* in its bucket */
    struct view_op *gathered;   /* in view->gathered */
    struct cu_view *view;
    const struct cu_view_method *method;
    enum cu_view_mode mode;
    bool is_wait;
    uint64_t index; /* of a wait: at most that of each of its readers */
    enum op_state state;
    bool joinable;
    bool handing_out; /* its readers are being told: it is freed when that is over */
    uint64_t hash;
    struct cu_buf key; /* whether it is a wait, method, mode, token, request */
    size_t token_at, request_at;
    struct cu_view_read *readers;
    struct cu_call *call;
    const struct cu_client *asked; /* only compared */
    struct view_kept *kept;        /* what it was sent as conditional on */
    struct view_encoding *encoding;
    struct view_task task;
};

/* Encodes, keeps and hands out; called with what came. The op is freed or sent again. */
void view_op_answered(void *op, const struct cu_answer *answer);

/* What a worker made of the answer; NULL: nothing. Borrowed. */
void view_op_encoded(struct view_op *op, struct view_kept *kept);

void view_op_send(struct view_op *op);
void view_op_close(struct view_op *op); /* nobody joins it from here on */
void view_op_free(struct view_op *op);
void view_op_take_reader(struct cu_view_read *read);
/* A reader that an answer was handed to goes on in its op. */
void view_op_put_back(struct view_op *op, struct cu_view_read *read);
/* Moves a reader to a plain read, shared with its like: it looks at how things are now. */
void view_read_look(struct cu_view_read *read);
/* Moves a reader, which has seen the answer with `index`, to the wait. */
void view_read_hang(struct cu_view_read *read, uint64_t index);

/* The key of its kept answer: that of the op without its first byte. Borrowed. */
struct cu_bytes view_op_kept_key(struct view_op *op);

#endif
