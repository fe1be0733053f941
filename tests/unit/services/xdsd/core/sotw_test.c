/* The state-of-the-world variant of ADS (mesh.md 6.4). Contents stand for resources. */
#include <stdio.h>

#include "tests/lib/suite.h"
#include "tests/unit/services/xdsd/core/rig.h"

#define PLAIN "cluster a=ca, cluster b=cb, endpoint a=ea, endpoint b=eb, listener l=l1"

#define READS(rig, wanted) ck_assert_str_eq(rig_read(rig), wanted)

static struct rig *settled(void)
{
    struct rig *rig = rig_new(XDS_SOTW);
    rig_set(rig, PLAIN);
    rig_ask(rig, XDS_CLUSTER, "");
    READS(rig, "cluster: ca cb");
    rig_ack(rig);
    rig_ask(rig, XDS_ENDPOINT, "a b");
    READS(rig, "endpoint: ea eb");
    rig_ack_with(rig, "a b");
    rig_ask(rig, XDS_LISTENER, "");
    READS(rig, "listener: l1");
    rig_ack(rig);
    READS(rig, "");
    return rig;
}

START_TEST(a_set_that_did_not_change_is_not_sent_again)
{
    struct rig *rig = settled();
    rig_set(rig, PLAIN);
    READS(rig, "");
    rig_free(rig);
}
END_TEST

START_TEST(endpoints_follow_clusters_even_if_they_did_not_change)
{
    struct rig *rig = settled();
    rig_set(rig, "cluster a=ca2, cluster b=cb, endpoint a=ea, endpoint b=eb, listener l=l1");
    READS(rig, "cluster: ca2 cb");
    READS(rig, "endpoint: ea eb");
    READS(rig, "");
    rig_free(rig);
}
END_TEST

START_TEST(a_cluster_stays_in_the_set_until_listeners_have_let_go_of_it)
{
    struct rig *rig = settled();
    rig_set(rig, "cluster a=ca, cluster c=cc, endpoint a=ea, endpoint c=ec, listener l=l2");
    READS(rig, "cluster: ca cc cb"); /* the union */
    rig_ack(rig);
    READS(rig, "endpoint: ea");
    rig_ack_with(rig, "a b c");
    READS(rig, "endpoint: ea ec");
    rig_ack_with(rig, "a b c");
    READS(rig, "listener: l2");
    READS(rig, "");
    rig_ack(rig);
    READS(rig, "cluster: ca cc");
    rig_free(rig);
}
END_TEST

START_TEST(other_names_in_an_acknowledgement_are_answered_with_the_whole_set)
{
    struct rig *rig = settled();
    rig_set(rig, "cluster a=ca, cluster b=cb, endpoint a=e2, endpoint b=eb, listener l=l1");
    READS(rig, "endpoint: e2 eb");
    rig_ack_with(rig, "b");
    READS(rig, "endpoint: eb");
    rig_free(rig);
}
END_TEST

START_TEST(the_order_of_names_does_not_matter)
{
    struct rig *rig = settled();
    rig_set(rig, "cluster a=ca, cluster b=cb, endpoint a=e2, endpoint b=eb, listener l=l1");
    READS(rig, "endpoint: e2 eb");
    rig_ack_with(rig, "b a");
    ck_assert_int_eq(rig->heard, XDS_HEARD_ACK);
    READS(rig, "");
    rig_free(rig);
}
END_TEST

START_TEST(what_was_refused_is_not_sent_again_until_it_changes)
{
    struct rig *rig = settled();
    rig_set(rig, "cluster a=ca, cluster b=cb, endpoint a=ea, endpoint b=eb, listener l=bad");
    READS(rig, "listener: bad");
    rig_nack(rig, "no");
    READS(rig, "");
    rig_set(rig, "cluster a=ca, cluster b=cb, endpoint a=ea, endpoint b=eb, listener l=good");
    READS(rig, "listener: good");
    rig_free(rig);
}
END_TEST

START_TEST(an_older_nonce_is_ignored_with_its_names)
{
    struct rig *rig = settled();
    rig_set(rig, "cluster a=ca, cluster b=cb, endpoint a=e2, endpoint b=eb, listener l=l1");
    READS(rig, "endpoint: e2 eb");
    (void)snprintf(rig->nonce, sizeof rig->nonce, "00000002");
    rig_ack_with(rig, "zz");
    ck_assert_int_eq(rig->heard, XDS_HEARD_STALE);
    READS(rig, "");
    rig_free(rig);
}
END_TEST

START_TEST(an_empty_set_of_clusters_is_not_sent)
{
    struct rig *rig = rig_new(XDS_SOTW);
    rig_set(rig, "");
    rig_ask(rig, XDS_CLUSTER, "");
    READS(rig, "");
    rig_set(rig, "cluster a=ca");
    READS(rig, "cluster: ca");
    rig_free(rig);
}
END_TEST

SUITE_MAIN("services/xdsd/core/sotw", a_set_that_did_not_change_is_not_sent_again,
           endpoints_follow_clusters_even_if_they_did_not_change,
           a_cluster_stays_in_the_set_until_listeners_have_let_go_of_it,
           other_names_in_an_acknowledgement_are_answered_with_the_whole_set,
           the_order_of_names_does_not_matter, what_was_refused_is_not_sent_again_until_it_changes,
           an_older_nonce_is_ignored_with_its_names, an_empty_set_of_clusters_is_not_sent)
