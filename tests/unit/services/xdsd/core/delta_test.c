/* The delta variant of ADS (mesh.md 6.5, 11). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/suite.h"
#include "tests/unit/services/xdsd/core/rig.h"

#define PLAIN "cluster a=1, cluster b=1, endpoint a=1, endpoint b=1, listener l=1"

#define READS(rig, wanted) ck_assert_str_eq(rig_read(rig), wanted)

/* A proxy that has all of PLAIN. */
static struct rig *settled(void)
{
    struct rig *rig = rig_new(XDS_DELTA);
    rig_set(rig, PLAIN);
    rig_ask(rig, XDS_CLUSTER, "");
    READS(rig, "cluster: a=1 b=1");
    rig_ack(rig);
    rig_ask(rig, XDS_ENDPOINT, "a b");
    READS(rig, "endpoint: a=1 b=1");
    rig_ack(rig);
    rig_ask(rig, XDS_LISTENER, "");
    READS(rig, "listener: l=1");
    rig_ack(rig);
    READS(rig, "");
    ck_assert(xds_stream_is_settled(rig->stream));
    return rig;
}

START_TEST(says_nothing_before_the_first_snapshot)
{
    struct rig *rig = rig_new(XDS_DELTA);
    rig_ask(rig, XDS_CLUSTER, "");
    READS(rig, "");
    rig_set(rig, PLAIN);
    READS(rig, "cluster: a=1 b=1");
    rig_free(rig);
}
END_TEST

START_TEST(listeners_wait_until_clusters_and_endpoints_are_acknowledged)
{
    struct rig *rig = rig_new(XDS_DELTA), seen;
    rig_set(rig, PLAIN);
    rig_ask(rig, XDS_CLUSTER, "");
    rig_ask(rig, XDS_LISTENER, "");
    READS(rig, "cluster: a=1 b=1");
    seen = *rig;
    rig_ask(rig, XDS_ENDPOINT, "a b");
    READS(rig, "endpoint: a=1 b=1"); /* not held up by the clusters: they warm with it */
    READS(rig, "");
    rig_ack(rig);
    READS(rig, "");
    *rig = seen;
    rig_ack(rig);
    READS(rig, "listener: l=1");
    rig_free(rig);
}
END_TEST

START_TEST(only_what_changed_travels_and_only_once)
{
    struct rig *rig = settled();
    rig_set(rig, "cluster a=1, cluster b=1, endpoint a=1, endpoint b=2, listener l=1");
    READS(rig, "endpoint: b=2");
    READS(rig, "");
    rig_ack(rig);
    READS(rig, "");
    rig_set(rig, "cluster a=1, cluster b=1, endpoint a=1, endpoint b=2, listener l=1");
    READS(rig, "");
    rig_free(rig);
}
END_TEST

START_TEST(who_is_slow_sees_only_the_newest_snapshot)
{
    struct rig *rig = settled();
    rig_set(rig, "cluster a=1, cluster b=1, endpoint a=2, endpoint b=1, listener l=1");
    READS(rig, "endpoint: a=2");
    rig_set(rig, "cluster a=1, cluster b=1, endpoint a=3, endpoint b=1, listener l=1");
    rig_set(rig, "cluster a=1, cluster b=1, endpoint a=4, endpoint b=1, listener l=1");
    READS(rig, "");
    rig_ack(rig);
    READS(rig, "endpoint: a=4");
    rig_free(rig);
}
END_TEST

START_TEST(a_cluster_that_is_sent_again_brings_its_endpoints)
{
    struct rig *rig = settled();
    rig_set(rig, "cluster a=2, cluster b=1, endpoint a=1, endpoint b=1, listener l=1");
    READS(rig, "cluster: a=2");
    READS(rig, "endpoint: a=1");
    rig_free(rig);
}
END_TEST

START_TEST(a_listener_that_is_sent_again_brings_its_routes)
{
    struct rig *rig = rig_new(XDS_DELTA);
    rig_set(rig, "cluster a=1, listener l=1>r, route r=1");
    rig_ask(rig, XDS_LISTENER, "");
    READS(rig, "listener: l=1");
    rig_ask(rig, XDS_ROUTE, "r");
    READS(rig, "route: r=1");
    rig_ack(rig);
    rig_set(rig, "cluster a=1, listener l=2>r, route r=1");
    READS(rig, ""); /* the first listener response is not answered yet */
    rig->type = XDS_LISTENER;
    (void)snprintf(rig->nonce, sizeof rig->nonce, "00000001");
    rig_ack(rig);
    READS(rig, "listener: l=2");
    READS(rig, "route: r=1");
    rig_free(rig);
}
END_TEST

START_TEST(what_is_gone_is_removed_after_listeners_let_go_of_it)
{
    struct rig *rig = settled();
    rig_set(rig, "cluster a=1, endpoint a=1, listener l=2");
    READS(rig, "listener: l=2");
    READS(rig, "");
    rig_ack(rig);
    READS(rig, "cluster: -b");
    rig_ack(rig);
    READS(rig, "");
    rig_free(rig);
}
END_TEST

START_TEST(what_was_refused_is_not_sent_again_until_it_changes)
{
    struct rig *rig = settled();
    rig_set(rig, "cluster a=1, cluster b=1, endpoint a=1, endpoint b=1, listener l=bad");
    READS(rig, "listener: l=bad");
    rig_nack(rig, "Error adding/updating listener(s) l: cannot bind");
    ck_assert_int_eq(rig->nack.type, XDS_LISTENER);
    ck_assert_str_eq(rig->nack.reason, "Error adding/updating listener(s) l: cannot bind");
    READS(rig, "");
    rig_set(rig, "cluster a=2, cluster b=1, endpoint a=1, endpoint b=1, listener l=bad");
    READS(rig, "cluster: a=2");
    rig_ack(rig);
    READS(rig, "endpoint: a=1");
    rig_ack(rig);
    READS(rig, "");
    rig_set(rig, "cluster a=2, cluster b=1, endpoint a=1, endpoint b=1, listener l=good");
    READS(rig, "listener: l=good");
    rig_free(rig);
}
END_TEST

START_TEST(nothing_of_a_private_key_is_kept_of_a_refusal)
{
    struct rig *rig = settled();
    rig_set(rig, PLAIN ", secret s=1");
    rig_ask(rig, XDS_SECRET, "s");
    READS(rig, "secret: s=1");
    rig_nack(rig, "Proto constraint validation failed (s: goo.gle/debug a { inline_string: "
                  "\"-----BEGIN EC PRIVATE KEY-----\\nSECRET\" }): Proto constraint x");
    ck_assert_ptr_null(strstr(rig->nack.reason, "SECRET"));
    ck_assert_ptr_null(strstr(rig->nack.reason, "BEGIN"));
    ck_assert_ptr_nonnull(strstr(rig->nack.reason, "Proto constraint validation failed (s: "));
    rig_free(rig);
}
END_TEST

START_TEST(a_reconnect_that_names_what_it_has_gets_only_the_difference)
{
    struct rig *rig = rig_new(XDS_DELTA);
    rig_set(rig, PLAIN);
    rig_ask(rig, XDS_CLUSTER, "a=1 b=0 c=1");
    READS(rig, "cluster: b=1");
    rig_ack(rig);
    rig_ask(rig, XDS_ENDPOINT, "a=1 b=1");
    READS(rig, "endpoint: b=1"); /* its cluster was built anew */
    rig_ack(rig);
    rig_ask(rig, XDS_LISTENER, "l=1");
    READS(rig, "listener: "); /* the first answer of a type is sent, if empty */
    rig_ack(rig);
    READS(rig, "cluster: -c");
    rig_free(rig);
}
END_TEST

START_TEST(a_set_of_listeners_that_is_empty_is_no_answer)
{
    struct rig *rig = rig_new(XDS_DELTA);
    rig_set(rig, "cluster a=1");
    rig_ask(rig, XDS_LISTENER, "");
    READS(rig, "");
    rig_set(rig, "cluster a=1, listener l=1");
    READS(rig, "listener: l=1");
    rig_free(rig);
}
END_TEST

START_TEST(a_name_that_does_not_exist_is_not_answered_until_it_does)
{
    struct rig *rig = settled();
    rig_ask(rig, XDS_ENDPOINT, "zz");
    READS(rig, "");
    rig_set(rig, PLAIN ", endpoint zz=1");
    READS(rig, "endpoint: zz=1");
    rig_ack(rig);
    rig_ask(rig, XDS_ENDPOINT, "-zz");
    rig_set(rig, PLAIN ", endpoint zz=2");
    READS(rig, "");
    rig_free(rig);
}
END_TEST

START_TEST(a_name_asked_for_again_is_sent_again)
{
    struct rig *rig = settled();
    rig_ask(rig, XDS_ENDPOINT, "a");
    READS(rig, "endpoint: a=1");
    rig_free(rig);
}
END_TEST

START_TEST(an_answer_to_another_response_has_no_effect)
{
    struct rig *rig = settled();
    rig_set(rig, "cluster a=1, cluster b=1, endpoint a=2, endpoint b=1, listener l=1");
    READS(rig, "endpoint: a=2");
    (void)snprintf(rig->nonce, sizeof rig->nonce, "000000ff");
    rig_ack_with(rig, "");
    ck_assert_int_eq(rig->heard, XDS_HEARD_STALE);
    ck_assert(!xds_stream_is_settled(rig->stream));
    rig_free(rig);
}
END_TEST

START_TEST(requests_of_no_type_end_the_stream_and_of_others_are_passed_over)
{
    struct rig *rig = rig_new(XDS_DELTA);
    Envoy__Service__Discovery__V3__DeltaDiscoveryRequest request =
        ENVOY__SERVICE__DISCOVERY__V3__DELTA_DISCOVERY_REQUEST__INIT;
    ck_assert_int_eq(
        xds_stream_delta_request(rig->stream, &request, &rig->heard, &rig->nack, &rig->diag),
        CU_E_INVALID);
    ck_assert_str_eq(rig->diag.text, "type URL is required for ADS");
    request.type_url = (char *)(uintptr_t) "type.googleapis.com/envoy.nope.v3.Nope";
    ck_assert_int_eq(
        xds_stream_delta_request(rig->stream, &request, &rig->heard, &rig->nack, &rig->diag),
        CU_OK);
    ck_assert_int_eq(rig->heard, XDS_HEARD_UNKNOWN);
    rig_free(rig);
}
END_TEST

static enum cu_err subscribe(struct rig *rig, char **names, size_t count)
{
    Envoy__Service__Discovery__V3__DeltaDiscoveryRequest request =
        ENVOY__SERVICE__DISCOVERY__V3__DELTA_DISCOVERY_REQUEST__INIT;
    request.type_url = (char *)(uintptr_t)xds_type_url(XDS_ENDPOINT);
    request.resource_names_subscribe = names;
    request.n_resource_names_subscribe = count;
    return xds_stream_delta_request(rig->stream, &request, &rig->heard, &rig->nack, &rig->diag);
}

START_TEST(more_names_and_longer_ones_than_the_limits_are_refused)
{
    char **names = calloc(XDS_NAMES_MAX + 1, sizeof *names),
         *one = calloc(1, XDS_NAME_BYTES_MAX + 2);
    for (size_t i = 0; i <= XDS_NAMES_MAX; i++) {
        names[i] = calloc(1, 16);
        (void)snprintf(names[i], 16, "%zu", i);
    }
    struct rig *rig = rig_new(XDS_DELTA);
    ck_assert_int_eq(subscribe(rig, names, XDS_NAMES_MAX), CU_OK);
    ck_assert_int_eq(subscribe(rig, names + XDS_NAMES_MAX, 1), CU_E_OVERLOADED);
    rig_free(rig);
    rig = rig_new(XDS_DELTA);
    memset(one, 'x', XDS_NAME_BYTES_MAX);
    ck_assert_int_eq(subscribe(rig, &one, 1), CU_OK);
    one[XDS_NAME_BYTES_MAX] = 'x';
    ck_assert_int_eq(subscribe(rig, &one, 1), CU_E_OVERLOADED);
    rig_free(rig);
    for (size_t i = 0; i <= XDS_NAMES_MAX; i++)
        free(names[i]);
    free(names);
    free(one);
}
END_TEST

SUITE_MAIN("services/xdsd/core/delta", says_nothing_before_the_first_snapshot,
           listeners_wait_until_clusters_and_endpoints_are_acknowledged,
           only_what_changed_travels_and_only_once, who_is_slow_sees_only_the_newest_snapshot,
           a_cluster_that_is_sent_again_brings_its_endpoints,
           a_listener_that_is_sent_again_brings_its_routes,
           what_is_gone_is_removed_after_listeners_let_go_of_it,
           what_was_refused_is_not_sent_again_until_it_changes,
           nothing_of_a_private_key_is_kept_of_a_refusal,
           a_reconnect_that_names_what_it_has_gets_only_the_difference,
           a_set_of_listeners_that_is_empty_is_no_answer,
           a_name_that_does_not_exist_is_not_answered_until_it_does,
           a_name_asked_for_again_is_sent_again, an_answer_to_another_response_has_no_effect,
           requests_of_no_type_end_the_stream_and_of_others_are_passed_over,
           more_names_and_longer_ones_than_the_limits_are_refused)
