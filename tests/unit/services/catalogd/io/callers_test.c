/* What kind of caller a peer is (contracts 2.3). */
#include "services/catalogd/io/callers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "tests/lib/suite.h"

/* Servers 10.0.0.1 (we) and fd00::2, by raftd; 10.0.0.3 by configuration; readers in 10.9.0.0/16.
 */
static void arrange(struct catalog_shell *shell, struct cu_env *env, bool has_acls)
{
    static Curia__Internal__V1__Server servers[2];
    static Curia__Internal__V1__Server *list[] = {&servers[0], &servers[1]};
    Curia__Internal__V1__Configuration configuration = CURIA__INTERNAL__V1__CONFIGURATION__INIT;
    Curia__Internal__V1__LogStatusReply status = CURIA__INTERNAL__V1__LOG_STATUS_REPLY__INIT;
    *env = (struct cu_env){.node_id = "own", .advertise_address = "10.0.0.1"};
    *shell = (struct catalog_shell){.env = env};
    shell->conf.acl.is_enabled = has_acls;
    shell->conf.peers[0] = (struct catalog_peer){"id", "10.0.0.3:8300"};
    shell->conf.peers[1] = (struct catalog_peer){"own", "10.0.0.1:8300"};
    shell->conf.peers[2] = (struct catalog_peer){"", "10.0.0.1:8300"};
    shell->conf.port = 8300;
    shell->conf.peer_count = 3;
    ck_assert_int_eq(cu_network_parse("10.9.0.0/16", &shell->conf.readers[0]), CU_OK);
    shell->conf.reader_count = 1;
    curia__internal__v1__server__init(&servers[0]);
    curia__internal__v1__server__init(&servers[1]);
    servers[0].id = (char *)(uintptr_t) "own";
    servers[0].address = (char *)(uintptr_t) "10.0.0.1:8310";
    servers[1].address = (char *)(uintptr_t) "[fd00::2]:8310";
    configuration.servers = list;
    configuration.n_servers = 2;
    status.configuration = &configuration;
    catalog_callers_note(shell, &status);
}

START_TEST(a_remote_peer_is_what_its_address_says_where_there_are_acls)
{
    static const struct {
        const char *address;
        enum cu_caller want;
    } cases[] = {
        {"10.0.0.1:40000", CALLER_AGENT}, /* any user of this host */
        {"[fd00::2]:40000", CALLER_SERVER},
        {"10.0.0.3:40000", CALLER_SERVER},
        {"10.9.1.1:40000", CALLER_READER},
        {"10.0.0.10:40000", CALLER_AGENT},
        {"10.0.0.9:40000", CALLER_AGENT},
        {"ipv4:10.0.0.1:1", CALLER_AGENT}, /* as gRPC says it: no server comes that way */
        {"", CALLER_AGENT},
    };
    struct catalog_shell *shell = cu_alloc(sizeof *shell);
    struct cu_env env;
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        struct cu_peer peer = {.daemon = "catalogd", .address = cases[i].address};
        arrange(shell, &env, true);
        ck_assert_msg(catalog_classify(shell, &peer) == cases[i].want, "%s", cases[i].address);
        arrange(shell, &env, false); /* who may read everything may have it at once, too */
        ck_assert_int_eq(catalog_classify(shell, &peer), CALLER_SERVER);
    }
    free(shell);
}
END_TEST

START_TEST(a_local_peer_is_what_its_uid_says)
{
    struct catalog_shell *shell = cu_alloc(sizeof *shell);
    struct cu_env env;
    struct cu_peer own = {.is_local = true, .uid = getuid()}, root = {.is_local = true};
    struct cu_peer other = {.is_local = true, .uid = getuid() + 1};
    arrange(shell, &env, true);
    ck_assert_int_eq(catalog_classify(shell, &own), CALLER_CATALOGD);
    ck_assert_int_eq(catalog_classify(shell, &root), CALLER_CATALOGD);
    ck_assert_int_eq(catalog_classify(shell, &other), CALLER_AGENT);
    free(shell);
}
END_TEST

START_TEST(more_servers_than_the_book_holds_are_callers_as_others)
{
    struct catalog_shell *shell = cu_alloc(sizeof *shell);
    struct cu_env env;
    Curia__Internal__V1__Server servers[CATALOG_BOOK_MAX + 1], *list[CATALOG_BOOK_MAX + 1];
    char addresses[CATALOG_BOOK_MAX + 1][32];
    Curia__Internal__V1__Configuration configuration = CURIA__INTERNAL__V1__CONFIGURATION__INIT;
    Curia__Internal__V1__LogStatusReply status = CURIA__INTERNAL__V1__LOG_STATUS_REPLY__INIT;
    arrange(shell, &env, true);
    for (int i = 0; i <= CATALOG_BOOK_MAX; i++) {
        curia__internal__v1__server__init(&servers[i]);
        (void)snprintf(addresses[i], sizeof addresses[i], "10.4.0.%d:8310", i + 1);
        servers[i].address = addresses[i];
        list[i] = &servers[i];
    }
    configuration.servers = list;
    configuration.n_servers = CATALOG_BOOK_MAX + 1;
    status.configuration = &configuration;
    catalog_callers_note(shell, &status);
    for (int i = CATALOG_BOOK_MAX - 1; i <= CATALOG_BOOK_MAX; i++) {
        struct cu_peer peer = {.address = addresses[i]};
        ck_assert_int_eq(catalog_classify(shell, &peer),
                         i < CATALOG_BOOK_MAX ? CALLER_SERVER : CALLER_AGENT);
    }
    free(shell);
}
END_TEST

SUITE_MAIN("services/catalogd/io/callers",
           a_remote_peer_is_what_its_address_says_where_there_are_acls,
           a_local_peer_is_what_its_uid_says,
           more_servers_than_the_book_holds_are_callers_as_others)
