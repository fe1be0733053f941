/* gossip_stream_fuzz.c - a stream that comes in pieces is judged as the same stream at once, and
 * what is whole decodes or is refused within its arena. */
#include <stdlib.h>

#include "services/gossipd/core/codec.h"
#include "services/gossipd/core/stream.h"
#include "tests/fuzz/fuzz.h"

enum { ARENA_BYTES = 48 * 1024 * 1024, PIECE = 37 };

static void must(bool claim)
{
    if (!claim)
        abort();
}

static bool refused_or_read(enum cu_err err)
{
    return err == CU_OK || err == CU_E_INVALID || err == CU_E_TOO_LARGE;
}

/* How much of the stream was there when it was whole, or was refused. */
struct verdict {
    enum cu_err err;
    bool whole;
};

static struct verdict measure_in_pieces(struct cu_bytes all, size_t piece)
{
    struct gossip_stream stream = {0};
    struct verdict v = {CU_OK, false};
    for (size_t have = 0; !v.err && !v.whole && have < all.len;) {
        have = all.len - have < piece ? all.len : have + piece;
        v.err = gossip_stream_measure(&stream, (struct cu_bytes){all.data, have}, &v.whole);
    }
    return v;
}

bool fuzz_one(const uint8_t *data, size_t len)
{
    struct cu_bytes all = {data, len};
    struct gossip_message message;
    struct gossip_serf serf;
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    struct verdict at_once = measure_in_pieces(all, len ? len : 1);
    struct verdict in_pieces = measure_in_pieces(all, PIECE);
    must(at_once.whole == in_pieces.whole);
    must(at_once.whole || at_once.err == in_pieces.err);
    enum cu_err err = gossip_stream_decode(all, arena, &message);
    must(refused_or_read(err));
    must(err || at_once.whole);
    if (!err && message.type == GOSSIP_PUSH_PULL)
        must(refused_or_read(gossip_serf_decode(message.push_pull.user_state, arena, &serf)));
    cu_arena_free(arena);
    return !err;
}
