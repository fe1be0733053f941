/* gossip_snapshot_fuzz.c - whatever a snapshot file holds, a member starts from it, what it then
 * writes is read the same by the next one, and the machine stays sound. */
#include <stdlib.h>

#include "services/gossipd/core/gossip.h"
#include "tests/fuzz/fuzz.h"

static const uint8_t loopback[4] = {127, 0, 0, 1};

static void must(bool claim)
{
    if (!claim)
        abort();
}

static struct gossip *started(struct cu_bytes snapshot, bool rejoins)
{
    static const struct gossip_tags tags;
    struct gossip *gossip = NULL;
    struct gossip_actions out = {0};
    struct gossip_options options = {
        .name = "self",
        .address = {gossip_ip_of((struct cu_bytes){loopback, 4}), 8301},
        .tags = &tags,
        .versions = GOSSIP_VERSIONS_SERF,
        .timing = gossip_timing_profiles[GOSSIP_PROFILE_LAN],
        .seed = 1,
        .now = {1000000},
        .wall_ms = 1000,
        .rejoin_after_leave = rejoins,
        .snapshot = snapshot,
    };
    must(gossip_new(&options, &gossip, NULL) == CU_OK);
    gossip_step(gossip, &(struct gossip_event){.now = {2000000}, .wall_ms = 1001}, &out);
    must(!gossip_check(gossip));
    gossip_actions_deinit(&out);
    return gossip;
}

static int by_bytes(const void *a, const void *b)
{
    return cu_bytes_compare(*(const struct cu_bytes *)a, *(const struct cu_bytes *)b);
}

/* Lines of the same members may come in any order: they are tried at random. */
static struct cu_buf sorted(struct cu_buf *text)
{
    struct cu_bytes *lines = malloc((text->len + 1) * sizeof *lines);
    struct cu_buf out = {0};
    size_t count = 0, start = 0;
    must(lines);
    for (size_t i = 0; i < text->len; i++)
        if (text->data[i] == '\n') {
            lines[count++] = (struct cu_bytes){text->data + start, i + 1 - start};
            start = i + 1;
        }
    qsort(lines, count, sizeof *lines, by_bytes);
    for (size_t i = 0; i < count; i++)
        cu_buf_append(&out, lines[i].data, lines[i].len);
    must(out.len == text->len); /* whole lines */
    free(lines);
    cu_buf_deinit(text);
    return out;
}

static bool one(struct cu_bytes given, bool rejoins)
{
    struct cu_buf once = {0}, twice = {0};
    struct gossip *first = started(given, rejoins);
    gossip_snapshot_write(first, &once);
    struct gossip *second = started(cu_buf_bytes(&once), true);
    gossip_snapshot_write(second, &twice);
    once = sorted(&once);
    twice = sorted(&twice);
    must(cu_bytes_equal(cu_buf_bytes(&once), cu_buf_bytes(&twice)));
    bool knows_others = gossip_feed_index(first) > 1; /* beside itself */
    gossip_free(first);
    gossip_free(second);
    cu_buf_deinit(&once);
    cu_buf_deinit(&twice);
    return knows_others;
}

bool fuzz_one(const uint8_t *data, size_t len)
{
    bool left = one((struct cu_bytes){data, len}, false);
    return one((struct cu_bytes){data, len}, true) || left;
}
