#include "services/gossipd/io/notes.h"

#include "tests/lib/suite.h"

static uint64_t counted(struct cu_metrics *metrics, const char *name)
{
    return cu_metrics_counter(metrics, name)->value;
}

START_TEST(what_the_core_counts_is_seen_in_the_metrics)
{
    struct cu_metrics *metrics = cu_metrics_new();
    struct gossip_notes notes;
    gossip_notes_init(&notes, NULL, metrics);
    struct gossip_stats stats = {.probes = 9, .probes_failed = 2, .refuted = 1, .dropped = 4};
    gossip_notes_stats(&notes, &stats);
    gossip_notes_stats(&notes, &stats); /* told once */
    ck_assert_uint_eq(counted(metrics, "gossip.probes"), 9);
    ck_assert_uint_eq(counted(metrics, "gossip.probes_failed"), 2);
    ck_assert_uint_eq(counted(metrics, "gossip.refuted"), 1);
    ck_assert_uint_eq(counted(metrics, "gossip.dropped"), 4);
    stats.dropped = 7;
    gossip_notes_stats(&notes, &stats);
    ck_assert_uint_eq(counted(metrics, "gossip.dropped"), 7);
    ck_assert_uint_eq(counted(metrics, "gossip.probes"), 9);
    cu_metrics_free(metrics);
}
END_TEST

SUITE_MAIN("services/gossipd/io/notes", what_the_core_counts_is_seen_in_the_metrics)
