/* fixture.h - a daemon that answers and one that calls, on one loop, by any driver. */
#ifndef TESTS_RPC_FIXTURE_H
#define TESTS_RPC_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/rpc/client.h"
#include "common/rpc/rpc.h"
#include "curia/v1/kv.pb-c.h"

enum {
    PUT_LIMIT = 1408 * KIB, /* of a request to Kv.Put, and of a reply of Kv.Get */
    SMALL_LIMIT = 4 * KIB,
    HELD_MAX = 10000,
};

enum transport { IPC, TCP };

struct pairing {
    const char *name;
    enum transport transport;
    enum cu_local_driver server, client;
};

/* loop-loop, loop-nng, nng-loop, nng-nng on ipc://, and tcp://. */
extern const struct pairing pairings[];
extern const size_t pairing_count;
extern const struct pairing *const plain; /* loop to loop */

#define FOR_PAIRINGS(p) for (const struct pairing *p = pairings; p < pairings + pairing_count; p++)

/* The service is Kv; what a request does is in its key:
 *   Put "hold..."  kept in `held` until the test answers it, or lost (on_gone counts)
 *   Put "keep..."  as hold, but without on_gone
 *   Put "fail"     NotFound "no such key", index 0
 *   Put other      {applied: true}, index = length of the value
 *   Get            a value of as many bytes as the key says, all of them 'v'
 *   Txn            fails Internal
 *   List           a follow: held with on_gone */
struct pair {
    struct cu_loop *loop;
    struct cu_rpc *server, *client_rpc;
    struct cu_client *client;
    char url[128];
    struct cu_rq *held[HELD_MAX];
    size_t held_count, handled;
    size_t gone; /* on_gone callbacks */
    unsigned ups, downs;
    size_t open_at_down; /* calls that were open when on_state said down */
};

/* What one call came to. */
struct outcome {
    unsigned answers;
    enum cu_err err;
    bool sent, applied;
    uint64_t index;
    size_t value_len;
    char text[600];
};

struct pair *pair_new(const struct pairing *pairing); /* connected and up */
/* The same in steps: only the server, listening; then a client of it. */
struct pair *pair_new_server(const struct pairing *pairing);
void pair_connect(struct pair *pair, const struct pairing *pairing);
void pair_free(struct pair *pair);

struct cu_call *pair_put(struct pair *pair, const char *key, size_t value_len,
                         struct outcome *outcome);
struct cu_call *pair_put_within(struct pair *pair, const char *key, size_t value_len,
                                uint32_t timeout_ms, struct outcome *outcome);
struct cu_call *pair_get(struct pair *pair, size_t value_len, struct outcome *outcome);
struct cu_call *pair_list(struct pair *pair, struct outcome *outcome);

/* For calls made by hand: an on_answer that notes error and text in its outcome. */
void pair_note_error(void *outcome, const struct cu_answer *answer);

/* Answers held request `i`: {applied: true}, index `index`. */
void pair_release(struct pair *pair, size_t i, uint64_t index);

/* Turns the loop until the condition holds; fails the test after 40 s. */
#define PAIR_WAIT(pair, condition)                                                                 \
    do {                                                                                           \
        struct cu_mono wait_until = cu_mono_add_ms(cu_mono_now(), 40000);                          \
        while (!(condition)) {                                                                     \
            if (cu_mono_before(wait_until, cu_mono_now()))                                         \
                ck_abort_msg("waited in vain for: %s", #condition);                                \
            pair_turn(pair);                                                                       \
        }                                                                                          \
    } while (0)

void pair_turn(struct pair *pair); /* one turn, of at most some ms */
/* Turns for `ms`. */
void pair_turn_for(struct pair *pair, unsigned ms);

extern const struct cu_service pair_service;

#endif
